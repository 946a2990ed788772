"""The shared memory is too small for the KV cache that is offloaded to main memory.

vLLM makes the offloaded cache one file in /dev/shm, filled from the start: from 0.27 on with CUDA, from 0.32
on with XPU, in 0.27 to 0.30 with ROCm, and always in several tiers. The ranks' queues need room beside it. It
stops with "Insufficient space in /dev/shm for CPU KV offload shared region".

Bad:   --kv-offloading-size=8, with sizeLimit: 2Gi
Good:  --kv-offloading-size=8, with sizeLimit: 12Gi

Source: vllm/v1/kv_offload/cpu/{spec,shared_offload_region}.py of the releases; run: 8 GiB in 2 and in 9 GiB
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes import quantity
from vllm_kustomize.kubernetes.fields import mapping
from vllm_kustomize.model import Outcome, Problem, Related, Severity
from vllm_kustomize.vllm import missing
from vllm_kustomize.vllm.offloading import CHECKED_SINCE, region
from vllm_kustomize.vllm.server import LAYOUT, Server
from vllm_kustomize.vllm.sizing.memory import MIB, shm_bytes

SEVERITY = Severity.ERROR
HELP = (
    "Raise sizeLimit of the emptyDir at /dev/shm, and limits.memory with it: both hold the offloaded cache."
)

_WHOLE_BLOCKS = 0.9
"""The file holds whole blocks, so that it may be a little smaller than what is asked for."""


def check_server(server: Server) -> Iterator[Outcome]:
    """Yield volumes at /dev/shm that cannot hold the offloaded cache and what the ranks need beside it."""
    offloaded = region(server)
    path, volume = server.pod.mounted(server.container, "/dev/shm") or ((), {})
    written = mapping(volume.get("emptyDir")).get("sizeLimit")
    size = quantity.of(written) if written is not None else None
    if offloaded is None or size is None:
        return
    if server.unknown(*LAYOUT):
        yield missing.value(server, *LAYOUT)
        return
    queues = shm_bytes(server.local_ranks, server.local_engines) if server.ranks_through_shared_memory else 0
    if size >= offloaded.size + queues:
        return
    certain = size < offloaded.size * _WHOLE_BLOCKS and server.version >= CHECKED_SINCE
    beside = f" and the queues of its ranks another {queues // MIB}Mi" if queues else ""
    yield Problem(
        (*path, "emptyDir", "sizeLimit"),
        f"{written} at /dev/shm is too little for {server}: {offloaded.shown} takes {offloaded.size // MIB}Mi"
        f"{beside} ({server.vllm})",
        severity=None if certain else Severity.WARNING,
        related=(Related(offloaded.path, "the offloaded cache is set here"),),
    )
