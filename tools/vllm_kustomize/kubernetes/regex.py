"""Regular expressions as Go has them, in time linear to the text.

The API server and Kustomize compile patterns with Go's regexp package: RE2's syntax, and its guarantee that
no pattern takes exponential time. The `regex` crate behind jsonschema-rs gives the same guarantee, and its
wheels exist for musl too, which google-re2 has none for; Python's `re` gives no such guarantee. The crate is
reached through the patterns of a JSON schema, which spell a few things differently, so that a pattern is
rewritten first. What cannot be rewritten is not judged: a repeated assertion (`$*`), flags that are repeated,
word boundaries in a text beyond ASCII. Syntax: https://github.com/google/re2/wiki/Syntax
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import jsonschema_rs

_SPACE = r"\t\n\f\r "
_NO_SPACE = "\\x00-\\x08\\x0B\\x0E-\\x1F!-\U0010ffff"
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
    r"|\\(?P<property>[pP])(?:(?P<letter>[A-Z])|\{(?P<not_script>\^?)(?P<script>\w+)\})"
    r"|\\(?P<escape>x[0-9A-Fa-f]{2}|.)"
    r"|\[:(?P<not>\^?)(?P<class>[a-z]+):\]"
    r"|\(\?P?<(?P<name>\w+)>"
    r"|\(\?(?P<flags>(?=[imsU-]+[:)])[imsU]*(?:-[imsU]+)?)(?P<scope>[:)])"
    r"|(?P<other>.)",
    re.DOTALL,
)
_COUNT = re.compile(r"([0-9]+)(?:,([0-9]*))?\}")
_MOST_REPEATED = 1000
"""What Go allows in `{n,m}` (regexp/syntax)."""
_BOUNDARY = re.compile(r"(?<!\\)(?:\\\\)*\\[bB]")
_PLAIN_ESCAPES = frozenset("bBdDfnrtvwW") | {"x"}


class UnknownSyntax(ValueError):
    """The pattern is not a regular expression of Go's, or one that cannot be rewritten."""


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern is found anywhere in a text; raises UnknownSyntax.

    Go knows the boundaries of words in ASCII, the crate in Unicode: with one, other texts are not judged.
    """
    if not text.isascii() and _BOUNDARY.search(pattern):
        raise UnknownSyntax(pattern)
    return bool(_compiled(pattern).is_valid(text))


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> Any:
    try:
        schema = {"pattern": "".join(_rewritten(pattern))}
        return jsonschema_rs.Draft7Validator(schema, pattern_options=jsonschema_rs.RegexOptions())
    except (jsonschema_rs.ValidationError, ValueError):
        raise UnknownSyntax(pattern) from None


def _rewritten(pattern: str) -> Iterator[str]:
    """The pattern piece by piece, in the syntax that JSON schemas and Go share."""
    in_class, opened = False, 0
    groups: list[list[str]] = [[]]  # the flags that were switched on within each open group
    for match in _TOKEN.finditer(pattern):
        if match["literal"] is not None:
            yield re.sub(r"([][\\^$.|?*+(){}/-])", r"\\\1", match["literal"])
        elif match["octal"] or match["hex"]:
            code = int(match["octal"], 8) if match["octal"] else int(match["hex"], 16)
            if code > sys.maxunicode:
                raise UnknownSyntax(pattern)
            yield f"\\x{code:02x}" if code < 256 else re.escape(chr(code))
        elif match["property"]:
            outside = (match["property"] == "P") != bool(match["not_script"])
            yield f"\\{'P' if outside else 'p'}{{{match['letter'] or match['script']}}}"
        elif match["escape"]:
            yield _escape(match["escape"], in_class)
        elif match["class"] is not None:
            if not in_class or match["class"] not in _CLASSES:
                raise UnknownSyntax(pattern)
            yield _complement(match["class"]) if match["not"] else _CLASSES[match["class"]]
        elif match["name"] is not None:
            groups.append([])
            yield "("
        elif match["flags"]:
            opening = f"(?{_without_greed(match['flags'])}:"
            if match["scope"] == ":":
                groups.append([])
            else:
                groups[-1].append(opening)
            yield opening
        elif in_class:
            in_class = match["other"] != "]" or match.start() == opened
            yield f"\\{match['other']}" if match["other"] in "[]&~" and in_class else match["other"]
        else:
            other = match["other"]
            if other == "[":
                in_class = True
                opened = match.end() + pattern.startswith("^", match.end())
                yield other
            elif other == "{":
                yield other if _is_count(pattern, match.end()) else "\\{"
            elif other == "}":
                yield other if _COUNT.match(pattern, pattern.rfind("{", 0, match.start()) + 1) else "\\}"
            elif other == "]":
                yield "\\]"
            elif other == "(":
                groups.append([])
                yield other
            elif other == ")":
                yield ")" * (1 + len(groups.pop() if len(groups) > 1 else ()))
            elif other == "|":
                yield f"{')' * len(groups[-1])}|{''.join(groups[-1])}"
            else:
                yield other
    yield ")" * len(groups[0])


def _is_count(pattern: str, position: int) -> bool:
    """Whether what stands behind a `{` makes it a repetition; raises UnknownSyntax for one of too many."""
    count = _COUNT.match(pattern, position)
    if count and any(len(times) > 4 or int(times) > _MOST_REPEATED for times in count.groups() if times):
        raise UnknownSyntax(pattern)
    return count is not None


def _without_greed(flags: str) -> str:
    """The flags without `U`, which changes how much is matched and not whether something is."""
    return flags.replace("U", "").removesuffix("-")


@lru_cache(maxsize=32)
def _complement(name: str) -> str:
    """The ranges of all characters that are not in a class of ASCII."""
    inside = re.compile(f"[{_CLASSES[name]}]")
    others = "".join(f"\\x{code:02x}" for code in range(128) if not inside.match(chr(code)))
    return f"{others}\x80-\U0010ffff"


def _escape(escape: str, in_class: bool) -> str:
    if escape in "sS":
        ranges = _SPACE if escape == "s" else _NO_SPACE
        return ranges if in_class else f"[{ranges}]"
    if escape in ("A", "z"):
        return "^" if escape == "A" else "$"
    if escape == "a":
        return r"\x07"
    if escape[0] in _PLAIN_ESCAPES or not escape.isalnum():
        return f"\\{escape}"
    raise UnknownSyntax(escape)
