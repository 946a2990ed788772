"""The shared memory does not fit into the container's memory limit.

What is written to a Memory emptyDir counts against the memory limit of the container that writes it. A
sizeLimit at or above that limit promises space that ends in an OOM kill; without a sizeLimit the pod's memory
limit bounds it, or else the node's memory.

Bad:   sizeLimit: 32Gi, with limits.memory: 20Gi
Good:  sizeLimit: 2Gi, with limits.memory: 20Gi

Source: https://kubernetes.io/docs/concepts/storage/volumes/#emptydir
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes import quantity
from vllm_kustomize.kubernetes.fields import get, mapping
from vllm_kustomize.kubernetes.pods import pods
from vllm_kustomize.model import Problem, Related, Resource, Severity

SEVERITY = Severity.WARNING
HELP = "Lower sizeLimit or raise limits.memory: both are filled from the same memory."


def check(resource: Resource) -> Iterator[Problem]:
    """Yield Memory volumes at /dev/shm as large as the memory limit, or of no stated size."""
    for pod in pods(resource):
        for container in pod.containers:
            path, volume = pod.mounted(container, "/dev/shm") or ((), {})
            empty_dir = mapping(volume.get("emptyDir"))
            if empty_dir.get("medium") != "Memory":
                continue
            size, limit = empty_dir.get("sizeLimit"), get(container.spec, ("resources", "limits", "memory"))
            if size is None:
                message = f"the memory volume at /dev/shm of {container} has no sizeLimit"
                yield Problem((*path, "emptyDir"), message, severity=Severity.INFO)
                continue
            size_bytes, limit_bytes = quantity.of(size), quantity.of(limit)
            if limit is not None and size_bytes and limit_bytes and size_bytes >= limit_bytes:
                yield Problem(
                    (*path, "emptyDir", "sizeLimit"),
                    f"{size} at /dev/shm of {container} does not fit its memory limit of {limit}",
                    related=(
                        Related((*container.path, "resources", "limits", "memory"), "the limit is set here"),
                    ),
                )
