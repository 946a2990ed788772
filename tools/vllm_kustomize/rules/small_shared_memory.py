"""The shared memory of a vLLM server is large enough for its ring buffers.

The executor's message queue takes 160 MiB of /dev/shm and every rank's another 240 MiB, so that less
than 400 MiB stops the server when it starts. NCCL needs more between GPUs.

Bad:   sizeLimit: 256Mi
Good:  sizeLimit: 2Gi

Source: vllm/v1/executor/multiproc_executor.py, vllm/distributed/device_communicators/shm_broadcast.py
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.apiserver import quantity
from vllm_kustomize.model import Problem, Resource, Severity
from vllm_kustomize.workload import mapping, pods

SEVERITY = Severity.ERROR
HELP = "Raise sizeLimit; vLLM's documentation asks for 4Gi on CPUs and 2Gi and more on GPUs."

MINIMUM = 400 * 2**20
"""Bytes: 160 MiB for the executor and 240 MiB for one rank."""


def check(resource: Resource) -> Iterator[Problem]:
    """Yield the memory volumes at /dev/shm that are too small for one rank."""
    for pod in pods(resource):
        for container in pod.servers:
            path, volume = pod.mounted(container, "/dev/shm") or ((), {})
            limit = mapping(volume.get("emptyDir")).get("sizeLimit")
            size = quantity.of(limit)
            if limit is not None and size is not None and size < MINIMUM:
                yield Problem(
                    (*path, "emptyDir", "sizeLimit"),
                    f"{limit} at /dev/shm is too little for {container}: one rank needs 400Mi",
                )
