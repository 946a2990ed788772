"""A vLLM server has shared memory of its own: a Memory emptyDir at /dev/shm.

vLLM's processes exchange data through /dev/shm, of which a container gets 64 MiB. Even one CPU rank
needs 400 MiB and dies at the start with "Insufficient space in /dev/shm"; NCCL fails between GPUs.

Bad:   no volume at /dev/shm
Good:  volumes: [{name: shm, emptyDir: {medium: Memory, sizeLimit: 2Gi}}], mounted at /dev/shm

Source: vllm/distributed/device_communicators/shm_broadcast.py
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import mapping
from vllm_kustomize.kubernetes.pods import pods
from vllm_kustomize.model import Problem, Resource, Severity

SEVERITY = Severity.ERROR
HELP = "Mount an emptyDir with medium: Memory and a sizeLimit at /dev/shm."


def check(resource: Resource) -> Iterator[Problem]:
    """Yield the vLLM containers whose /dev/shm is the default one, or one on disk."""
    for pod in pods(resource):
        for container in pod.servers:
            mounted = pod.mounted(container, "/dev/shm")
            if mounted is None:
                if pod.spec.get("hostIPC") is not True:
                    path = (*container.path, "volumeMounts")
                    yield Problem(path, f"{container} mounts nothing at /dev/shm and gets 64 MiB of it")
                continue
            path, volume = mounted
            empty_dir = volume.get("emptyDir")
            if isinstance(empty_dir, dict) and empty_dir.get("medium") != "Memory":
                message = f"the volume at /dev/shm of {container} is on disk: medium is not Memory"
                yield Problem((*path, "emptyDir"), message)
            elif mapping(volume.get("persistentVolumeClaim")):
                yield Problem(path, f"the volume at /dev/shm of {container} is a claim, not memory")
