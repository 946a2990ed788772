"""Find a word of a value in the text that spells the value."""

from __future__ import annotations

import re
from dataclasses import replace

from vllm_kustomize.model import Location

_QUOTES = re.compile(r"[\"'\\]*")
_WORD = re.compile(r"[^\s\"'\\]+")
"""What YAML writes as it is in every style of scalar: blanks may be folded, and the others escaped."""


def word_in(text: str, scalar: Location, value: str, offset: int) -> Location:
    """Where the word at an offset of a value stands; the value's own place where it is not found.

    `text` is the file's and `scalar` where the value begins there. Styles of YAML change blanks and quotes
    only, so the word has as many of its kind before it in the file as in the value.
    """
    quotes = _QUOTES.match(value, offset)
    word = _WORD.match(value, quotes.end()) if quotes else None
    if word is None:
        return scalar
    position = _index(text, scalar)
    for _ in range(value.count(word[0], 0, word.start()) + 1):
        found = text.find(word[0], position)
        if found < 0:
            return scalar
        position = found + len(word[0])
    line = text.count("\n", 0, found)
    column = found - (text.rfind("\n", 0, found) + 1)
    return replace(scalar, line=line + 1, column=column + 1, begins=scalar.line)


def _index(text: str, place: Location) -> int:
    start = 0
    for _ in range(place.line - 1):
        start = text.find("\n", start) + 1
    return start + place.column - 1
