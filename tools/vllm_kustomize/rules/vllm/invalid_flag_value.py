"""An option of the server has a value that its vLLM release refuses.

vLLM reads its whole command line before it does anything else, and stops on the first value that is missing,
of the wrong type, not among the choices, or JSON with an unknown key.

Bad:   --max-model-len=32kb
Good:  --max-model-len=32k

Source: vllm/engine/arg_utils.py and the configuration classes in vllm/config/
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.model import Outcome, Severity
from vllm_kustomize.vllm.cli.remarks import problems
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.ERROR
HELP = "See what an option takes with `vllm-kustomize flags NAME`."


def check_server(server: Server) -> Iterator[Outcome]:
    """Yield values that the release refuses, and those that are missing or too many."""
    yield from problems(server, "value", "missing", "unexpected", "extra", "config")
