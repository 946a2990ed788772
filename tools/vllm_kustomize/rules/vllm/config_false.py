"""An option is set to `false` in the configuration file of `vllm serve`, which does not switch it off.

vLLM drops such a line without a word: it looks for the negated option in the parser of the `vllm` command,
which has none of the server's options. What is on by default stays on.

Bad:   enable-chunked-prefill: false
Good:  no-enable-chunked-prefill: true

Source: load_config_file in vllm/utils/argparse_utils.py
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.model import Outcome, Severity
from vllm_kustomize.vllm.cli.remarks import problems
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.ERROR
HELP = "Write `no-OPTION: true`, or give the negated option on the command line."


def check_server(server: Server) -> Iterator[Outcome]:
    """Yield the lines of the configuration file that are dropped."""
    yield from problems(server, "config-false")
