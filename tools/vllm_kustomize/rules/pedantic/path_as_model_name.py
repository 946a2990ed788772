"""A model from a path has no name that clients can use.

Without --served-model-name clients must send the path in the container as the model's name, and moving the
files breaks them all.

Bad:   args: [/models/llama-3.1-8b]
Good:  args: [/models/llama-3.1-8b, --served-model-name=llama-3.1-8b]

Source: OpenAIServingModels in vllm/entrypoints/openai
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.model import Problem, Severity
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.INFO
HELP = "Add --served-model-name with the name that clients should use."


def check_server(server: Server) -> Iterator[Problem]:
    """Yield servers whose model's name is a path or an address."""
    model = server.model or ""
    remote = "://" in model
    if server.headless or "served_model_name" in server.options:
        return
    if model.startswith(("/", "./")) or remote:
        kind = "address" if remote else "path"
        message = f"clients have to call the model of {server} by its {kind}, {model}"
        yield Problem(server.model_path, f"{message}: there is no --served-model-name ({server.vllm})")
