"""No Service injects variables that vLLM reads as its own.

For every Service of a namespace Kubernetes sets variables such as NAME_PORT=tcp://10.0.0.1:80 in its
pods. A Service called `vllm` sets VLLM_PORT, at which vLLM stops with "appears to be a URI"; any
`vllm-...` Service sets variables that vLLM reports as unknown, and refuses with
`--fail-on-environ-validation`.

Bad:   a Service called vllm, and pods without enableServiceLinks: false
Good:  enableServiceLinks: false

Source: vllm/envs.py, and "please do not name the service as vllm" in vLLM's documentation of variables
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.pods import pods
from vllm_kustomize.model import Build, Problem, Related, Severity

SEVERITY = Severity.ERROR
HELP = "Set enableServiceLinks: false in the pod's spec; nothing in vLLM needs these variables."

_FATAL = frozenset(
    {
        "vllm",
        "vllm-dp-master",
        "vllm-nixl-side-channel",
        "vllm-p2p-side-channel",
        "vllm-ec-side-channel",
        "vllm-mooncake-bootstrap",
    }
)
"""Services whose NAME_PORT is a variable of vllm/envs.py."""


def check_build(build: Build) -> Iterator[Problem]:
    """Yield vLLM pods with service links beside a Service whose variables begin with VLLM_."""
    services = [
        resource
        for resource in build.resources
        if resource.kind == "Service" and (resource.name == "vllm" or resource.name.startswith("vllm-"))
    ]
    for resource in build.resources:
        for pod in pods(resource):
            if pod.spec.get("enableServiceLinks") is False or not any(pod.servers):
                continue
            for service in services:
                if service.namespace == resource.namespace:
                    variable = f"{service.name.upper().replace('-', '_')}_PORT"
                    what = (
                        "which vLLM reads as its own"
                        if service.name in _FATAL
                        else "which vLLM does not know"
                    )
                    yield Problem(
                        (*pod.spec_path, "enableServiceLinks"),
                        f"the Service '{service.name}' sets {variable} in this pod, {what}",
                        resource=resource,
                        related=(Related(("metadata", "name"), "the Service is named here", service),),
                    )
