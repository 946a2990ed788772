"""The configuration file of the server is joined to its option by `=`, which the server does not read.

vLLM looks for `--config` among its arguments, so `--config=FILE` is passed over in silence: the server
starts with none of the file's options, and without a model on the command line it serves Qwen/Qwen3-0.6B.

Bad:   args: [--config=/etc/vllm/config.yaml]
Good:  args: [--config, /etc/vllm/config.yaml]

Source: parse_args in vllm/utils/argparse_utils.py
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.model import Outcome, Severity
from vllm_kustomize.vllm.cli.remarks import problems
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.ERROR
HELP = "Write --config and the file as two arguments."


def check_server(server: Server) -> Iterator[Outcome]:
    """Yield `--config=FILE`."""
    yield from problems(server, "config-equals")
