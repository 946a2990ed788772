"""The arguments of the server repeat its entrypoint, or name no model.

The images start `vllm serve` themselves. Words that repeat it are taken for the model and for a stray
argument, and without a model vLLM downloads and serves Qwen/Qwen3-0.6B, which nobody asked for.

Bad:   args: [vllm, serve, model] without a command
Good:  args: [model], or command: [vllm, serve] with args: [model]

Source: ENTRYPOINT in docker/Dockerfile, ModelConfig.model in vllm/config/model.py
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.model import Problem, Severity
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.ERROR
HELP = "Leave `vllm serve` out of args, and put the model first."


def check_server(server: Server) -> Iterator[Problem]:
    """Yield words that the image's entrypoint already says, and servers without a model."""
    repeated = server.line.entrypoint
    if repeated:
        words = " ".join(word.text for word in repeated)
        message = f"the image's entrypoint already says `{words}`: the server takes it for its model"
        yield Problem(repeated[0].path, message)
    named = {"model", "model_tag"} & set(server.parsed.given)
    if not named and server.parsed.accepted and not server.pod.partial:
        default = server.parsed.values.get("model")
        message = f"{server} names no model: vLLM {server.release} will serve {default}"
        yield Problem(server.place(), message, severity=Severity.WARNING)
