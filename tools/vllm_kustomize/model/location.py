"""Places in source files."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Precision(IntEnum):
    """How sure a location is: the place that set the value, or only where to begin to look."""

    FILE = 1
    OBJECT = 2
    PARENT = 3
    EXACT = 4

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a source file; `line` and `column` count from 1 and point at the value.

    `begins` is the line where the value begins, where the place is a word further inside of it;
    `end_column` the column behind the value, or 0 where that is not known or not to be told.
    """

    file: str
    line: int
    column: int
    note: str = ""
    precision: Precision = Precision.EXACT
    begins: int = 0
    end_column: int = 0


RENDERED = "rendered here"
"""The note of the place in rendered YAML, where the finding itself names the template behind it."""
