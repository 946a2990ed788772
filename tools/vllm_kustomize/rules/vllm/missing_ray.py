"""Ray is used with an image that does not have it.

Since 0.16 Ray is an optional dependency that vLLM's own images do not install, and
--distributed-executor-backend=ray ends with an import error there. Several nodes work without it, with
--nnodes.

Bad:   image: vllm/vllm-openai:v0.33.0, with --distributed-executor-backend=ray
Good:  image: vllm/vllm-openai:v0.33.0, with --nnodes=2 --node-rank=... --master-addr=...

Source: docs/serving/parallelism_scaling.md and requirements/cuda.txt of vLLM
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.model import Outcome, Problem, Severity
from vllm_kustomize.vllm import missing
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.WARNING
HELP = "Use --nnodes with --master-addr, or build an image with `pip install ray`."


def check_server(server: Server) -> Iterator[Outcome]:
    """Yield servers that ask for Ray in an image of vLLM's own."""
    if server.image is None or server.version < (0, 16):
        return
    if server.assumed:
        yield missing.release(server)
        return
    for option in ("distributed_executor_backend", "data_parallel_backend"):
        if option in server.options and server.value(option) == "ray":
            message = f"{server.shown(option)}, but image {server.container.image} has no Ray ({server.vllm})"
            yield Problem(server.place(option), message)
