"""Read what a release of vLLM knows by name from its sources, which are parsed and never imported.

- `environment`: the VLLM_* variables. A release warns about every other one (validate_environ in
  vllm/platforms/interface.py), and with --fail-on-environ-validation refuses to start.
- `metrics`: string constants of the package that look like `vllm:name`.
- `tool_parsers`, `reasoning_parsers`: what --tool-call-parser and --reasoning-parser may name.
- `attention_backends`: members of the enumeration that --attention-backend and VLLM_ATTENTION_BACKEND name.
- `quantization`: what --quantization may name.
- `kv_connectors`: what `kv_connector` of --kv-transfer-config may name (since 0.7.0).
- `load_formats`: what --load-format may name where its parser takes any word (since 0.10.1).
- `cuda_architectures`: the compute capabilities that the CUDA image's kernels are compiled for, by default of
  the build argument torch_cuda_arch_list of its Dockerfile.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_METRIC = re.compile(r"vllm:[a-z][a-z0-9_]*[a-z0-9]")
_ARCHITECTURES = re.compile(r"^ARG torch_cuda_arch_list='([^']+)'", re.MULTILINE)
_MENTIONS = re.compile(
    r"vllm:|environment_variables|ParserManager|_PARSERS_TO_REGISTER|AttentionBackendEnum\(|_Backend\("
    r"|QuantizationMethods = |QUANTIZATION_METHODS\b|KVConnectorFactory|_LOAD_FORMAT_TO_MODEL_LOADER"
)
"""What a file has in it that says something; the others need no parsing."""

Facts = dict[str, set[str] | None]
"""The names of each section; None where these sources do not say (a wheel has no Dockerfile)."""


def read(source: Path) -> Facts:
    """What the release whose sources stand in a folder knows, by section."""
    modules = _modules(source)
    return {
        "attention_backends": _some(_attention_backends(modules), "an enumeration of attention backends"),
        "cuda_architectures": _cuda_architectures(source),
        "environment": _some(_environment(modules), "environment_variables"),
        "kv_connectors": _registered(modules, "KVConnectorFactory.register_connector") or None,
        "load_formats": {
            name for table in _assigned(modules, "_LOAD_FORMAT_TO_MODEL_LOADER") for name in _keys(table)
        }
        or None,
        "metrics": _some(_metrics(modules), "a metric"),
        "quantization": _some(_quantization(modules), "quantization methods"),
        "reasoning_parsers": _parsers(modules, "ReasoningParserManager", "_REASONING_PARSERS_TO_REGISTER"),
        "tool_parsers": _some(
            _parsers(modules, "ToolParserManager", "_TOOL_PARSERS_TO_REGISTER"), "a tool parser"
        ),
    }


def _some(names: set[str], what: str) -> set[str]:
    if not names:
        raise SystemExit(f"found no {what} in the sources; vLLM keeps them elsewhere now")
    return names


def _modules(source: Path) -> list[ast.Module]:
    files = sorted((source / "vllm").rglob("*.py"))
    return [_parsed(file) for file in files if _MENTIONS.search(file.read_text(encoding="utf-8"))]


@cache
def _parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def _environment(modules: list[ast.Module]) -> set[str]:
    tables = _assigned(modules, "environment_variables")
    return {name for table in tables for name in _keys(table) if name.startswith("VLLM_")}


def _metrics(modules: list[ast.Module]) -> set[str]:
    """Without the suffix that Prometheus adds to counters."""
    constants = (
        node.value for module in modules for node in ast.walk(module) if isinstance(node, ast.Constant)
    )
    return {
        value.removesuffix("_total")
        for value in constants
        if isinstance(value, str) and _METRIC.fullmatch(value)
    }


def _parsers(modules: list[ast.Module], manager: str, table: str) -> set[str]:
    """The keys of a table (since 0.11.1), else the arguments of the decorator that registers a class."""
    listed = {name for value in _assigned(modules, table) for name in _keys(value)}
    return listed | _registered(modules, f"{manager}.register_module")


def _registered(modules: list[ast.Module], function: str) -> set[str]:
    """The names that a function of that dotted name is called with."""
    registered = set()
    for module in modules:
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == function:
                names = [*node.args[:1], *(word.value for word in node.keywords if word.arg == "name")]
                registered |= {text for name in names for text in _strings(name)}
    return registered


def _attention_backends(modules: list[ast.Module]) -> set[str]:
    """Members of AttentionBackendEnum (since 0.11.1), else of _Backend."""
    classes = [
        node
        for module in modules
        for node in ast.walk(module)
        if isinstance(node, ast.ClassDef) and any("Enum" in ast.unparse(base) for base in node.bases)
    ]
    for name in ("AttentionBackendEnum", "_Backend"):
        members = {
            target.id
            for found in classes
            if found.name == name
            for statement in found.body
            if isinstance(statement, ast.Assign)
            for target in statement.targets
            if isinstance(target, ast.Name)
        }
        if members:
            return members
    return set()


def _quantization(modules: list[ast.Module]) -> set[str]:
    """The literal type that lists them, else the list, else the keys of the table of their classes."""
    listed = {name for value in _assigned(modules, "QuantizationMethods") for name in _strings(value)}
    if listed:
        return listed
    tables = list(_assigned(modules, "QUANTIZATION_METHODS"))
    return {
        name
        for table in tables
        for name in (_keys(table) if isinstance(table, ast.Dict) else _strings(table))
    }


def _cuda_architectures(source: Path) -> set[str] | None:
    for name in ("docker/Dockerfile", "Dockerfile"):
        if (source / name).is_file():
            found = _ARCHITECTURES.search((source / name).read_text(encoding="utf-8"))
            return _some(set(found[1].split()) if found else set(), f"torch_cuda_arch_list in {name}")
    return None


def _assigned(modules: list[ast.Module], name: str) -> Iterator[ast.expr]:
    """What a variable of that name is set to at the top of a module."""
    for module in modules:
        for node in module.body:
            if not isinstance(node, ast.Assign | ast.AnnAssign):
                continue
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Name) and target.id == name for target in targets) and node.value:
                yield node.value


def _keys(table: ast.expr) -> set[str]:
    keys = table.keys if isinstance(table, ast.Dict) else []
    return {key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}


def _strings(value: ast.expr) -> set[str]:
    return {
        node.value
        for node in ast.walk(value)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
