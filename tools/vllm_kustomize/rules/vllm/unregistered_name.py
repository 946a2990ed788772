"""A parser, backend, connector, format or method is one that the release does not have.

The command line takes any name, and the server stops where it looks the name up: `invalid tool call parser`,
`Unknown attention backend`, `Unsupported connector type`, `Load format is not supported`, `Unknown
quantization method`. Names come and go with releases: bitsandbytes left in 0.28, XFORMERS in 0.12. Where a
plugin is given it may bring the name.

Bad:   --enable-auto-tool-choice --tool-call-parser=llama3, or --quantization=bitsandbytes with v0.28.0
Good:  --enable-auto-tool-choice --tool-call-parser=llama3_json

Source: validate_api_server_args (vllm/entrypoints/openai/api_server.py of 0.10.2,
vllm/entrypoints/common/cli_args.py of 0.33), AttentionConfig in vllm/config/attention.py,
vllm/attention/selector.py of 0.10.1, KVConnectorFactory.get_connector_class, get_model_loader,
ModelConfig._verify_quantization in vllm/config/model.py
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vllm_kustomize.kubernetes.fields import mapping
from vllm_kustomize.model import Outcome, Problem, Severity
from vllm_kustomize.vllm import missing, names
from vllm_kustomize.vllm.server import Server
from vllm_kustomize.vllm.setting import Setting
from vllm_kustomize.wording import did_you_mean

SEVERITY = Severity.ERROR
HELP = "Use a name that the release has: `vllm-kustomize flags OPTION` lists those of many options."

_BACKEND_FROM_ENVIRONMENT = (0, 10, 1)
"""Since when VLLM_ATTENTION_BACKEND stops the server; releases before passed over what they did not know."""


@dataclass(frozen=True, slots=True)
class _Named:
    """A name that the server will look up, in a section of the table of names."""

    setting: Setting | None
    name: Any
    section: str
    any_case: bool = False


def check_server(server: Server) -> Iterator[Outcome]:
    """Yield names that are in none of the release's registries."""
    for named in _named(server):
        known = names.known(named.section, server.known_release)
        if named.setting is None or not isinstance(named.name, str) or not known:
            continue
        if named.name in known or (named.any_case and named.name.lower() in map(str.lower, known)):
            if server.assumed:
                yield missing.release(server)
            continue
        last = names.last_with(named.section, named.name)
        hint = f"; {last} is the last that has it" if last else did_you_mean(named.name, known)
        what = f"{named.section.replace('_', ' ').removesuffix('s')} '{named.name}'"
        message = f"no release of vLLM has a {what}" if server.assumed else f"{server.vllm} has no {what}"
        severity = None if server.exact else Severity.WARNING
        yield Problem(named.setting.path, f"{message}{hint}", severity=severity)


def _named(server: Server) -> Iterator[_Named]:
    if server.switched_on("enable_auto_tool_choice") and not server.value("tool_parser_plugin"):
        yield _option(server, "tool_call_parser", "tool_parsers")
    if server.version >= (0, 9) and not server.value("reasoning_parser_plugin"):
        yield _option(server, "reasoning_parser", "reasoning_parsers")
    connector = server.options.get("kv_transfer_config")
    transfer = mapping(connector.value) if connector else {}
    if not transfer.get("kv_connector_module_path"):
        yield _Named(connector, transfer.get("kv_connector"), "kv_connectors")
    yield from _attention(server)
    if _is_plain(server):
        yield _option(server, "quantization", "quantization", any_case=True)
        yield _option(server, "load_format", "load_formats", any_case=True)


def _attention(server: Server) -> Iterator[_Named]:
    section = "attention_backends"
    config = server.options.get("attention_config")
    backend = mapping(config.value).get("backend") if config else None
    variable = server.env.get("VLLM_ATTENTION_BACKEND")
    named = [_option(server, "attention_backend", section, any_case=True)]
    named.append(_Named(config, backend, section, any_case=True))
    read = "VLLM_ATTENTION_BACKEND" in names.environment_variables(server.known_release)
    if variable and read and server.version >= _BACKEND_FROM_ENVIRONMENT:
        named.append(_Named(variable, variable.value, section))
    yield from (each for each in named if str(each.name).lower() != "auto")


def _option(server: Server, option: str, section: str, any_case: bool = False) -> _Named:
    setting = server.options.get(option)
    return _Named(setting, setting.value if setting else None, section, any_case)


def _is_plain(server: Server) -> bool:
    """Whether nothing but vLLM is in the image; others may bring methods of their own."""
    return server.image is not None and server.image.releases is None
