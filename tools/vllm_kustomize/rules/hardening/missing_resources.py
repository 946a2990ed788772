"""A container does not ask for CPU and memory, or has no memory limit.

Without requests the scheduler puts the pod on a node that may have nothing left; without a memory limit
a model that grows takes the node's other pods down with it. A CPU limit is not asked for: it only
throttles.

Bad:   resources: {limits: {nvidia.com/gpu: "1"}}
Good:  resources: {requests: {cpu: "2", memory: 6Gi}, limits: {memory: 20Gi}}
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import mapping
from vllm_kustomize.kubernetes.pods import pods
from vllm_kustomize.model import Problem, Resource, Severity

SEVERITY = Severity.WARNING
HELP = "Set resources.requests.cpu, resources.requests.memory and resources.limits.memory."


def check(resource: Resource) -> Iterator[Problem]:
    """Yield the containers that lack a request or the memory limit; a limit counts as a request."""
    for pod in pods(resource):
        for container in pod.all_containers:
            resources = mapping(container.spec.get("resources"))
            limits, requests = mapping(resources.get("limits")), mapping(resources.get("requests"))
            missing = [
                *(f"request for {name}" for name in ("cpu", "memory") if name not in {*requests, *limits}),
                *(["limit for memory"] if "memory" not in limits else []),
            ]
            if missing:
                path = (*container.path, "resources")
                yield Problem(path, f"{container} has no {' and no '.join(missing)}")
