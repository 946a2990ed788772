"""A container keeps capabilities, or adds some.

A container starts with fourteen of them, of which a server needs none: it binds port 8000 and writes its
caches.

Bad:   capabilities: {add: [SYS_PTRACE]}
Good:  capabilities: {drop: [ALL]}

Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import mapping, strings
from vllm_kustomize.kubernetes.pods import pods
from vllm_kustomize.model import Problem, Resource, Severity

SEVERITY = Severity.WARNING
HELP = "Set securityContext.capabilities.drop: [ALL], and add back only what the device needs."

_HARMLESS = frozenset({"NET_BIND_SERVICE"})


def check(resource: Resource) -> Iterator[Problem]:
    """Yield containers that keep the default capabilities, and each one that is added."""
    for pod in pods(resource):
        for container in pod.all_containers:
            path = (*container.path, "securityContext", "capabilities")
            capabilities = mapping(mapping(container.spec.get("securityContext")).get("capabilities"))
            if "ALL" not in map(str.upper, strings(capabilities.get("drop"))):
                yield Problem((*path, "drop"), f"{container} keeps the default capabilities")
            for index, name in enumerate(strings(capabilities.get("add"))):
                if name.removeprefix("CAP_") not in _HARMLESS:
                    yield Problem((*path, "add", index), f"{container} adds the capability {name}")
