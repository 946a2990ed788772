"""The GPU does not compute in the type that is asked for.

GPUs before Ampere (compute capability 8.0), such as T4 and V100, have no bfloat16: vLLM stops with "Bfloat16
is only supported on GPUs with compute capability of at least 8.0".

Bad:   --dtype=bfloat16, with nodeSelector: {nvidia.com/gpu.product: Tesla-T4}
Good:  --dtype=half

Source: check_if_supports_dtype in vllm/platforms/cuda.py
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.model import Outcome, Problem, Severity
from vllm_kustomize.vllm import missing
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.ERROR
HELP = "Use --dtype=half, or leave it out: vLLM then takes what the GPU has."

_WITHOUT_BFLOAT16 = ("Tesla-T4", "Tesla-V100")


def check_server(server: Server) -> Iterator[Outcome]:
    """Yield bfloat16 on GPUs that do not have it."""
    if server.value("dtype") != "bfloat16" or server.accelerator != "cuda":
        return
    if server.gpu is None:
        yield missing.gpu(server)
        return
    if server.gpu.product.startswith(_WITHOUT_BFLOAT16):
        yield Problem(
            server.place("dtype"),
            f"{server.shown('dtype')}, but {server.gpu.product} has no bfloat16; right is --dtype=half "
            f"({server.vllm})",
        )
