"""Parsers, attention backends and quantization methods are ones that the release has.

The command line takes any name, and the server stops where it looks the name up: `invalid tool call parser`,
`invalid reasoning parser`, `Unknown attention backend`, `Unknown quantization method`. Names come and go with
releases: bitsandbytes left in 0.28. Where a plugin is given it may bring the name.

Bad:   --enable-auto-tool-choice --tool-call-parser=llama3, or --quantization=bitsandbytes with v0.28.0
Good:  --enable-auto-tool-choice --tool-call-parser=llama3_json

Source: validate_api_server_args (vllm/entrypoints/openai/api_server.py of 0.10.2,
vllm/entrypoints/common/cli_args.py of 0.33), AttentionConfig in vllm/config/attention.py,
ModelConfig._verify_quantization in vllm/config/model.py
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.model import Outcome, Problem, Severity
from vllm_kustomize.vllm import missing, names
from vllm_kustomize.vllm.server import Server
from vllm_kustomize.wording import did_you_mean

SEVERITY = Severity.ERROR
HELP = "Use a name that the release has: `vllm-kustomize flags OPTION` lists those of many options."


def check_server(server: Server) -> Iterator[Outcome]:
    """Yield names that are in none of the release's registries."""
    for option, section, known in _registries(server):
        setting = server.options.get(option)
        name = setting.value if setting else None
        if setting is None or not isinstance(name, str) or not known:
            continue
        if name in known:
            if server.assumed:
                yield missing.release(server)
            continue
        last = names.last_with(section, name)
        gone = f"; {last} is the last that has it" if last and not server.assumed else ""
        yield Problem(
            setting.path,
            f"{server.vllm} has no {section.replace('_', ' ').removesuffix('s')} '{name}'"
            f"{gone or did_you_mean(name, known)}",
            severity=None if server.exact else Severity.WARNING,
        )


def _registries(server: Server) -> Iterator[tuple[str, str, frozenset[str]]]:
    """The options that name something that the server will look up, with the names that it has."""
    release = server.known_release
    if server.switched_on("enable_auto_tool_choice") and not server.value("tool_parser_plugin"):
        yield "tool_call_parser", "tool_parsers", names.tool_parsers(release)
    if server.version >= (0, 9) and not server.value("reasoning_parser_plugin"):
        yield "reasoning_parser", "reasoning_parsers", names.reasoning_parsers(release)
    backends = names.attention_backends(release)
    in_any_case = frozenset(name for each in backends for name in (each, each.lower())) | {"auto"}
    yield "attention_backend", "attention_backends", in_any_case
    if _is_plain(server):
        yield "quantization", "quantization", names.quantization_methods(release)


def _is_plain(server: Server) -> bool:
    """Whether nothing but vLLM is in the image; others may bring methods of their own."""
    return server.image is not None and server.image.releases is None
