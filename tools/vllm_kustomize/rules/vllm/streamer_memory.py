"""Run:ai's streamer may hold more of the weights than the memory limit lets it.

The streamer reads tensors into a buffer of main memory before they go to the GPU: up to 40 GB unless
RUNAI_STREAMER_MEMORY_LIMIT or memory_limit of --model-loader-extra-config says less, and -1 means all. What
is in the buffer cannot give way as a page cache would: the kernel ends the server while it loads.

Bad:   --load-format=runai_streamer, with limits.memory: 20Gi alone
Good:  RUNAI_STREAMER_MEMORY_LIMIT: "5368709120" beside it

Source: file_streamer/requests_iterator.py of runai-model-streamer 0.15.7, runai_streamer_loader.py of vLLM
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import mapping
from vllm_kustomize.model import Problem, Related, Severity
from vllm_kustomize.vllm.server import Server
from vllm_kustomize.vllm.sizing.memory import weight_bytes

SEVERITY = Severity.WARNING
HELP = "Set RUNAI_STREAMER_MEMORY_LIMIT, in bytes, well below limits.memory."

_DEFAULT = 40_000_000_000
"""DEFAULT_MEMORY_LIMIT_STRING of the streamer."""

_VARIABLE = "RUNAI_STREAMER_MEMORY_LIMIT"


def check_server(server: Server) -> Iterator[Problem]:
    """Yield servers whose streamer may fill the memory limit."""
    limit, buffer = server.memory_limit, _buffer(server)
    if not str(server.value("load_format")).startswith("runai_streamer") or limit is None or buffer is None:
        return
    if server.architecture is not None:
        buffer = min(buffer, weight_bytes(server.architecture))
    if buffer < limit.value:
        return
    yield Problem(
        server.env[_VARIABLE].path if _VARIABLE in server.env else server.place("load_format"),
        f"the streamer of {server} may hold {buffer / 1e9:.0f} GB of weights, "
        f"with a memory limit of {limit.shown}",
        related=(Related(limit.path, "the limit is set here"),),
    )


def _buffer(server: Server) -> float | None:
    """Bytes that the streamer may hold, or None where only the cluster knows."""
    extra = server.value("model_loader_extra_config")
    written = mapping(extra).get("memory_limit", _DEFAULT)
    if _VARIABLE in server.env and "memory_limit" not in mapping(extra):
        written = server.env[_VARIABLE].value
    text = str(written).strip()
    if text == "-1":
        return float("inf") if server.architecture is not None else None
    return float(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
