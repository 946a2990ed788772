"""--max-model-len is longer than the context that the model was made for.

vLLM derives the model's context from its config.json and stops when asked for more: "User-specified
max_model_len is greater than the derived max_model_len". VLLM_ALLOW_LONG_MAX_MODEL_LEN or other RoPE
settings allow it.

Bad:   mistralai/Mistral-7B-Instruct-v0.3 with --max-model-len=65536
Good:  mistralai/Mistral-7B-Instruct-v0.3 with --max-model-len=32768

Source: vllm/config/model.py
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.model import Outcome, Problem, Severity
from vllm_kustomize.vllm import missing
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.ERROR
HELP = "Lower --max-model-len, or extend the context with --hf-overrides as the model's card says."

_EXTENDS = frozenset({"hf_overrides", "rope_scaling", "rope_theta"})
"""Options that change the context that vLLM derives; the latter two of releases before 0.14."""


def check_server(server: Server) -> Iterator[Outcome]:
    """Yield contexts beyond that of a known model."""
    if _EXTENDS & set(server.options) or "VLLM_ALLOW_LONG_MAX_MODEL_LEN" in server.env:
        return
    model = server.architecture
    if model is None:
        if "max_model_len" in server.options:
            yield missing.model(server)
        return
    if server.count("max_model_len", 0) > model.max_model_len:
        yield Problem(
            server.place("max_model_len"),
            f"{server.shown('max_model_len')}, but {server.model} has a context of {model.max_model_len} "
            f"tokens ({server.vllm})",
            related=(server.related_model("the model is set here"),),
        )
