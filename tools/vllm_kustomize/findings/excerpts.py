"""Quote the line that a finding points at, without the values of secrets."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from vllm_kustomize.kubernetes.secrets import HIDDEN, hide_tokens
from vllm_kustomize.model import Finding, Location, Precision

MOST = 300
"""Characters that are quoted on either side of the place that a finding points at."""

_SECRET = re.compile(
    r"secret|token|passw|credential|(?:api|private|access)[-_.]?key|auth|stringData|/data/", re.IGNORECASE
)
_KEY = re.compile(r"\s*(?:- +)*(\"[^\"]*\"\s*|'[^']*'\s*|[^\s:'\"#\[{][^:#]*):(?=\s|$)")
_BEFORE_VALUE = re.compile(r"(\s*(?:- +)*(?:[\w./\"'-]+\s*:(?:\s+|$))?(?:--?[\w-]+=)?)(.*)")
_BEFORE_CONTENT = re.compile(r"\s*(?:- +)*(?:#.*)?")
_HARMLESS_KEYS = ("apiVersion", "kind", "metadata", "name", "namespace", "key", "path", "op", "secretName")
_SECRET_RULES = ("literal-secret", "literal-api-key")
_FAR_OUT = 1 << 30
_NEXT_DOCUMENT = "---"
_SECRET_PARENTS = ("data", "stringData", "binaryData", "literals", "secretGenerator")


def quote(findings: Iterable[Finding], texts: Mapping[str, str]) -> Iterator[Finding]:
    """Add to each finding what stands around its place, where `texts` (by file name) has it.

    The time that this takes is in proportion to the text, however many findings point at it.
    """
    files: dict[str, Excerpts] = {}
    for finding in findings:
        at = finding.location
        if at is None or at.precision == Precision.FILE or at.file not in texts:
            yield finding
            continue
        if at.file not in files:
            files[at.file] = Excerpts(texts[at.file])
        excerpt, begins = files[at.file].around(at, is_secret=_is_about_a_secret(finding))
        yield replace(finding, excerpt=excerpt, excerpt_from=begins) if excerpt else finding


def _is_about_a_secret(finding: Finding) -> bool:
    of_secret = finding.resource is not None and finding.resource.kind == "Secret"
    return finding.rule in _SECRET_RULES or (of_secret and finding.path[:1] in (("data",), ("stringData",)))


class Excerpts:
    """The lines of one file, as they may be shown.

    A line alone does not decide whether its value may be secret: the mapping around it and the keys above it
    count too. What looks like a secret and is none is hidden as well.
    """

    def __init__(self, text: str) -> None:
        # Not splitlines(): YAML knows fewer line breaks than Python does.
        self._lines = re.split(r"\r\n|\r|\n", text)
        separators = [index for index, line in enumerate(self._lines) if line == _NEXT_DOCUMENT]
        self._documents = [0, *separators, len(self._lines)]
        self._read: dict[int, Sequence[_Surroundings]] = {}
        self._shown: dict[tuple[int, bool], str] = {}

    def around(self, at: Location, *, is_secret: bool) -> tuple[str, int]:
        """At most `MOST` characters on either side of a place, and how many of its line stand before them.

        The text is empty where the file has no such line.
        """
        if at.line > len(self._lines):
            return "", 0
        line = self.line(at.line, is_secret)
        place = min(at.column - 1, len(line))
        begins = max(0, place - MOST)
        return line[begins : place + MOST], begins

    def line(self, number: int, is_secret: bool = False) -> str:
        """Line `number` (from 1) with its value replaced where that is or may be a secret."""
        if (number, is_secret) not in self._shown:
            self._shown[number, is_secret] = self._without_secrets(number - 1, is_secret)
        return self._shown[number, is_secret]

    def _without_secrets(self, index: int, is_secret: bool) -> str:
        line, key = self._lines[index], _key(self._lines[index])
        held, speaks = self._surroundings(index)
        if not key:
            speaks = any(_SECRET.search(text) for text in self._lines[max(0, index - 1) : index + 1])
        if is_secret or held or (speaks and key not in _HARMLESS_KEYS):
            return _without_value(line)
        return hide_tokens(line)

    def _surroundings(self, index: int) -> _Surroundings:
        begins, ends = _between(self._documents, index)
        if begins not in self._read:
            self._read[begins] = _read_document(self._lines[begins:ends])
        return self._read[begins][index - begins]


class _Surroundings(NamedTuple):
    """What the lines around one line say of it."""

    held: bool
    """It is, or stands below, a key that holds secrets."""
    speaks: bool
    """The mapping that it belongs to names something secret."""


def _between(places: Sequence[int], index: int) -> tuple[int, int]:
    after = bisect_right(places, index, hi=len(places) - 1)
    return places[after - 1], places[after]


def _read_document(lines: Sequence[str]) -> Sequence[_Surroundings]:
    """The surroundings of each line of a document, in one walk over it."""
    columns: list[int] = []  # of the keys that are open, each deeper than the one before
    open_keys: list[tuple[bool, bool]] = []  # whether each holds secrets, and whether a list may stand below
    open_mappings: list[tuple[int, int]] = []  # by the column of its keys, the number of each open mapping
    speaks: list[bool] = []  # by mapping
    found: list[tuple[bool, int]] = []
    for line in lines:
        column, key = _content(line), _key(line)
        opens_item = line.lstrip().startswith("- ")
        indent = len(line) - len(line.lstrip()) if line.strip() else column
        above = bisect_left(columns, indent)
        if opens_item and above < len(columns) and columns[above] == indent and open_keys[above][1]:
            above += 1  # items may stand as deep as their key
        held = key in _SECRET_PARENTS or (above > 0 and open_keys[above - 1][0])
        if column == _FAR_OUT:
            found.append((held, -1))
            continue
        while open_mappings and open_mappings[-1][0] > column:
            open_mappings.pop()
        if opens_item and open_mappings and open_mappings[-1][0] == column:
            open_mappings.pop()
        if not open_mappings or open_mappings[-1][0] < column:
            open_mappings.append((column, len(speaks)))
            speaks.append(False)
        mapping = open_mappings[-1][1]
        speaks[mapping] = speaks[mapping] or _SECRET.search(line) is not None
        found.append((held, mapping))
        if key:
            del columns[(deeper := bisect_left(columns, column)) :], open_keys[deeper:]
            columns.append(column)
            open_keys.append((held, line.rstrip().endswith(":")))
    return [_Surroundings(held, mapping >= 0 and speaks[mapping]) for held, mapping in found]


def _key(line: str) -> str:
    """The key that a line begins with, or nothing."""
    match = _KEY.match(line)
    return match[1].rstrip().strip("'\"") if match else ""


def _without_value(line: str) -> str:
    match = _BEFORE_VALUE.match(line)
    assert match is not None
    return match[1] + (HIDDEN if match[2] else "")


def _content(line: str) -> int:
    """The column where the content begins, behind the dashes of list items; far out where there is none."""
    match = _BEFORE_CONTENT.match(line)
    assert match is not None
    return match.end() if match.end() < len(line) else _FAR_OUT
