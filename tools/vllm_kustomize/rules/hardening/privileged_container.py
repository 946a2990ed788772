"""A container runs privileged.

A privileged container can do to the node whatever root can. Device plugins hand devices to containers
that are not.

Bad:   securityContext: {privileged: true}
Good:  securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import mapping
from vllm_kustomize.kubernetes.pods import pods
from vllm_kustomize.model import Problem, Resource, Severity

SEVERITY = Severity.WARNING
HELP = "Remove privileged, and ask for the device under resources."


def check(resource: Resource) -> Iterator[Problem]:
    """Yield privileged containers."""
    for pod in pods(resource):
        for container in pod.all_containers:
            if mapping(container.spec.get("securityContext")).get("privileged") is True:
                yield Problem(
                    (*container.path, "securityContext", "privileged"), f"{container} is privileged"
                )
