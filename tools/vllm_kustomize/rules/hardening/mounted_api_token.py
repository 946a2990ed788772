"""A pod that runs vLLM carries a token for the Kubernetes API.

The server never calls the API; whoever breaks into it would with the token that is mounted by default.

Bad:   automountServiceAccountToken not set
Good:  automountServiceAccountToken: false
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.pods import pods
from vllm_kustomize.model import Problem, Resource, Severity

SEVERITY = Severity.WARNING
HELP = "Set automountServiceAccountToken: false in the pod's spec."


def check(resource: Resource) -> Iterator[Problem]:
    """Yield vLLM pods into which a service account token is mounted."""
    for pod in pods(resource):
        if pod.spec.get("automountServiceAccountToken") is not False and any(pod.servers):
            path = (*pod.spec_path, "automountServiceAccountToken")
            yield Problem(path, "a token for the Kubernetes API is mounted into the vLLM server's pod")
