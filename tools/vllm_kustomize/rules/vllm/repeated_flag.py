"""An option of the server is given twice.

vLLM takes the last one and says nothing at the usual log level. A patch that adds an argument to a base
that already has it changes nothing, or changes more than it shows.

Bad:   args: [model, --max-model-len=8192, --max-model-len=4096]
Good:  args: [model, --max-model-len=4096]

Source: parse_args in vllm/utils/argparse_utils.py
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.model import Outcome, Severity
from vllm_kustomize.vllm.cli.remarks import problems
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.WARNING
HELP = "Keep the one that you want: the last one wins."


def check_server(server: Server) -> Iterator[Outcome]:
    """Yield options that stand twice on the command line."""
    yield from problems(server, "repeated")
