"""Find a word of a value in the text that spells the value."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import replace
from functools import lru_cache

from vllm_kustomize.model import Location

_QUOTES = re.compile(r"[\"'\\]*")
_WORD = re.compile(r"[^\s\"'\\]+")
"""What YAML writes as it is in every style of scalar: blanks may be folded, and the others escaped."""

_AT_MOST_LONGER = 16
"""How many times as long as its value a scalar may be, with escapes and indentation, to be looked through."""


def word_in(text: str, scalar: Location, value: str, offset: int) -> Location:
    """Where the word at an offset of a value stands; the value's own place where it is not found.

    `text` is the file's and `scalar` where the value begins there. Styles of YAML change blanks and quotes
    only, so the word has as many of its kind before it in the file as in the value.
    """
    quotes = _QUOTES.match(value, offset)
    word = _WORD.match(value, quotes.end()) if quotes else None
    if word is None:
        return scalar
    begins = _line_begins(text)
    position = begins[scalar.line - 1] + scalar.column - 1
    before = bisect_left(_occurrences(value, 0, len(value), word[0]), word.start())
    places = _occurrences(text, position, position + _AT_MOST_LONGER * len(value), word[0])
    if before >= len(places):
        return scalar
    found = places[before]
    line = bisect_right(begins, found)
    return replace(scalar, line=line, column=found - begins[line - 1] + 1, begins=scalar.line)


@lru_cache(maxsize=1024)
def _occurrences(text: str, begin: int, end: int, word: str) -> list[int]:
    """Where a word stands in a part of a text; many findings may ask for one that is repeated."""
    return [found.start() for found in re.compile(re.escape(word)).finditer(text, begin, end)]


@lru_cache(maxsize=1)
def _line_begins(text: str) -> list[int]:
    """Where each line begins; the words of one file are asked for in a row."""
    return [0, *(found.end() for found in re.finditer("\n", text))]
