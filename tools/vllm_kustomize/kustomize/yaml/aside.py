"""Set the schemas of CustomResourceDefinitions aside: thousands of lines that a build seldom looks into.

A schema in block style ends where the indentation does, so its lines are found without parsing them. They are
read once somebody asks for what they hold: a patch that goes there, or a fault that stands there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from itertools import pairwise
from typing import NamedTuple

KEY = "openAPIV3Schema"

_LONG = 20_000
"""Characters from which a text is worth looking through."""
_SEPARATOR = re.compile(r"^---", re.MULTILINE)
_DEFINITION = re.compile(r"^kind: *CustomResourceDefinition *$", re.MULTILINE)
_SCHEMA = re.compile(rf"^( +){KEY}: *\n((?:\1 +.*\n|[ \t]*\n)+)", re.MULTILINE)
_ANCHOR = re.compile(r"(?<![^\s\[{,])[&*]\w")


class Aside(NamedTuple):
    """Lines that were taken out of a text: how many stand above them, and what they are."""

    above: int
    text: str


def set_aside(text: str) -> tuple[str, Mapping[int, Aside]]:
    """Take out the schemas of a text, leaving empty lines.

    Returns the shorter text, and what was taken out by the line (from 0) of its key. An anchor may tie a
    schema to the rest of its document, so where there is one nothing is taken out.
    """
    if len(text) < _LONG or KEY not in text or _ANCHOR.search(text):
        return text, {}
    asides: dict[int, Aside] = {}
    parts: list[str] = []
    line = 0
    for document in _documents(text):
        part = document
        if _DEFINITION.search(document):
            part = _SCHEMA.sub(partial(_take, line, asides), document)
        parts.append(part)
        line += document.count("\n")
    return "".join(parts), asides


def _documents(text: str) -> list[str]:
    begins = [found.start() for found in _SEPARATOR.finditer(text)]
    places = [0, *begins, len(text)]
    return [text[begin:end] for begin, end in pairwise(places)]


def _take(line: int, asides: dict[int, Aside], found: re.Match[str]) -> str:
    key_line = line + found.string.count("\n", 0, found.start())
    asides[key_line] = Aside(key_line + 1, found[2])
    return f"{found[1]}{KEY}:\n" + "\n" * found[2].count("\n")
