"""Read the real `vllm serve` parser of an installed or unpacked vLLM and print its options as JSON.

No GPU is needed. `tools/catalog/README.md` says how to prepare an environment and what to do with the output.
Nothing here is imported by the shipped package, and nothing in the output is written by hand.

Usage: python -m catalog.extract SOURCE VERSION > 0.33.0.json
    SOURCE is the directory that holds the `vllm` package; VERSION is the release, such as 0.33.0.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import os
import re
import sys
import tempfile
import types
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any, TypeGuard
from unittest.mock import MagicMock

from catalog.classes import describe

Json = Any

CONVERTERS = {
    "int": "int",
    "float": "float",
    "str": "str",
    "bool": "bool",
    "loads": "json",
    "human_readable_int": "size",
    "human_readable_int_or_auto": "size-or-auto",
    "union_dict_and_str": "json-or-str",
    "nullable_str": "optional:str",
    "nullable_kvs": "key-values",
    "parse_reasoning_parser": "str",
    "_parse_limit_per_prompt": "key-values",
}
"""What a type function of vLLM is called in the catalog; `vllm/values.py` gives each name its meaning."""

LAMBDAS = {
    's.lower().replace("-", "_")': "lower",
    "s.lower().replace('-', '_')": "lower",
    "int(device_id) if device_id.isdigit()": "device-ids",
}
"""Nameless type functions, known by a part of their source."""

WRAPPERS = {"optional_type": "optional:", "_optional_type": "optional:", "parse_type": "checked:"}
"""Functions that return a type function; what they wrap is in their closure."""


class _Captured(BaseException):
    """Carries the parser out of `main()` at the moment at which it would parse."""


def main() -> None:
    """Print the catalog entry of one release."""
    source, version, *absent = sys.argv[1:]
    output, sys.stdout = sys.stdout, sys.stderr  # vLLM logs to standard output
    for name in absent:
        _stand_in(name)
    try:
        main_parser = parser_of(Path(source), version)
        module = _module_parser()
    except (ModuleNotFoundError, ImportError, AttributeError) as error:
        lacking = _absent(error)
        if lacking is None or lacking in absent:
            raise
        print(f"stood in for {lacking}", file=sys.stderr, flush=True)
        again = ("-m", "catalog.extract", source, version, *absent, lacking)
        os.execv(sys.executable, [sys.executable, *again])
    json.dump(_entry(version, main_parser, serve_parser(main_parser), module), output, indent=1)


def parser_of(source: Path, version: str) -> argparse.ArgumentParser:
    """The parser of the `vllm` command of a release whose sources stand in a folder."""
    # vLLM reads the help of its options only for --help, and leaves --model out for `serve --help`.
    sys.argv = ["vllm", "--help"]
    if str(source.resolve()) not in sys.path:
        sys.path.insert(0, str(source.resolve()))
    _pretend_installed(source, version)
    return _main_parser()


def serve_parser(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """The parser of `vllm serve` in that of the `vllm` command."""
    commands = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    found: argparse.ArgumentParser = commands.choices["serve"]
    return found


def _absent(error: Exception) -> str | None:
    """The third-party module (`name`) or attribute of one (`module:name`) that an old release misses here."""
    if isinstance(error, ModuleNotFoundError):
        return None if error.name is None or error.name.startswith("vllm.") else error.name
    found = re.search(r"module '([\w.]+)' has no attribute '(\w+)'", str(error)) or re.search(
        r"cannot import name '(?P<name>\w+)' from '(?P<module>[\w.]+)'", str(error)
    )
    if found is None:
        return None
    module, name = (found["module"], found["name"]) if found.re.groupindex else found.groups()
    return None if module.startswith("vllm") else f"{module}:{name}"


def _stand_in(name: str) -> None:
    """Put a mock where a third-party module or attribute is missing; what it does is of no account here."""
    module, _, attribute = name.partition(":")
    if attribute:
        setattr(
            importlib.import_module(module),
            attribute,
            type(attribute, (), {"__init__": lambda *_, **__: None}),
        )
        return
    sys.modules[module] = MagicMock(
        name=module, __path__=[], __spec__=ModuleSpec(module, None), __version__="0"
    )


def _pretend_installed(source: Path, version: str) -> None:
    """Give the sources the metadata of a CPU build: vLLM chooses its platform by the version's suffix."""
    metadata = source / f"vllm-{version}.dist-info"
    metadata.mkdir(exist_ok=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {version}+cpu\n")


def _main_parser() -> argparse.ArgumentParser:
    """The parser of the `vllm` command, caught just before it parses."""
    parser_class = _parser_class()

    def capture(self: argparse.ArgumentParser, *_: object, **__: object) -> None:
        raise _Captured(self)

    original = parser_class.parse_args
    parser_class.parse_args = capture
    try:
        try:
            command = importlib.import_module("vllm.entrypoints.cli.main")
        except ModuleNotFoundError as error:
            if not (error.name or "").startswith("vllm."):
                raise
            command = importlib.import_module("vllm.scripts")
        command.main()
    except _Captured as captured:
        parser: argparse.ArgumentParser = captured.args[0]
        return parser
    finally:
        parser_class.parse_args = original
    raise SystemExit("the vllm command did not parse anything")


def _module_parser() -> argparse.ArgumentParser:
    """The parser of `python -m vllm.entrypoints.openai.api_server`."""
    for name in ("common.cli_args", "launchers.cli_args", "openai.cli_args"):
        try:
            make = importlib.import_module(f"vllm.entrypoints.{name}").make_arg_parser
        except ModuleNotFoundError as error:
            if not (error.name or "").startswith("vllm."):
                raise
            continue
        parser: argparse.ArgumentParser = make(_parser_class()())
        return parser
    raise SystemExit("found no make_arg_parser")


def _parser_class() -> Any:
    for name in ("vllm.utils.argparse_utils", "vllm.utils"):
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
            continue
        if hasattr(module, "FlexibleArgumentParser"):
            return module.FlexibleArgumentParser
    raise SystemExit("found no FlexibleArgumentParser")


def _entry(version: str, main_parser: Any, serve: Any, module: Any) -> Json:
    classes: dict[str, Json] = {}
    names: dict[argparse.Action, list[str]] = {}
    for name, action in serve._option_string_actions.items():
        names.setdefault(action, []).append(name)
    module_dests = {action.dest for action in module._actions}
    options = []
    for action in serve._actions:
        option = _option(action, names.get(action, []), classes)
        option |= _deprecation(action, serve)
        if action.dest not in module_dests:
            option["serve_only"] = True
        options.append(option)
    options.sort(key=lambda option: str(option["names"]))
    return {
        "release": version,
        "behaviour": _behaviour(main_parser),
        "options": options,
        "classes": dict(sorted(classes.items())),
    }


def _option(action: argparse.Action, names: list[str], classes: dict[str, Json]) -> dict[str, Json]:
    shown = [name for name in names if name in action.option_strings]
    option: dict[str, Json] = {"names": shown, "dest": action.dest}
    if hidden := [name for name in names if name not in shown]:
        option["hidden"] = hidden
    if off := _names_that_mean_false(action, names):
        option["off"] = off
    option["action"] = _action(action)
    if action.type is not None:
        option["type"] = _converter(action.type, classes)
    if action.nargs is not None and action.nargs != 0:
        option["nargs"] = action.nargs
    if action.nargs == "?" and action.const is not None:
        option["const"] = action.const
    if action.choices is not None:
        option["choices"] = list(action.choices)
    elif known := _known_values(action.metavar):
        option["known"] = known
    option |= _default(action.default)
    if "type" in option and option["type"].split(":")[-1] in ("json", "json-or-str"):
        option |= _described_by(action.dest, classes)
    if option["action"] == "lora-modules":
        option["keys"] = describe(sys.modules[type(action).__module__].LoRAModulePath, classes)
    return option


def _names_that_mean_false(action: argparse.Action, names: list[str]) -> list[str]:
    if not isinstance(action, argparse.BooleanOptionalAction):
        return []
    off = []
    for name in names:
        namespace = argparse.Namespace()
        action(argparse.ArgumentParser(), namespace, None, name)
        if getattr(namespace, action.dest) is False:
            off.append(name)
    return off


def _action(action: argparse.Action) -> str:
    kinds = {
        argparse._StoreAction: "store",
        argparse._StoreTrueAction: "true",
        argparse._StoreFalseAction: "false",
        argparse._AppendAction: "append",
        argparse._HelpAction: "help",
        argparse._VersionAction: "help",
    }
    if type(action) in kinds:
        return kinds[type(action)]
    if isinstance(action, argparse.BooleanOptionalAction):
        return "bool"
    name = type(action).__name__
    return {"LoRAParserAction": "lora-modules", "StoreBoolean": "store-bool"}.get(name, "store")


def _converter(function: Any, classes: dict[str, Json]) -> str:
    name = getattr(function, "__name__", type(function).__name__)
    qualified = getattr(function, "__qualname__", name)
    owner = qualified.split(".<locals>")[0].split(".")[-1]
    if owner in WRAPPERS and ".<locals>" in qualified:
        inner = next(
            cell.cell_contents
            for cell in function.__closure__
            if callable(cell.cell_contents) or isinstance(cell.cell_contents, type)
        )
        return WRAPPERS[owner] + _converter(inner, classes)
    if name == "parse_dataclass":
        cls = next(
            value for value in (*(function.__defaults__ or ()), *_closure(function)) if _is_class(value)
        )
        return "class:" + describe(cls, classes)
    if name in ("from_cli", "from_json") and _is_class(owner_class := getattr(function, "__self__", None)):
        kind = "level:literal" if "literal_eval" in inspect.getsource(function) else "class"
        return f"{kind}:{describe(owner_class, classes)}"
    if name == "<lambda>":
        source = " ".join(inspect.getsource(function).split())
        for part, known in LAMBDAS.items():
            if part in source:
                return known
    if name in CONVERTERS:
        return CONVERTERS[name]
    print(f"unknown type function: {qualified}", file=sys.stderr)
    return "unknown:" + qualified


def _closure(function: Any) -> Iterator[Any]:
    for cell in function.__closure__ or ():
        yield cell.cell_contents


def _is_class(value: object) -> TypeGuard[type]:
    return isinstance(value, type)


def _default(value: Any) -> dict[str, Json]:
    if value is None or value is argparse.SUPPRESS:
        return {}
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        if isinstance(value, set | tuple | frozenset):
            return {"default": sorted(value)}
        enum_value = getattr(value, "value", None)
        return {"default": enum_value} if isinstance(enum_value, str | int) else {}
    return {"default": value}


def _known_values(metavar: object) -> list[str]:
    """Values that the help text names but that the parser does not insist on."""
    if isinstance(metavar, list | tuple):
        return sorted(str(value) for value in metavar)
    if isinstance(metavar, str) and (listed := re.match(r"\{([^}]+)\} or name registered", metavar)):
        return sorted(listed[1].split(","))
    return []


def _deprecation(action: argparse.Action, parser: Any) -> dict[str, Json]:
    """That an option is deprecated, in which release it goes, and which option its own words name instead."""
    own = " ".join(action.option_strings)
    texts = [
        text for text in _deprecation_messages() if set(re.findall(r"--[\w-]+", text)[:1]) & set(own.split())
    ]
    help_text = action.help if isinstance(action.help, str) else ""
    if re.match(r"\W*deprecated\b\W", help_text, re.I) or re.search(
        r"this (argument|flag|option|parameter)( name)? (is|has been) deprecated", help_text, re.I
    ):
        texts.append(help_text)
    if not texts and not (
        action in getattr(parser, "_deprecated", ()) or getattr(action, "deprecated", False)
    ):
        return {}
    text = " ".join(texts) or help_text
    deprecated: dict[str, Json] = {}
    if removal := re.search(r"(?:removed|removal)[^.]{0,40}? v?(\d+\.\d+(?:\.\d+)?)", text):
        deprecated["removal"] = removal[1]
    named = [_dashed(name) for name in re.findall(r"--[a-z][\w.-]*\w", text)]
    others = [name for name in named if name not in own.split()]
    if others and re.search(r"\b(use|instead|favou?r|replaced)\b", text, re.I):
        deprecated["use"] = others[0]
    return {"deprecated": deprecated}


def _dashed(name: str) -> str:
    option, dot, key = name.partition(".")
    return option.replace("_", "-") + dot + key


def _deprecation_messages() -> Iterator[str]:
    module = sys.modules.get("vllm.engine.arg_utils")
    for name, value in vars(module or types.SimpleNamespace()).items():
        if name.endswith("_DEPRECATION_MESSAGE") and isinstance(value, str):
            yield value


def _described_by(dest: str, classes: dict[str, Json]) -> dict[str, Json]:
    """The configuration class that the engine later makes of a JSON option, where there is one."""
    name = "".join(part.capitalize() for part in dest.split("_"))
    cls = getattr(sys.modules.get("vllm.config"), name, None)
    return {"keys": describe(cls, classes)} if _is_class(cls) and hasattr(cls, "__dataclass_fields__") else {}


def _behaviour(parser: Any) -> dict[str, bool]:
    """What this release's FlexibleArgumentParser does to a command line before argparse sees it."""

    def tokens(*arguments: str) -> list[str]:
        seen: list[str] = []
        original = argparse.ArgumentParser.parse_args
        argparse.ArgumentParser.parse_args = lambda _, args=None, namespace=None: seen.extend(args or ())  # type: ignore
        try:
            parser.parse_args(["serve", *arguments])
        except (Exception, SystemExit):
            return ["error"]
        finally:
            argparse.ArgumentParser.parse_args = original  # type: ignore[method-assign]
        return seen[1:]

    return {
        "model_option_moves": tokens("-tp", "2", "--model", "m") == ["m", "-tp", "2"],
        "model_option_refused": tokens("-tp", "2", "--model", "m") == ["error"],
        "served_model_name_needs_model": tokens("--served-model-name", "m") == ["error"],
        "dotted": tokens("m", "--a-b.c_d", "1") == ["m", "--a-b", '{"c_d": 1}'],
        "dotted_lists": tokens("m", "--a.b+", "x,y") == ["m", "--a", '{"b": ["x", "y"]}'],
        "dotted_sizes": tokens("m", "--a.b", "1k") == ["m", "--a", '{"b": 1000}'],
        "json_sizes": hasattr(sys.modules["vllm.engine.arg_utils"], "_expand_json_human_readable_numbers"),
        "help_search": tokens("m", "--help=x") == ["m", "--help"],
        "o_is_optimization_level": tokens("m", "-O3") == ["m", "--optimization-level", "3"],
        "o_is_compilation_mode": tokens("m", "-O3") == ["m", "-O", '{"mode": 3}'],
        "o_is_compilation_level": tokens("m", "-O3") == ["m", "-O", '{"level": 3}'],
        "o_dot_is_compilation_config": tokens("m", "-O.a", "3") == ["m", "-cc", '{"a": 3}'],
        "config_json": _config_arguments(parser, "a: {b: 1}") == '--a {"b": 1}',
        "config_lists": "--a x y" in _config_arguments(parser, "a: [x, y]"),
        "config_model": tokens("--config", _config_file("model: m")) == ["--model", "m"],
    }


def _config_arguments(parser: Any, text: str) -> str:
    load = getattr(parser, "load_config_file", None) or parser._load_config_file
    return " ".join(load(_config_file(text)))


def _config_file(text: str) -> str:
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", delete=False) as file:
        file.write(text)
    return file.name


if __name__ == "__main__":
    main()
