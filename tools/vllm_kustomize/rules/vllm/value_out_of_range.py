"""A number on the command line is one that the engine does not take.

vLLM's parser lets every number pass; the engine's configuration then stops at sizes below 1, a memory share
beyond 1, or a port that does not exist.

Bad:   --gpu-memory-utilization=90
Good:  --gpu-memory-utilization=0.9

Source: the Field bounds in vllm/config/cache.py, parallel.py, scheduler.py, model.py and vllm.py
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.model import Problem, Severity
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.ERROR
HELP = "Give a number within the bounds."

_INFINITE = float("inf")
_LEAST: dict[str, float] = {
    "tensor_parallel_size": 1,
    "pipeline_parallel_size": 1,
    "prefill_context_parallel_size": 1,
    "decode_context_parallel_size": 1,
    "data_parallel_size": 1,
    "data_parallel_size_local": 0,
    "data_parallel_rank": 0,
    "nnodes": 1,
    "node_rank": 0,
    "max_num_seqs": 1,
    "max_num_batched_tokens": 1,
    "max_model_len": -1,
    "block_size": 1,
    "cpu_offload_gb": 0,
    "shutdown_timeout": 0,
}
# 0 is a port that the system chooses
_PORTS = ("port", "master_port", "data_parallel_rpc_port", "data_parallel_supervisor_port")
_BOUNDS = {option: (least, _INFINITE) for option, least in _LEAST.items()} | dict.fromkeys(_PORTS, (0, 65535))


def check_server(server: Server) -> Iterator[Problem]:
    """Yield numbers outside what the engine's configuration takes."""
    for option, (least, most) in _BOUNDS.items():
        value = server.options[option].value if option in server.options else None
        if isinstance(value, int | float) and not least <= value <= most:
            right = f"at least {least}" if most == _INFINITE else f"{least} to {most}"
            yield Problem(server.place(option), f"{server.shown(option)}: right is {right} ({server.vllm})")
    share = server.options.get("gpu_memory_utilization")
    if share is not None and isinstance(share.value, int | float) and not 0 < share.value <= 1:
        yield Problem(share.path, f"{share.shown}: right is a share above 0 and up to 1 ({server.vllm})")
