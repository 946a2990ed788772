"""Automatic tool choice is on without a parser.

`--enable-auto-tool-choice` alone ends with "--enable-auto-tool-choice requires --tool-call-parser".

Bad:   args: [model, --enable-auto-tool-choice]
Good:  args: [model, --enable-auto-tool-choice, --tool-call-parser=hermes]

Source: validate_parsed_serve_args in vllm/entrypoints/openai/cli_args.py of 0.6.4 to 0.20 and
vllm/entrypoints/common/cli_args.py of 0.33
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.model import Problem, Severity
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.ERROR
HELP = "Name the parser for the model's tool calls with --tool-call-parser."


def check_server(server: Server) -> Iterator[Problem]:
    """Yield servers that are to choose tools without a parser."""
    parser = "tool_call_parser"
    if (
        server.switched_on("enable_auto_tool_choice")
        and not server.value(parser)
        and not server.unknown(parser)
    ):
        yield Problem(
            server.place("enable_auto_tool_choice"),
            f"--enable-auto-tool-choice requires --tool-call-parser ({server.vllm})",
            severity=None if server.exact else Severity.WARNING,
        )
