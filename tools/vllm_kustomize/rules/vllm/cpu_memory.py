"""A CPU server's memory limit is too small for its weights, its KV cache and its runtime.

On CPUs weights and KV cache are ordinary memory, and count against the container's limit. Without a limit
vLLM takes most of the node's memory for the KV cache; with one that is too small the kernel kills the server
while it loads. VLLM_CPU_KVCACHE_SPACE is a whole number of GiB: anything else stops the server.

Bad:   VLLM_CPU_KVCACHE_SPACE: "4" and 2.3 GiB of weights, with limits: {memory: 6Gi}
Good:  VLLM_CPU_KVCACHE_SPACE: "4" and 2.3 GiB of weights, with limits: {memory: 12Gi}

Source: vllm/platforms/cpu.py, vllm/v1/worker/cpu_worker.py
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.model import Outcome, Problem, Related, Severity
from vllm_kustomize.vllm import missing
from vllm_kustomize.vllm.server import LAYOUT, Server
from vllm_kustomize.vllm.setting import Setting
from vllm_kustomize.vllm.sizing.memory import DTYPE_BYTES, GIB, Parallelism, weight_bytes

SEVERITY = Severity.ERROR
HELP = "Raise limits.memory above weights + KV cache + 1 GiB, or lower VLLM_CPU_KVCACHE_SPACE."

_RUNTIME = GIB
"""Python, PyTorch and their libraries; a two-layer model took about as much."""


def check_server(server: Server) -> Iterator[Outcome]:
    """Yield CPU servers without a limit, with one that is too small, or with an unreadable cache space."""
    if server.accelerator != "cpu":
        return
    limit = server.memory_limit
    space = server.env.get("VLLM_CPU_KVCACHE_SPACE")
    sized = space is not None or "kv_cache_memory_bytes" in server.options
    if limit is None and not sized and not server.pod.partial:
        message = f"{server} has no memory limit: {server.vllm} takes the node's memory for its KV cache"
        yield Problem((*server.container.path, "resources"), message, severity=Severity.WARNING)
    if space is not None and space.value is not None and server.cpu_cache_space is None:
        message = f"{space.shown} is not a whole number of GiB: {server.vllm} stops"
        yield Problem(space.path, message, help='Write the number of GiB without a unit: "4".')
        return
    if limit is None:
        return
    if server.unknown(*LAYOUT):
        yield missing.value(server, *LAYOUT)
        return
    if server.architecture is None:
        yield missing.model(server)
    yield from _check_limit(server, limit, space)


def _check_limit(server: Server, limit: Setting, space: Setting | None) -> Iterator[Problem]:
    ranks = server.local_ranks * server.local_engines
    weights = _weights(server) * server.local_engines
    cache, shown = 0, ""
    related: tuple[Related, ...] = ()
    if space is not None and server.cpu_cache_space is not None:
        cache, shown = server.cpu_cache_space, space.shown
        related = (space.related("the KV cache is set here"),)
    elif "kv_cache_memory_bytes" in server.options:
        setting = server.options["kv_cache_memory_bytes"]
        cache, shown = server.count("kv_cache_memory_bytes", 0), setting.shown
        related = (setting.related("the KV cache is set here"),)
    needed = weights + cache * ranks + _RUNTIME
    if needed > limit.value:
        parts = [f"{weights / GIB:.1f} GiB of weights"] if weights else []
        if cache:
            times = f" x {ranks} ranks" if ranks > 1 else ""
            parts.append(f"{cache / GIB:.0f} GiB of KV cache{times} ({shown})")
        parts.append("1 GiB of runtime")
        yield Problem(
            limit.path,
            f"{limit.shown} of memory is too little for {server}: it needs {' + '.join(parts)}, "
            f"{needed / GIB:.1f} GiB in all",
            severity=None if weights > limit.value else Severity.WARNING,
            related=related,
        )


def _weights(server: Server) -> int:
    """Bytes of all ranks of one engine; 0 for a model that is not known."""
    if server.architecture is None:
        return 0
    dtype = server.value("dtype")
    return weight_bytes(
        server.architecture, Parallelism(), DTYPE_BYTES.get(dtype) if isinstance(dtype, str) else None
    )
