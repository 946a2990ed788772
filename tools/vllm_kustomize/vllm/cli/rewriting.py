"""What vLLM's FlexibleArgumentParser does to a command line before argparse sees it.

It moves `--model X` to the front, puts the options of a configuration file in, turns underscores in option
names into dashes, and gathers `--option.key value` into JSON. The steps and their order are those of
`parse_args` in `vllm/utils/argparse_utils.py`; what a release does not do yet is not among its
`behaviours` in the catalog.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from vllm_kustomize.vllm.cli.catalog import Release
from vllm_kustomize.vllm.cli.types import size
from vllm_kustomize.vllm.container.environment import UNKNOWN
from vllm_kustomize.wording import shorten

ReadFile = Callable[[str], "str | None"]
"""The text of a file in the container, or None where nothing is known of it."""

_MODEL = re.compile(r"--model(=.+|$)")
_SERVED_MODEL_NAME = re.compile(r"--served[-_]model[-_]name(=.+|$)")
_MOST_BRACKETS = 1000
"""The YAML reader takes quadratic time over brackets that stay open; a configuration file has a few."""

_CONFIG = re.compile(r"--config(=.+|$)")


@dataclass(frozen=True, slots=True)
class Token:
    """One argument and where it comes from: `index` in the command line, and the `key` of a file it names."""

    text: str
    index: int
    key: str = ""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about a command line: `kind` says what, `index` which argument, `option` which option.

    Errors, which keep the server from starting: `unknown` option, `ambiguous` abbreviation, bad `value`,
    `missing` value, `unexpected` value, `extra` positional argument, unusable `config` file.
    Notices, which do not: `deprecated`, `config-equals`, `config-false`, `repeated`, `model-option`.
    `suggestion` is what should stand there instead, where that is known; `key` names the key of a
    configuration file that said it.
    """

    kind: str
    index: int
    option: str
    message: str
    suggestion: str = ""
    key: str = ""


class Stop(Exception):
    """The parser would end here; carries the `Remark` that says why."""

    def __init__(self, remark: Remark) -> None:
        super().__init__(remark.message)
        self.remark = remark


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The tokens that argparse gets, what was noticed on the way, and why a part is unknown, if one is."""

    tokens: tuple[Token, ...]
    notices: tuple[Remark, ...] = ()
    unknown: str = ""


def rewrite(argv: Sequence[str], release: Release, read: ReadFile, serve: bool) -> Rewritten:
    """Do all of it; raises `Stop` where vLLM would end."""
    tokens = [Token(text, index) for index, text in enumerate(argv)]
    notices: list[Remark] = []
    if serve:
        tokens = _model_first(tokens, release, notices)
    tokens, unknown = _with_config_file(tokens, release, read, serve, notices)
    tokens = _with_dashes(tokens, release)
    if "dotted" in release.behaviours:
        tokens = _with_json(tokens, release, notices)
    return Rewritten(tuple(tokens), tuple(notices), unknown)


def _model_first(tokens: list[Token], release: Release, notices: list[Remark]) -> list[Token]:
    at = next((i for i, token in enumerate(tokens) if _MODEL.match(token.text)), None)
    if at is not None and "model_option_refused" in release.behaviours:
        message = "the model is the first argument of `vllm serve`, not --model"
        raise Stop(Remark("unknown", tokens[at].index, "--model", message))
    if at is not None and "model_option_moves" in release.behaviours:
        option = tokens[at]
        notices.append(
            Remark("model-option", option.index, "--model", "give the model as the first argument")
        )
        if option.text == "--model":
            if at + 1 == len(tokens):
                raise Stop(Remark("missing", option.index, "--model", "--model needs a value"))
            model, rest = tokens[at + 1], tokens[at + 2 :]
        else:
            model, rest = replace(option, text=option.text.removeprefix("--model=")), tokens[at + 1 :]
        tokens = [model, *tokens[:at], *rest]
    if (
        "served_model_name_needs_model" in release.behaviours
        and tokens
        and tokens[0].text.startswith("-")
        and not any(_CONFIG.match(token.text) for token in tokens)
    ):
        for token in tokens:
            if _SERVED_MODEL_NAME.match(token.text):
                message = "--served-model-name needs the model as the first argument of `vllm serve`"
                raise Stop(Remark("missing", token.index, "--served-model-name", message))
    return tokens


def _with_config_file(
    tokens: list[Token], release: Release, read: ReadFile, serve: bool, notices: list[Remark]
) -> tuple[list[Token], str]:
    """Put the options of `--config FILE` behind the model, so that the command line's own come later and
    win.
    """
    for token in tokens:
        if token.text.startswith("--config="):
            message = "--config=FILE is ignored: write the file as an argument of its own"
            notices.append(Remark("config-equals", token.index, "--config", message))
    at = next((i for i, token in enumerate(tokens) if token.text == "--config"), None)
    if at is None:
        return tokens, ""
    option = tokens[at]
    if sum(token.text == "--config" for token in tokens) > 1:
        raise Stop(Remark("config", option.index, "--config", "there may be only one --config"))
    if at + 1 == len(tokens):
        raise Stop(Remark("missing", option.index, "--config", "--config needs a file"))
    file = tokens[at + 1]
    if UNKNOWN in file.text:
        return tokens[:at] + tokens[at + 2 :], "the file of --config is known only in the cluster"
    extension = file.text.rpartition(".")[2]
    if extension not in ("yaml", "yml"):
        message = f"--config takes a .yaml or .yml file, not '{shown(file.text)}'"
        raise Stop(Remark("config", file.index, "--config", message))
    text = read(file.text)
    if text is None:
        return tokens[:at] + tokens[at + 2 :], f"the file {file.text} of --config is not known"
    options = _options_of_file(text, file, release, serve, notices)
    split = 1 if serve and tokens and not tokens[0].text.startswith("-") else 0
    in_file = "config_model" in release.behaviours and any(token.text == "--model" for token in options)
    if serve and split == 0 and not in_file:
        message = "there is no model, neither as the first argument nor as `model` in the file of --config"
        raise Stop(Remark("config", file.index, "--config", message))
    return tokens[:split] + options + tokens[split:at] + tokens[at + 2 :], ""


def _options_of_file(
    text: str, file: Token, release: Release, serve: bool, notices: list[Remark]
) -> list[Token]:
    """The file as arguments. `false` looks for `--no-x` among the top parser's own, where `vllm serve` has
    none.
    """
    import yaml

    parser_names = {} if serve else release.options
    if text.count("[") + text.count("{") > _MOST_BRACKETS:
        raise Stop(Remark("config", file.index, "--config", f"{file.text} has too many brackets to be read"))
    try:
        config = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        problem = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise Stop(
            Remark("config", file.index, "--config", f"{file.text} is not valid YAML: {problem}")
        ) from None
    if not isinstance(config, Mapping):
        raise Stop(Remark("config", file.index, "--config", f"{file.text} holds no `option: value` lines"))
    texts: list[tuple[str, str]] = []
    for key, value in config.items():
        if not isinstance(key, str):
            message = f"{file.text} has the key {key!r}, which is not text"
            raise Stop(Remark("config", file.index, "--config", message, key=str(key)))
        if value is False and f"--no-{key}" in parser_names:
            texts.append((key, f"--no-{key}"))
        elif value is False:
            if (option := release.options.get(f"--{key.replace('_', '-')}")) and option.default is False:
                continue  # it is off all the same
            message = f"`{key}: false` is dropped: write `no-{key}: true`, or the option itself"
            notices.append(Remark("config-false", file.index, f"--{key}", message, key=key))
        elif value is True:
            texts.append((key, f"--{key}"))
        elif isinstance(value, list) and "config_lists" in release.behaviours:
            if value:
                texts.append((key, f"--{key}"))
                texts.extend((key, str(item)) for item in value)
        elif isinstance(value, dict) and "config_json" in release.behaviours:
            texts.append((key, f"--{key}"))
            texts.append((key, _dump(value, file, key)))
        else:
            texts.append((key, f"--{key}"))
            texts.append((key, str(value)))
    return [Token(text, file.index, key) for key, text in texts]


def _dump(value: Any, file: Token, key: str) -> str:
    try:
        return json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        message = f"`{key}` in {file.text} holds a value that JSON cannot"
        raise Stop(Remark("config", file.index, f"--{key}", message, key=key)) from None


def _with_dashes(tokens: list[Token], release: Release) -> list[Token]:
    """Underscores to dashes in names, up to the first dot; `-O3` to the option that it stands for."""
    result: list[Token] = []
    for position, token in enumerate(tokens):
        if token.text.startswith("--help=") and "help_search" in release.behaviours:
            result.append(replace(token, text="--help"))
        elif token.text.startswith("--"):
            result.append(replace(token, text=_dashed(token.text, release)))
        elif token.text.startswith("-O"):
            following = tokens[position + 1].text if position + 1 < len(tokens) else ""
            result += [replace(token, text=text) for text in _level(token.text, following, release)]
        else:
            result.append(token)
    return result


def _dashed(text: str, release: Release) -> str:
    name, equals, value = text.partition("=")
    head, dot, keys = name.partition(".") if "dotted" in release.behaviours else (name, "", "")
    return "--" + head[2:].replace("_", "-") + dot + keys + equals + value


def _level(text: str, following: str, release: Release) -> tuple[str, ...]:
    """What `-O3`, `-O=3`, `-O 3` and `-O.key` stand for, which has changed over the releases."""
    alone = text == "-O"
    if alone and following not in ("0", "1", "2", "3"):
        return (text,)
    level = text[3:] if text[2:3] == "=" else text[2:]
    if "o_is_optimization_level" in release.behaviours:
        if text.startswith("-O.") and "o_dot_is_compilation_config" in release.behaviours:
            return (text.replace("-O", "-cc", 1),)
        return ("--optimization-level",) if alone else ("--optimization-level", level)
    for behaviour, key in (("o_is_compilation_mode", "mode"), ("o_is_compilation_level", "level")):
        if behaviour in release.behaviours and not text.startswith("-O."):
            return (f"-O.{key}",) if alone else (f"-O.{key}={level}",)
    return (text,)


def _with_json(tokens: list[Token], release: Release, notices: list[Remark]) -> list[Token]:
    """Gather `--a.b value` and `--a.c+ x,y` into one `--a {"b": value, "c": ["x", "y"]}` at the end."""
    kept: list[Token] = []
    gathered: dict[str, dict[str, Any]] = {}
    places: dict[str, Token] = {}
    seen: set[str] = set()
    position = 0
    while position < len(tokens):
        token = tokens[position]
        position += 1
        name, equals, value = token.text.partition("=")
        if token.text.startswith("--") and "." not in token.text:
            option = release.options.get(name)
            if name in seen and not token.key and not (option and option.action == "append"):
                message = f"{name} is given twice: the last one wins"
                notices.append(Remark("repeated", token.index, name, message))
            seen.update([name] if not token.key else [])
        if not token.text.startswith("-") or "." not in name:
            kept.append(token)
            continue
        if not equals:
            if position == len(tokens):
                message = f"{shown(name)} needs a value: a dot in an option names a key of its JSON"
                raise Stop(Remark("missing", token.index, name, message))
            value = tokens[position].text
            position += 1
        item: Any
        if name.endswith("+") and "dotted_lists" in release.behaviours:
            name, item = name[:-1], value.split(",")
        else:
            item = _dotted_value(value, token, release)
        name, *keys = name.split(".")
        for key in reversed(keys):
            item = {key: item}
        _update(gathered.setdefault(name, {}), item)
        places.setdefault(name, token)
    for name, content in gathered.items():
        kept += [replace(places[name], text=name), replace(places[name], text=_json(content, places[name]))]
    return kept


def _json(content: Any, token: Token) -> str:
    try:
        return json.dumps(content)
    except RecursionError:
        name = token.text.partition(".")[0]
        raise Stop(Remark("value", token.index, name, f"{name} has JSON that is nested too deeply")) from None


def _dotted_value(text: str, token: Token, release: Release) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        pass
    except (ValueError, RecursionError):
        raise Stop(Remark("value", token.index, token.text, "has a value that no parser can read")) from None
    if "dotted_sizes" in release.behaviours:
        try:
            return size(text)
        except ValueError:
            pass
    return text


def _update(original: dict[str, Any], update: dict[str, Any]) -> None:
    for key, value in update.items():
        present = original.get(key)
        if isinstance(value, dict) and isinstance(present, dict):
            _update(present, value)
        elif isinstance(value, list) and isinstance(present, list):
            present += value
        else:
            original[key] = value


def shown(text: str) -> str:
    """A text as it is shown in a message: cut where it is long, without what only the cluster knows."""
    return shorten(text.replace(UNKNOWN, ""))
