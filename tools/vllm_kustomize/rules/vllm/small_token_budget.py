"""A step takes fewer tokens than it must.

--max-num-batched-tokens below --max-num-seqs leaves some of the sequences without a token, and without
chunked prefill a prompt has to fit into one step: vLLM stops on either.

Bad:   --max-num-batched-tokens=1024 --max-num-seqs=2048
Good:  --max-num-batched-tokens=2048 --max-num-seqs=2048

Source: vllm/config/scheduler.py
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.model import Problem, Severity
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.ERROR
HELP = "Raise --max-num-batched-tokens."


def check_server(server: Server) -> Iterator[Problem]:
    """Yield step sizes below the number of sequences, or below a context that cannot be cut."""
    if "max_num_batched_tokens" not in server.options or server.unknown("max_num_batched_tokens"):
        return
    tokens, shown = server.count("max_num_batched_tokens", 0), server.shown("max_num_batched_tokens")
    place = server.place("max_num_batched_tokens")
    sequences = server.options.get("max_num_seqs")
    if sequences is not None and tokens < server.count("max_num_seqs", 0):
        yield Problem(
            place,
            f"{shown} is below {sequences.shown} ({server.vllm})",
            related=(sequences.related("the sequences are set here"),),
        )
    whole = server.options.get("enable_chunked_prefill")
    context = server.count("max_model_len", 0) or (
        server.architecture.max_model_len if server.architecture else 0
    )
    if whole is not None and whole.value is False and 0 < tokens < context:
        yield Problem(
            place,
            f"{shown} is below the context of {context} tokens, and {whole.shown} forbids to cut prompts "
            f"({server.vllm})",
            related=(whole.related("chunked prefill is switched off here"),),
        )
