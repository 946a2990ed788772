"""A vLLM server has too little shared memory: nothing is mounted at /dev/shm.

A container gets 64 MiB of /dev/shm. That is enough for one GPU rank, which uses 12 KiB. The CPU build needs
400 MiB for every rank, several ranks of one container as much each, and NCCL more; --kv-offloading-size is
taken from there whole on NVIDIA and Intel GPUs. vLLM stops with "Insufficient space in /dev/shm".

Bad:   --tensor-parallel-size=2, and no volume at /dev/shm
Good:  volumes: [{name: shm, emptyDir: {medium: Memory, sizeLimit: 2Gi}}], mounted at /dev/shm

Source: vllm/distributed/device_communicators/shm_broadcast.py, vllm/v1/kv_offload; run on an H100 and on CPUs
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import mapping
from vllm_kustomize.model import Outcome, Problem, Severity
from vllm_kustomize.vllm import missing
from vllm_kustomize.vllm.offloading import region
from vllm_kustomize.vllm.server import LAYOUT, Server
from vllm_kustomize.vllm.sizing.memory import SHM_CHECKED_SINCE

SEVERITY = Severity.ERROR
HELP = "Mount an emptyDir with medium: Memory and a sizeLimit at /dev/shm."


def check_server(server: Server) -> Iterator[Outcome]:
    """Yield servers whose processes need more than the default /dev/shm, or that have it on disk."""
    if not server.parsed.accepted:
        return
    if server.unknown(*LAYOUT):
        yield missing.value(server, *LAYOUT)
        return
    mounted = server.pod.mounted(server.container, "/dev/shm")
    if mounted is None:
        needs = _needs(server)
        if needs and server.pod.spec.get("hostIPC") is not True and not server.pod.may_have("sharedMemory"):
            message = f"{server} mounts nothing at /dev/shm and gets 64 MiB of it, but {needs}"
            certain = server.version >= SHM_CHECKED_SINCE and not server.assumed
            severity = Severity.ERROR if certain else Severity.WARNING
            path = (*server.container.path, "volumeMounts")
            yield Problem(path, f"{message} ({server.vllm})", severity=severity)
        return
    path, volume = mounted
    empty_dir = volume.get("emptyDir")
    if isinstance(empty_dir, dict) and empty_dir.get("medium") != "Memory" and _needs(server):
        message = f"the volume at /dev/shm of {server} is on disk: medium is not Memory"
        yield Problem((*path, "emptyDir"), message, severity=Severity.WARNING)
    elif mapping(volume.get("persistentVolumeClaim")):
        message = f"the volume at /dev/shm of {server} is a claim, not memory"
        yield Problem(path, message, severity=Severity.WARNING)


def _needs(server: Server) -> str:
    """What needs more than the default, or nothing."""
    offloaded = region(server)
    if offloaded is not None:
        return f"{offloaded.shown} is taken from there"
    if not server.ranks_through_shared_memory:
        return ""
    ranks = server.local_ranks * server.local_engines
    if ranks > 1:
        return f"its {ranks} ranks exchange data through it"
    return "the CPU build needs 400 MiB there" if server.accelerator == "cpu" else ""
