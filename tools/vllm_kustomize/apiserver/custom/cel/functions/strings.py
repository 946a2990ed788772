"""Functions of texts: cel-go's ext.Strings up to its version 2, and Kubernetes' `find` and `findAll`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vllm_kustomize.apiserver.custom.cel.functions.standard import show_double, to_string
from vllm_kustomize.apiserver.custom.cel.values import (
    CelError,
    Duration,
    NoOverload,
    Timestamp,
    Unsupported,
    get,
    is_list,
    is_map,
    keys,
)

_LONGEST = 1 << 20
"""Characters that a text may come to; a rule that makes more is not judged."""
_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006"
    "\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
_UPPER = {code: code - 32 for code in range(ord("a"), ord("z") + 1)}
_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_QUOTES = {
    "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r",
    "\t": "\\t", "\v": "\\v", "\\": "\\\\", '"': '\\"',
}  # fmt: skip


def _text(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    raise NoOverload(name, value)


def _number(name: str, value: Any) -> int:
    if type(value) is int:
        return value
    raise NoOverload(name, value)


def char_at(value: Any, index: Any) -> str:
    """The character at an index; an empty text behind the last."""
    text, at = _text("charAt", value), _number("charAt", index)
    if not 0 <= at <= len(text):
        raise CelError(f"index out of range: {at}")
    return text[at : at + 1]


def index_of(value: Any, part: Any, start: Any = 0) -> int:
    """Where a text is first found in another, or -1."""
    text, wanted, at = _text("indexOf", value), _text("indexOf", part), _number("indexOf", start)
    if not wanted:
        return at
    if not 0 <= at <= len(text):
        raise CelError(f"index out of range: {at}")
    return text.find(wanted, at)


def last_index_of(value: Any, part: Any, start: Any = None) -> int:
    """Where a text is last found in another, up to an index, or -1."""
    text, wanted = _text("lastIndexOf", value), _text("lastIndexOf", part)
    at = len(text) if start is None else _number("lastIndexOf", start)
    if not wanted:
        return at
    if not 0 <= at <= len(text):
        raise CelError(f"index out of range: {at}")
    return text.rfind(wanted, 0, at + len(wanted))


def replace(value: Any, old: Any, new: Any, count: Any = -1) -> str:
    """A text with one part put instead of another."""
    text, before, after = _text("replace", value), _text("replace", old), _text("replace", new)
    times = _number("replace", count)
    if len(text) + len(text) * len(after) > _LONGEST:
        raise Unsupported("it makes a text that is too long")
    return text.replace(before, after, max(times, -1))


def split(value: Any, separator: Any, count: Any = -1) -> list[str]:
    """The parts of a text between separators."""
    text, mark, most = _text("split", value), _text("split", separator), _number("split", count)
    if most == 0:
        return []
    if not mark:
        parts = list(text)
        return parts if most < 0 or most >= len(parts) else [*parts[: most - 1], "".join(parts[most - 1 :])]
    return text.split(mark, most - 1 if most > 0 else -1)


def substring(value: Any, start: Any, end: Any = None) -> str:
    """The characters from one index up to another."""
    text = _text("substring", value)
    first = _number("substring", start)
    last = len(text) if end is None else _number("substring", end)
    if not 0 <= first <= last <= len(text):
        raise CelError(f"index out of range: {first}, {last}")
    return text[first:last]


def join(value: Any, separator: Any = "") -> str:
    """The texts of a list as one."""
    if not is_list(value) or not isinstance(separator, str):
        raise NoOverload("join", value, separator)
    parts = [_text("join", part) for part in value]
    if sum(map(len, parts)) + len(separator) * len(parts) > _LONGEST:
        raise Unsupported("it makes a text that is too long")
    return separator.join(parts)


def quote(value: Any) -> str:
    """A text in quotes with its control characters escaped."""
    return '"' + "".join(_QUOTES.get(letter, letter) for letter in _text("quote", value)) + '"'


def find(value: Any, pattern: Any) -> str:
    """The first match of a regular expression."""
    found = find_all(value, pattern, 1)
    return found[0] if found else ""


def find_all(value: Any, pattern: Any, count: Any = -1) -> list[str]:
    """All matches of a regular expression, or so many of them."""
    text, wanted, most = _text("findAll", value), _text("findAll", pattern), _number("findAll", count)
    try:
        import re2
    except ImportError:
        raise Unsupported("find() and findAll() need the package google-re2") from None
    try:
        found = [match[0] for match in re2.finditer(wanted, text)]
    except re2.error:
        raise CelError(f"{wanted} is not a regular expression") from None
    return found if most < 0 else found[:most]


def format_text(value: Any, arguments: Any) -> str:
    """`format`: %s, %d, %f, %b, %x, %X and %o, with a precision for %f."""
    template = _text("format", value)
    if not is_list(arguments):
        raise NoOverload("format", value, arguments)
    rest = list(arguments)
    result: list[str] = []
    position = 0
    while position < len(template):
        letter = template[position]
        position += 1
        if letter != "%":
            result.append(letter)
            continue
        if template[position : position + 1] == "%":
            result.append("%")
            position += 1
            continue
        precision = 6
        if template[position : position + 1] == ".":
            end = position + 1
            while end < len(template) and template[end].isdigit() and end - position < 5:
                end += 1
            if end == position + 1:
                raise CelError("a precision has no digits")
            precision, position = int(template[position + 1 : end]), end
        verb = template[position : position + 1]
        position += 1
        if not rest:
            raise CelError("there are fewer arguments than verbs")
        result.append(_formatted(verb, rest.pop(0), precision))
        if sum(map(len, result)) > _LONGEST:
            raise Unsupported("it makes a text that is too long")
    return "".join(result)


def _formatted(verb: str, value: Any, precision: int) -> str:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if verb == "s":
        return _shown(value)
    if verb == "d" and isinstance(value, int) and not isinstance(value, bool):
        return str(int(value))
    if verb == "f" and number:
        return f"{float(value):.{precision}f}"
    if verb == "e" and number:
        raise Unsupported("%e is written as the server's language has it")
    if verb == "b" and isinstance(value, int):
        return f"{int(value):b}"
    if verb == "o" and isinstance(value, int) and not isinstance(value, bool):
        return f"{int(value):o}"
    if verb in ("x", "X") and isinstance(value, (int, str, bytes)) and not isinstance(value, bool):
        shown = f"{int(value):x}" if isinstance(value, int) else _raw(value).hex()
        return shown.upper() if verb == "X" else shown
    raise CelError(f"%{verb} does not take such a value")


def _raw(value: str | bytes) -> bytes:
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value


def _nested(value: Any) -> str:
    if isinstance(value, (bytes, Duration, Timestamp)):
        raise Unsupported("such a value inside of another is written as the server's language has it")
    return quote(value) if isinstance(value, str) else _shown(value)


def _shown(value: Any) -> str:
    if is_list(value):
        return f"[{', '.join(map(_nested, value))}]"
    if is_map(value):
        entries = sorted(f"{_nested(key)}:{_nested(get(value, key))}" for key in keys(value))
        return f"{{{', '.join(entries)}}}"
    if value is None:
        return "null"
    if isinstance(value, float):
        return show_double(value)
    if isinstance(value, (Duration, Timestamp)) or hasattr(value, "CEL_TYPE"):
        return to_string(value)
    if hasattr(value, "name"):
        return str(value.name)
    return to_string(value)


FUNCTIONS: dict[tuple[str, int], Callable[..., Any]] = {("strings.quote", 1): quote}
METHODS: dict[tuple[str, int], Callable[..., Any]] = {
    ("charAt", 2): char_at,
    ("indexOf", 2): index_of,
    ("indexOf", 3): index_of,
    ("lastIndexOf", 2): last_index_of,
    ("lastIndexOf", 3): last_index_of,
    ("lowerAscii", 1): lambda value: _text("lowerAscii", value).translate(_LOWER),
    ("upperAscii", 1): lambda value: _text("upperAscii", value).translate(_UPPER),
    ("replace", 3): replace,
    ("replace", 4): replace,
    ("split", 2): split,
    ("split", 3): split,
    ("substring", 2): substring,
    ("substring", 3): substring,
    ("trim", 1): lambda value: _text("trim", value).strip(_SPACE),
    ("join", 1): join,
    ("join", 2): join,
    ("format", 2): format_text,
    ("find", 2): find,
    ("findAll", 2): find_all,
    ("findAll", 3): find_all,
}
