"""The shared memory is too small for all ranks of the server.

Each engine's message queue takes up to 160 MiB of /dev/shm and each of its ranks another 240 MiB, before
NCCL: eight ranks need more than 2Gi. An engine that finds too little stops with "Insufficient space in
/dev/shm"; what is promised but not there ends in a bus error.

Bad:   --tensor-parallel-size=8, with sizeLimit: 2Gi
Good:  --tensor-parallel-size=8, with sizeLimit: 8Gi

Source: vllm/v1/executor/multiproc_executor.py, vllm/distributed/device_communicators/shm_broadcast.py
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes import quantity
from vllm_kustomize.kubernetes.fields import mapping
from vllm_kustomize.model import Outcome, Problem, Severity
from vllm_kustomize.vllm import missing
from vllm_kustomize.vllm.server import LAYOUT, Server
from vllm_kustomize.vllm.sizing.memory import MIB, SHM_CHECKED_SINCE, shm_bytes

SEVERITY = Severity.ERROR
HELP = "Raise sizeLimit of the emptyDir at /dev/shm; `vllm-kustomize size` says what to ask for."

_LARGEST_SEGMENT = 240 * MIB
"""vLLM checks the free space for one segment at a time: below this it stops for certain."""


def check_server(server: Server) -> Iterator[Outcome]:
    """Yield volumes at /dev/shm that are too small for the ranks that talk through them."""
    path, volume = server.pod.mounted(server.container, "/dev/shm") or ((), {})
    written = mapping(volume.get("emptyDir")).get("sizeLimit")
    size = quantity.of(written) if written is not None else None
    if size is None:
        return
    if server.unknown(*LAYOUT):
        yield missing.value(server, *LAYOUT)
        return
    needed = shm_bytes(server.local_ranks, server.local_engines)
    if not server.ranks_through_shared_memory or size >= needed:
        return
    checked = server.version >= SHM_CHECKED_SINCE
    ranks = server.local_ranks * server.local_engines
    many = "one rank needs" if ranks == 1 else f"{ranks} ranks need"
    yield Problem(
        (*path, "emptyDir", "sizeLimit"),
        f"{written} at /dev/shm is too little for {server}: {many} {needed // MIB}Mi ({server.vllm})",
        severity=None if checked and (size < _LARGEST_SEGMENT or ranks == 1) else Severity.WARNING,
        related=(server.related_layout("the ranks are set here"),) if ranks > 1 else (),
    )
