"""Code from a model's repository runs where the model does not need it.

--trust-remote-code runs Python files that the repository's owner can change at any time, with the token and
the network of the pod. Llama, Mistral, Qwen, Gemma and most others are built into vLLM and need none.

Bad:   mistralai/Mistral-7B-Instruct-v0.3 with --trust-remote-code
Good:  mistralai/Mistral-7B-Instruct-v0.3

Source: docs/usage/security.md of vLLM
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.model import Problem, Severity
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.INFO
HELP = "Remove the option, or pin the code with --code-revision."


def check_server(server: Server) -> Iterator[Problem]:
    """Yield servers that trust a model's code; a warning where it is whatever the Hub has that day."""
    if not server.switched_on("trust_remote_code") or "code_revision" in server.options:
        return
    needless = server.architecture is not None
    unpinned = server.downloads and not needless
    why = "is built into vLLM and needs no code of its own" if needless else "may bring code of its own"
    message = f"--trust-remote-code: {server.model or 'the model'} {why} ({server.vllm})"
    yield Problem(server.place("trust_remote_code"), message, severity=Severity.WARNING if unpinned else None)
