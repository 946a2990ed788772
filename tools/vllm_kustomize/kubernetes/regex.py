"""Regular expressions as Go has them, in time linear to the text.

The API server compiles patterns with Go's regexp package: RE2's syntax, and its guarantee that no pattern
takes exponential time. The `regex` crate behind jsonschema-rs gives the same guarantee, and its wheels exist
for musl too; Python's `re` gives none. The crate is reached through the patterns of a JSON schema, which
spell a few things differently, so that a pattern is rewritten first. Syntax:
https://github.com/google/re2/wiki/Syntax
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import jsonschema_rs

_SPACE = r"\t\n\f\r "
_CLASSES = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "ascii": r"\x00-\x7F", "blank": r"\t ",
    "cntrl": r"\x00-\x1F\x7F",
    "digit": "0-9", "graph": "!-~", "lower": "a-z", "print": " -~", "punct": r"!-\/:-@\[-`{-~",
    "space": r"\t\n\x0B\f\r ", "upper": "A-Z", "word": "0-9A-Za-z_", "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_TOKEN = re.compile(
    r"\\Q(?P<literal>.*?)(?:\\E|\Z)"
    r"|\\(?P<octal>0[0-7]{0,2}|[1-7][0-7]{1,2})"
    r"|\\x\{(?P<hex>[0-9A-Fa-f]{1,6})\}"
    r"|\\(?P<property>[pP])(?P<letter>[A-Z])"
    r"|\\(?P<escape>[pP]\{\^?\w+\}|x[0-9A-Fa-f]{2}|.)"
    r"|\[:(?P<not>\^?)(?P<class>[a-z]+):\]"
    r"|\(\?P?<(?P<name>\w+)>"
    r"|\(\?(?P<flags>[ims]+)\)"
    r"|(?P<other>.)",
    re.DOTALL,
)
_COUNT = re.compile(r"[0-9]+(,[0-9]*)?\}")
_PLAIN_ESCAPES = frozenset("abBdDfnrtvwW") | {"x", "p", "P"}


class UnknownSyntax(ValueError):
    """The pattern is not a regular expression of Go's, or one that cannot be rewritten."""


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern is found anywhere in a text; raises UnknownSyntax."""
    return bool(_compiled(pattern).is_valid(text))


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> Any:
    try:
        schema = {"pattern": "".join(_rewritten(pattern))}
        return jsonschema_rs.Draft7Validator(schema, pattern_options=jsonschema_rs.RegexOptions())
    except (jsonschema_rs.ValidationError, ValueError):
        raise UnknownSyntax(pattern) from None


def _rewritten(pattern: str) -> Iterator[str]:
    """The pattern piece by piece, in the syntax that JSON schemas and Go share."""
    in_class, opened = False, 0
    groups = [0]  # how many groups that carry a flag end with each group of the pattern
    for match in _TOKEN.finditer(pattern):
        if match["literal"] is not None:
            yield re.sub(r"([][\\^$.|?*+(){}/-])", r"\\\1", match["literal"])
        elif match["octal"] or match["hex"]:
            code = int(match["octal"], 8) if match["octal"] else int(match["hex"], 16)
            yield f"\\x{code:02x}" if code < 256 else re.escape(chr(code))
        elif match["property"]:
            yield f"\\{match['property']}{{{match['letter']}}}"
        elif match["escape"]:
            yield _escape(match["escape"], in_class)
        elif match["class"] is not None:
            if not in_class or match["not"] or match["class"] not in _CLASSES:
                raise UnknownSyntax(pattern)
            yield _CLASSES[match["class"]]
        elif match["name"] is not None:
            groups.append(0)
            yield "("
        elif match["flags"]:
            groups[-1] += 1
            yield f"(?{match['flags']}:"
        else:
            other = match["other"]
            if in_class:
                in_class = other != "]" or match.start() == opened
                yield "\\[" if other == "[" else "\\]" if other == "]" and in_class else other
            elif other == "[":
                in_class = True
                opened = match.end() + pattern.startswith("^", match.end())
                yield other
            elif other == "{" and not _COUNT.match(pattern, match.end()):
                yield "\\{"
            elif other == "(":
                groups.append(0)
                yield other
            elif other == ")":
                yield ")" * (1 + (groups.pop() if len(groups) > 1 else 0))
            else:
                yield other
    yield ")" * groups[0]


def _escape(escape: str, in_class: bool) -> str:
    if escape in "sS":
        if in_class and escape == "S":
            raise UnknownSyntax(escape)
        return _SPACE if in_class else f"[{'^' if escape == 'S' else ''}{_SPACE}]"
    if escape in ("A", "z"):
        return "^" if escape == "A" else "$"
    if escape == "a":
        return r"\x07"
    if escape[0] in _PLAIN_ESCAPES or not escape.isalnum():
        return f"\\{escape}"
    raise UnknownSyntax(escape)
