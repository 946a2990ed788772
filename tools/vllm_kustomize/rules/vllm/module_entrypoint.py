"""The server starts as a module, which is deprecated, or with a model that the module ignores.

`python -m vllm.entrypoints.openai.api_server` is deprecated since 0.29. It takes a positional model as well
since 0.10.0, ignores it, and serves --model's default, Qwen/Qwen3-0.6B in 0.10.2.

Bad:   command: [python3, -m, vllm.entrypoints.openai.api_server], args: [Qwen/Qwen3-8B]
Good:  command: [vllm, serve], args: [Qwen/Qwen3-8B]

Source: vllm/entrypoints/openai/api_server.py (its end), ServeSubcommand.cmd in vllm/entrypoints/cli/serve.py,
which alone copies model_tag to model
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import strings
from vllm_kustomize.model import Outcome, Problem, Severity
from vllm_kustomize.vllm import missing
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.WARNING
HELP = "Start `vllm serve MODEL`."

_DEPRECATED_SINCE = (0, 29)


def check_server(server: Server) -> Iterator[Outcome]:
    """Yield servers that are started as a module."""
    if server.line.serve:
        return
    tag, model = server.options.get("model_tag"), server.options.get("model")
    if tag is not None and model is None:
        message = f"the module ignores the model {tag.value}, and serves its default; only --model counts"
        severity = Severity.ERROR if server.exact else Severity.WARNING
        yield Problem(tag.path, message, severity=severity)
    if server.assumed:
        yield missing.release(server)
    elif server.version >= _DEPRECATED_SINCE and strings(server.container.spec.get("command")):
        message = f"{server} starts the API server's module, which is deprecated ({server.vllm})"
        yield Problem((*server.container.path, "command"), message)
