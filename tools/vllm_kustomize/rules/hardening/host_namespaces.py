"""A pod shares the host's network, process or IPC namespace.

Such a pod sees the node's traffic, processes or shared memory, escapes network policies, and its ports
collide with the node's. Upstream's AMD example asks for two of them; one GPU works without.

Bad:   hostNetwork: true
Good:  a Memory emptyDir at /dev/shm, and a Service
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.pods import pods
from vllm_kustomize.model import Problem, Resource, Severity

SEVERITY = Severity.WARNING
HELP = "Remove the field unless the device needs it."

_SHARED = {"hostNetwork": "network", "hostPID": "process", "hostIPC": "IPC"}


def check(resource: Resource) -> Iterator[Problem]:
    """Yield each namespace of the host that a pod uses."""
    for pod in pods(resource):
        for key, what in _SHARED.items():
            if pod.spec.get(key) is True:
                yield Problem((*pod.spec_path, key), f"the pod runs in the host's {what} namespace")
