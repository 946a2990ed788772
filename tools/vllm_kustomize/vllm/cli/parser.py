"""Read a `vllm serve` command line as one vLLM release would.

    parsed = parse(["Qwen/Qwen3-8B", "-tp", "2", "--max-model-len=32k"], catalog.load("0.33.0"))
    parsed.accepted                          # True
    parsed.values["tensor_parallel_size"]    # 2; an option that was not given has its default
    parsed.values["model"]                   # "Qwen/Qwen3-8B"
    parsed.is_given("max_model_len")         # True
    parsed.given["max_model_len"].index      # 3, the argument to point at
    parse(["m", "--prot", "80"], release).errors[0].suggestion    # "--port"

The rules are those of `vllm/utils/argparse_utils.py` (see `rewriting.py`) and of Python's argparse,
written out here because argparse differs between Python versions and stops at the first error; this reader
goes on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from vllm_kustomize.vllm.cli import catalog
from vllm_kustomize.vllm.cli.catalog import Option, Release
from vllm_kustomize.vllm.cli.rewriting import ReadFile, Remark, Stop, Token, rewrite, shown
from vllm_kustomize.vllm.cli.types import convert
from vllm_kustomize.vllm.container.environment import UNKNOWN
from vllm_kustomize.wording import closest, join

_NEGATIVE_NUMBER = re.compile(r"-\d+|-\d*\.\d+")


@dataclass(frozen=True, slots=True)
class Given:
    """An option that a command line sets: as it was written, its value, and the argument that names it.

    `key` is the key of the file of `--config` that sets it; `index` then points at that file.
    """

    option: Option
    name: str
    value: Any
    index: int
    key: str = ""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A command line, read. The server starts only without `errors`; `notices` do not keep it from starting.

    `values` has every option of the release by its `dest`, given or default; `given` only what the line
    sets (the last setting, which wins). `unknown` says why a part of the options is not known, where that
    is so.
    """

    release: Release
    values: Mapping[str, Any]
    given: Mapping[str, Given]
    errors: tuple[Remark, ...] = ()
    notices: tuple[Remark, ...] = ()
    unknown: str = ""

    @property
    def accepted(self) -> bool:
        """Whether vLLM's parser would let the line pass."""
        return not self.errors

    def is_given(self, dest: str) -> bool:
        """Whether the line itself, or its configuration file, sets an option."""
        return dest in self.given


def parse(
    argv: Sequence[str], release: Release, read: ReadFile = lambda _: None, *, serve: bool = True
) -> Parsed:
    """Read what follows `vllm serve` (or, with `serve=False`, the module
    `vllm.entrypoints.openai.api_server`).

    `read` returns the text of a file in the container, for `--config FILE`, or None where it is not known.
    An argument with the mark `environment.UNKNOWN` in it fits everywhere, and its value is None.
    No text makes it raise; whatever is wrong with the line is among the result's `errors`.
    """
    release = release if serve else _of_module(release)
    reading = _Reading(release, serve)
    unknown = ""
    try:
        rewritten = rewrite(argv, release, read, serve)
        reading.notices.extend(rewritten.notices)
        unknown = rewritten.unknown
        reading.run(rewritten.tokens)
        unknown = unknown or reading.unknown
    except Stop as stop:
        reading.errors.append(stop.remark)
    return Parsed(
        release,
        reading.values(),
        reading.given,
        tuple(reading.errors),
        tuple(reading.notices),
        unknown,
    )


def _of_module(release: Release) -> Release:
    """The options of the module, where those of `vllm serve` lack one.

    0.9.0 and 0.9.0.1 leave --model out where `serve` is among the arguments (vllm/engine/arg_utils.py).
    """
    model = catalog.newest().options["--model"]
    return replace(release, options={model.name: model, **release.options})


@dataclass(frozen=True, slots=True)
class _Named:
    """An argument that names an option: what argparse makes of it, with the text after its `=`."""

    option: Option | None
    name: str
    attached: str | None = None


@dataclass(slots=True)
class _Reading:
    """One pass of argparse's `parse_known_args` over the tokens of one line."""

    release: Release
    serve: bool
    errors: list[Remark] = field(default_factory=list)
    notices: list[Remark] = field(default_factory=list)
    given: dict[str, Given] = field(default_factory=dict)
    positional_taken: bool = False
    helped: bool = False
    unknown: str = ""

    def run(self, tokens: Sequence[Token]) -> None:
        kinds = self._classify(tokens)
        position = 0
        while position < len(tokens) and not self.helped:
            kind = kinds[position]
            if isinstance(kind, _Named):
                position = self._option(kind, tokens, kinds, position)
            else:
                position = self._positionals(tokens, kinds, position)

    def values(self) -> dict[str, Any]:
        """Every option by its `dest`; the positional model wins over `--model`, as in
        `ServeSubcommand.cmd`.
        """
        values = {option.dest: option.default for option in self.release.options.values()}
        values.update((dest, each.value) for dest, each in self.given.items())
        model = self.given.get("model_tag")
        if model is not None:
            values["model"] = model.value
        return values

    def _classify(self, tokens: Sequence[Token]) -> list[_Named | str]:
        """`A` for an argument, `-` for the first `--`, behind which all are arguments, or the option it
        names.
        """
        kinds: list[_Named | str] = []
        for position, token in enumerate(tokens):
            if token.text == "--":
                return [*kinds, "-", *("A" for _ in tokens[position + 1 :])]
            kinds.append(self._name(token) or "A")
        return kinds

    def _name(self, token: Token) -> _Named | None:
        """What argparse's `_parse_optional` says of one argument; None for one that is not an option."""
        text, options = token.text, self.release.options
        if not text.startswith("-") or text == "-":
            return None
        if text in options:
            return _Named(options[text], text)
        name, equals, value = text.partition("=")
        if equals and name in options:
            return _Named(options[name], name, value)
        found = self._abbreviated(text)
        if len(found) > 1:
            names = _listed(sorted(each.name for each in found))
            message = f"{shown(name)} is ambiguous in vLLM {self.release.version}: it could be {names}"
            self.errors.append(Remark("ambiguous", token.index, name, message, key=token.key))
            return _Named(None, "")
        if found:
            return found[0]
        if _NEGATIVE_NUMBER.fullmatch(text) or " " in text:
            return None
        return _Named(None, text)

    def _abbreviated(self, text: str) -> list[_Named]:
        options = self.release.options
        if text.startswith("--"):
            prefix, equals, value = text.partition("=")
            attached = value if equals else None
            return [_Named(options[name], name, attached) for name in self.release.beginning(prefix)]
        short = [_Named(options[text[:2]], text[:2], text[2:])] if text[:2] in options else []
        return [*short, *(_Named(options[name], name) for name in self.release.beginning(text))]

    def _positionals(self, tokens: Sequence[Token], kinds: Sequence[_Named | str], start: int) -> int:
        """The first argument that no option takes is the model; the others are errors."""
        end = start
        while end < len(tokens) and not isinstance(kinds[end], _Named):
            end += 1
        extra = [
            token for token, kind in zip(tokens[start:end], kinds[start:end], strict=True) if kind == "A"
        ]
        if not self.positional_taken and self._takes_positional():
            self.positional_taken = True
            if extra and self.release.positional:
                model = extra.pop(0)
                value = None if UNKNOWN in model.text else model.text
                self.given["model_tag"] = Given(self.release.positional, "", value, model.index, model.key)
        for token in extra:
            if UNKNOWN in token.text:
                self._leave_unknown(token)
            else:
                self.errors.append(self._extra(token, tokens[start - 1] if start else None))
        return end

    def _leave_unknown(self, token: Token) -> None:
        self.unknown = f"what {shown(token.text)} stands for is known only in the cluster"

    def _takes_positional(self) -> bool:
        positional = self.release.positional
        return positional is not None and (self.serve or not positional.serve_only)

    def _extra(self, token: Token, before: Token | None) -> Remark:
        message = f"'{shown(token.text)}' belongs to no option"
        name = before.text if before else ""
        if before and (option := self.release.options.get(name)) and not option.takes_value:
            message += f": {name} takes no value"
        return Remark("extra", token.index, name, message, key=token.key)

    def _option(
        self, named: _Named, tokens: Sequence[Token], kinds: Sequence[_Named | str], position: int
    ) -> int:
        token, option = tokens[position], named.option
        if option is None or (option.serve_only and not self.serve):
            if UNKNOWN in named.name:
                self._leave_unknown(token)
            elif named.name:
                self.errors.append(self._unknown(token))
            return position + 1 + self._values_of_unknown(token, kinds[position + 1 :])
        if named.attached is not None:
            self._attached(option, named, token)
            return position + 1
        count = _count(option, kinds[position + 1 :])
        if count is None:
            message = f"{named.name} {_NEEDS.get(option.nargs, f'takes {option.nargs} values')}"
            self.errors.append(Remark("missing", token.index, named.name, message, key=token.key))
            return position + 1
        self._set(option, named.name, token, tokens[position + 1 : position + 1 + count])
        return position + 1 + count

    def _values_of_unknown(self, token: Token, following: Sequence[_Named | str]) -> int:
        """Pass over the value of an unknown option, which would only be reported as another error."""
        return int(self.positional_taken and "=" not in token.text and following[:1] == ["A"])

    def _attached(self, option: Option, named: _Named, token: Token) -> None:
        if option.takes_value and (option.nargs in (None, "?", "+", "*") or option.nargs == 1):
            self._set(option, named.name, token, [Token(named.attached or "", token.index, token.key)])
            return
        message = f"{named.name} takes no value, but has '{shown(named.attached or '')}'"
        if option.takes_value:
            message = f"{named.name} takes {option.nargs} values, each an argument of its own"
        self.errors.append(Remark("unexpected", token.index, named.name, message, key=token.key))

    def _set(self, option: Option, name: str, token: Token, arguments: Sequence[Token]) -> None:
        if option.action == "help":
            self.helped = True
            return
        try:
            value = self._value(option, name, arguments)
        except _BadValue as bad:
            self.errors.append(
                Remark("value", bad.token.index, name, f"{name} {bad}", bad.suggestion, key=token.key)
            )
            return
        if option.deprecated is not None:
            self.notices.append(self._deprecated(option, name, token))
        self.given[option.dest] = Given(option, name, value, token.index, token.key)

    def _value(self, option: Option, name: str, arguments: Sequence[Token]) -> Any:
        if option.action in ("true", "false"):
            return option.action == "true"
        if option.action == "bool":
            return name not in option.off
        if option.nargs == "?" and not arguments:
            return option.const
        values = [self._convert(option, argument) for argument in arguments]
        if option.action == "store-bool":
            return _store_bool(arguments, values)
        if option.action == "lora-modules":
            return _lora_modules(arguments, values, self.release.classes.get(option.keys, {}))
        value = values[0] if option.nargs in (None, "?") else values
        if option.action == "append":
            before = self.given.get(option.dest)
            return [*(before.value if before else option.default or []), value]
        return value

    def _convert(self, option: Option, argument: Token) -> Any:
        """The value; None for one that is known only in the cluster, also inside JSON, where it is
        escaped.
        """
        if UNKNOWN in argument.text or "\\u0000" in argument.text:
            return None
        try:
            value = convert(option.type, argument.text, self.release)
        except (ValueError, OverflowError, RecursionError) as error:
            what = "" if "class:" in option.type else f"has '{shown(argument.text)}', which "
            raise _BadValue(argument, f"{what}{error}") from None
        if option.choices is not None and value not in option.choices:
            choices = [str(choice) for choice in option.choices if choice is not None]
            message = f"has '{shown(argument.text)}', but takes one of {_listed(choices)}"
            raise _BadValue(argument, message, closest(argument.text.lower(), choices, 0.7))
        return value

    def _unknown(self, token: Token) -> Remark:
        name = token.text.partition("=")[0]
        message = f"vLLM {self.release.version} has no option {shown(name)}"
        suggestion = closest(name.lower(), self.release.beginning("--"), 0.7)
        if elsewhere := catalog.having(name):
            age = catalog.version_key(self.release.version)
            earlier = [version for version in elsewhere if catalog.version_key(version) < age]
            message += f", last seen in {earlier[-1]}" if earlier else f", new in {elsewhere[0]}"
            suggestion = self._successor(name, earlier[-1]) if earlier else ""
        return Remark("unknown", token.index, name, message, suggestion, key=token.key)

    def _successor(self, name: str, last: str) -> str:
        """The option that took the place of one that went, by vLLM's own words or by its `dest`."""
        before = catalog.load(last).options[name]
        if before.deprecated and before.deprecated.use.partition(".")[0] in self.release.options:
            return before.deprecated.use
        same = next((each for each in self.release.options.values() if each.dest == before.dest), None)
        return same.name if same else closest(name.lower(), self.release.options, 0.8)

    def _deprecated(self, option: Option, name: str, token: Token) -> Remark:
        removal = option.deprecated.removal if option.deprecated else ""
        message = f"{name} is deprecated in vLLM {self.release.version}"
        message += f" and was to go in {removal}" if removal else ""
        suggestion = option.deprecated.use if option.deprecated else ""
        return Remark("deprecated", token.index, name, message, suggestion, key=token.key)


_NEEDS: dict[Any, str] = {
    None: "needs a value",
    "+": "needs at least one value",
}


class _BadValue(Exception):
    def __init__(self, token: Token, message: str, suggestion: str = "") -> None:
        super().__init__(message)
        self.token = token
        self.suggestion = suggestion


def _count(option: Option, following: Sequence[_Named | str]) -> int | None:
    """How many of the arguments behind an option are its values; None where there are too few."""
    if not option.takes_value:
        return 0
    exact = option.nargs if isinstance(option.nargs, int) else None
    most = exact or (1 if option.nargs in (None, "?") else len(following))
    least = exact or (0 if option.nargs in ("?", "*") else 1)
    available = 0
    while available < min(most, len(following)) and following[available] == "A":
        available += 1
    return available if available >= least else None


def _store_bool(arguments: Sequence[Token], values: Sequence[Any]) -> bool:
    """`--enable-x` with an optional `true` or `false`, as in vLLM up to 0.8."""
    text = str(arguments[0].text).lower() if values else "true"
    if text not in ("true", "false"):
        raise _BadValue(arguments[0], f"has '{shown(arguments[0].text)}', but takes true or false")
    return text == "true"


def _lora_modules(arguments: Sequence[Token], values: Sequence[Any], known: Mapping[str, Any]) -> list[Any]:
    """Each is `name=path`, or a JSON object with the fields of `known`."""
    modules: list[Any] = []
    for argument, value in zip(arguments, values, strict=True):
        if value in (None, ""):
            continue
        if "=" in value and "," not in value:
            name, _, path = value.partition("=")
            modules.append({"name": name, "path": path})
            continue
        try:
            module = json.loads(value)
        except (ValueError, RecursionError):
            raise _BadValue(argument, f"has '{shown(value)}', which is neither NAME=PATH nor JSON") from None
        if not isinstance(module, dict):
            raise _BadValue(argument, f"has '{shown(value)}', which is not a JSON object")
        if unknown := sorted(set(module) - set(known.get("fields", module))):
            raise _BadValue(argument, f"has the unknown key '{unknown[0]}'")
        if missing := [key for key in known.get("required", ()) if key not in module]:
            raise _BadValue(argument, f"lacks {join(missing)}")
        modules.append(module)
    return modules


def _listed(words: Sequence[str]) -> str:
    shown = ", ".join(words[:12])
    return f"{shown}, ... ({len(words)} in all)" if len(words) > 12 else shown
