"""A container may gain more privileges than it started with.

allowPrivilegeEscalation is true unless it is set to false: a setuid program in the image can then become
root.

Bad:   securityContext: {}
Good:  securityContext: {allowPrivilegeEscalation: false}

Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import mapping
from vllm_kustomize.kubernetes.pods import pods
from vllm_kustomize.model import Problem, Resource, Severity

SEVERITY = Severity.WARNING
HELP = "Set securityContext.allowPrivilegeEscalation: false on the container."


def check(resource: Resource) -> Iterator[Problem]:
    """Yield containers that do not rule privilege escalation out."""
    for pod in pods(resource):
        for container in pod.all_containers:
            context = mapping(container.spec.get("securityContext"))
            if context.get("allowPrivilegeEscalation") is not False and context.get("privileged") is not True:
                path = (*container.path, "securityContext", "allowPrivilegeEscalation")
                yield Problem(path, f"{container} may escalate its privileges")
