"""What the values of vLLM's options mean: each type of the catalog as a function from text.

The types are those of `vllm/engine/arg_utils.py` and `vllm/utils/argparse_utils.py`; JSON for a configuration
class is judged as pydantic judges JSON in its lax mode (https://docs.pydantic.dev/latest/concepts/conversion_table/).
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from vllm_kustomize.vllm.cli.catalog import Release
from vllm_kustomize.wording import did_you_mean, shorten

_SIZE = re.compile(r"(\d+(?:\.\d+)?)([kKmMgGtT])")
_SIZE_IN_JSON = re.compile(r"\b\d+(?:\.\d+)?[kKmMgGtT]\b")
_STRING_IN_JSON = re.compile(r'("(?:[^"\\]|\\.)*"?)')
_DECIMAL = {"k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_BINARY = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_TRUE = frozenset(("1", "on", "t", "true", "y", "yes"))
_FALSE = frozenset(("0", "off", "f", "false", "n", "no"))
_INTEGER = re.compile(r"[+-]?\d+(?:_\d+)*(?:\.0*)?")
_MOST_DIGITS = 4300
"""What int() reads at most, in the Python of vLLM's images (sys.int_info.default_max_str_digits)."""
_NO_INTEGER = "is not a whole number"


def convert(kind: str, text: str, release: Release) -> Any:
    """The value that vLLM makes of `text` for an option of type `kind`.

    `kind` may be wrapped, as in `optional:int` (an empty text and `None` are None) and `checked:json` (the
    same value, with another message). Raises `ValueError` that says what is wrong with the value, as the
    end of a sentence that begins with it.
    """
    wrapper, _, inner = kind.partition(":")
    if wrapper == "optional":
        return None if text in ("", "None") else convert(inner, text, release)
    if wrapper == "checked":
        return convert(inner, text, release)
    if wrapper == "level" and text in ("0", "1", "2", "3"):
        return {"level": int(text)}
    if wrapper == "level":
        return convert(inner, text, release)
    if wrapper in ("class", "literal"):
        return _of_class(inner, text, release, literal=wrapper == "literal")
    converter = _CONVERTERS.get(kind)
    return text if converter is None else converter(text)


def size(text: str) -> int:
    """`1k` is 1000, `1K` is 1024, `25.6k` is 25600; raises `ValueError` for decimals before K, M, G or T."""
    text = text.strip()
    match = _SIZE.fullmatch(text)
    if match is None:
        return _integer(
            text, "is not a whole number, nor one with k, m, g, t (decimal) or K, M, G, T (binary)"
        )
    number, suffix = match.groups()
    if suffix in _DECIMAL:
        return _decimal(number, _DECIMAL[suffix])
    if "." in number:
        raise ValueError(
            f"has a fraction before the binary {suffix}; {number}{suffix.lower()} would be decimal"
        )
    return _integer(number, _NO_INTEGER) * _BINARY[suffix]


def _decimal(number: str, factor: int) -> int:
    try:
        return int(float(number) * factor)
    except OverflowError:
        raise ValueError(_NO_INTEGER) from None


def _size_or_auto(text: str) -> int:
    return -1 if text.strip() == "-1" or text.strip().lower() == "auto" else size(text)


def _integer(text: str, otherwise: str) -> int:
    try:
        if len(text) > _MOST_DIGITS:
            raise ValueError
        return int(text)
    except ValueError:
        raise ValueError(otherwise) from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError("is not a number") from None


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("is JSON that is nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"is not valid JSON: {error}") from None


def _literal(text: str) -> Any:
    import ast

    try:
        return ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise ValueError("is not a Python literal, which this release takes instead of JSON") from None


def _json_or_text(text: str) -> Any:
    """A JSON object, or any other text as it is."""
    stripped = text.strip()
    return _json(text) if stripped.startswith("{") and stripped.endswith("}") else text


def _device_ids(text: str) -> list[int | str]:
    parts = (part.strip() for part in text.split(","))
    return [int(part) if part.isdecimal() and len(part) < _MOST_DIGITS else part for part in parts]


def _key_values(text: str) -> dict[str, int]:
    """`image=16,video=2`, as vLLM read limits before they were JSON."""
    pairs: dict[str, int] = {}
    for item in text.split(","):
        key, equals, value = item.partition("=")
        if not equals or "=" in value:
            raise ValueError("is not a list of KEY=VALUE pairs")
        if key in pairs:
            raise ValueError(f"has '{key}' more than once")
        pairs[key.lower().strip()] = _integer(
            value, f"has '{value}' for '{key}', which is not a whole number"
        )
    return pairs


_CONVERTERS: dict[str, Callable[[str], Any]] = {
    "int": lambda text: _integer(text, _NO_INTEGER),
    "float": _number,
    "bool": bool,
    "json": _json,
    "json-or-str": _json_or_text,
    "size": size,
    "size-or-auto": _size_or_auto,
    "key-values": _key_values,
    "device-ids": _device_ids,
    "lower": lambda text: text.lower().replace("-", "_"),
}


def _of_class(name: str, text: str, release: Release, literal: bool) -> Any:
    """JSON for a configuration class, or, as vLLM took it up to 0.8, a Python literal."""
    if "json_sizes" in release.behaviours:
        text = _expand_sizes(text)
    value = _literal(text) if literal else _json(text)
    problem = next(class_problems(name, value, release), None)
    if problem:
        raise ValueError(problem)
    return value


def _expand_sizes(text: str) -> str:
    """Write bare `80m` or `4K` in JSON out as numbers; strings stay as they are."""
    if not _SIZE_IN_JSON.search(text):
        return text
    parts = _STRING_IN_JSON.split(text)
    parts[::2] = [_SIZE_IN_JSON.sub(lambda match: str(size(match[0])), part) for part in parts[::2]]
    return "".join(parts)


def class_problems(name: str, value: Any, release: Release, at: str = "") -> Iterator[str]:
    """What is wrong with a JSON value for a configuration class, each as the end of a sentence."""
    place = f" at '{at}'" if at else ""
    if not isinstance(value, Mapping):
        yield f"is not a JSON object{place}"
        return
    entry = release.classes.get(name, {"fields": {}, "open": True})
    fields = entry["fields"]
    for key, item in value.items():
        inner = f"{at}.{key}" if at else key
        if key in fields:
            yield from _problems(fields[key], item, release, inner)
        elif not entry.get("open"):
            yield f"has the unknown key '{inner}'{did_you_mean(key, fields)}"
    for key in entry.get("required", ()):
        if key not in value:
            yield f"lacks '{at}.{key}'" if at else f"lacks '{key}'"
    for key, needs in entry.get("needs", {}).items():
        given = value.get(key)
        for need in needs:
            others = need["with"]
            if given and given in need.get("values", [given]) and all(value.get(o) is None for o in others):
                what = f"{_show(given)} for '{key}'" if "values" in need else f"'{key}'"
                yield f"has {what}{place} without {_either(others)}"


def _problems(kind: Any, value: Any, release: Release, at: str) -> Iterator[str]:
    """What pydantic's lax mode would refuse about a JSON value of one field."""
    shape = kind if isinstance(kind, Mapping) else {"type": kind}
    name = shape["type"]
    if name == "class":
        yield from class_problems(shape["name"], value, release, at)
    elif name == "union":
        yield from _union_problems(shape["of"], value, release, at)
    elif name == "raw":
        yield from _raw_problems(shape, value, at)
    elif name == "literal":
        if not any(
            value == each and isinstance(value, bool) == isinstance(each, bool) for each in shape["of"]
        ):
            yield f"has {_show(value)} at '{at}', which takes {_either(shape['of'])}"
    elif name == "list":
        if not isinstance(value, list):
            yield f"has {_show(value)} at '{at}', which takes a list"
            return
        for index, item in enumerate(value):
            yield from _problems(shape["of"], item, release, f"{at}[{index}]")
    elif name == "dict":
        if not isinstance(value, Mapping):
            yield f"has {_show(value)} at '{at}', which takes an object"
            return
        for key, item in value.items():
            yield from _problems(shape["of"], item, release, f"{at}.{key}")
    elif name != "any":
        takes, fits = _SCALARS[name]
        if not fits(value):
            yield f"has {_show(value)} at '{at}', which takes {takes}"
        else:
            yield from _bound_problems(shape, value, at)


def _raw_problems(shape: Mapping[str, Any], value: Any, at: str) -> Iterator[str]:
    """Of a field whose own code sees the value first: what it was found to refuse."""
    words = shape.get("words")
    if value is None and "null" in shape["refuses"]:
        yield f"has null at '{at}', which it does not take"
    elif isinstance(value, str) and words and _plain(value) not in map(_plain, words):
        yield f"has {_show(value)} at '{at}', which takes {_either(words)}"


def _plain(word: str) -> str:
    return word.lower().replace("-", "_")


def _union_problems(kinds: Any, value: Any, release: Release, at: str) -> Iterator[str]:
    found: list[str] = []
    for kind in kinds:
        problems = list(_problems(kind, value, release, at))
        if not problems:
            return
        found = found or problems
    yield from found


def _bound_problems(shape: Mapping[str, Any], value: Any, at: str) -> Iterator[str]:
    for key, (sign, holds) in _BOUNDS.items():
        if key in shape and not holds(float(value), shape[key]):
            yield f"has {_show(value)} at '{at}', which must be {sign} {shape[key]}"


_BOUNDS: dict[str, tuple[str, Callable[[float, float], bool]]] = {
    "gt": (">", operator.gt),
    "ge": (">=", operator.ge),
    "lt": ("<", operator.lt),
    "le": ("<=", operator.le),
}


def _is_integer(value: Any) -> bool:
    if isinstance(value, str):
        return _INTEGER.fullmatch(value.strip()) is not None
    return isinstance(value, int) or (isinstance(value, float) and value.is_integer())


def _is_number(value: Any) -> bool:
    if isinstance(value, str):
        try:
            float(value)
        except ValueError:
            return False
        return True
    return isinstance(value, int | float)


def _is_boolean(value: Any) -> bool:
    if isinstance(value, str):
        return value.lower() in _TRUE | _FALSE
    return isinstance(value, int | float) and value in (0, 1)


_SCALARS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "int": ("a whole number", _is_integer),
    "float": ("a number", _is_number),
    "bool": ("true or false", _is_boolean),
    "str": ("a string", lambda value: isinstance(value, str)),
    "none": ("null", lambda value: value is None),
}


def _show(value: Any) -> str:
    return shorten(json.dumps(value, ensure_ascii=False))


def _either(values: list[Any]) -> str:
    return "one of " + ", ".join(map(_show, values)) if len(values) > 1 else _show(values[0])
