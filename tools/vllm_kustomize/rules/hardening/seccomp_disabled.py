"""A container runs without a seccomp profile.

Without one, unless the cluster sets a default, every system call of the kernel can be reached from the
container.

Bad:   seccompProfile: {type: Unconfined}
Good:  seccompProfile: {type: RuntimeDefault}

Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import get
from vllm_kustomize.kubernetes.pods import pods
from vllm_kustomize.model import FieldPath, Problem, Resource, Severity

SEVERITY = Severity.WARNING
HELP = "Set securityContext.seccompProfile.type: RuntimeDefault on the pod."

_TYPE = ("securityContext", "seccompProfile", "type")


def check(resource: Resource) -> Iterator[Problem]:
    """Yield containers whose profile, their own or the pod's, is missing or Unconfined."""
    for pod in pods(resource):
        inherited = get(pod.spec, _TYPE)
        for container in pod.all_containers:
            own = get(container.spec, _TYPE)
            path: FieldPath = (*container.path, *_TYPE) if own else (*pod.spec_path, *_TYPE)
            if (own or inherited) == "Unconfined":
                yield Problem(path, f"{container} runs without a seccomp profile: Unconfined")
            elif not own and not inherited:
                yield Problem(path, f"{container} has no seccomp profile")
