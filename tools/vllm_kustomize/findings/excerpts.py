"""Quote the line that a finding points at, without the values of secrets."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice, takewhile
from operator import itemgetter

from vllm_kustomize.findings.mask import Mask, cover
from vllm_kustomize.findings.shapes import Span
from vllm_kustomize.findings.sources import lines_of, merged, secret_spans
from vllm_kustomize.findings.tokens import value_at
from vllm_kustomize.model import Finding, Location, Precision

MOST = 300
"""Characters that are quoted on either side of the place that a finding points at."""


def quote(findings: Iterable[Finding], texts: Mapping[str, str], mask: Mask) -> Iterator[Finding]:
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
            files[at.file] = Excerpts(texts[at.file], mask, broken=at.file in mask.broken)
        excerpt, begins = files[at.file].around(at)
        located = replace(at, end_column=files[at.file].end_of(at))
        yield replace(finding, location=located, excerpt=excerpt, excerpt_from=begins) if excerpt else finding


class Excerpts:
    """The lines of one file, as they may be shown."""

    def __init__(self, text: str, mask: Mask | None = None, *, broken: bool = False) -> None:
        self._lines = lines_of(text)
        self._secret = secret_spans(text, broken=broken)
        self._mask = mask or Mask()
        self._hidden: dict[int, list[Span]] = {}

    def around(self, at: Location) -> tuple[str, int]:
        """At most `MOST` characters on either side of a place, and how far its column is off in them.

        The text is empty where the file has no such line.
        """
        if at.line > len(self._lines):
            return "", 0
        place = at.column - 1
        begin, end = max(0, place - MOST), place + MOST
        text, shown = self._without_secrets(at.line, begin, end, place)
        return text, place - shown

    def end_of(self, at: Location) -> int:
        """The column (from 1) behind the value at a place; 0 where that is far, or for a secret."""
        if at.line > len(self._lines):
            return 0
        place = at.column - 1
        begin = max(0, place - MOST)
        near = self._lines[at.line - 1][begin : place + MOST]
        length = len(value_at(near, place - begin, is_word=bool(at.begins), in_flow=begin > 0))
        is_secret = any(self._spans(at.line, place, place + length))
        return 0 if is_secret or length in (0, MOST) else at.column + length

    def line(self, number: int) -> str:
        """Line `number` (from 1) without its secrets."""
        return self._without_secrets(number, 0, len(self._lines[number - 1]), 0)[0]

    def _without_secrets(self, number: int, begin: int, end: int, place: int) -> tuple[str, int]:
        """A part of a line, and where a place of the line is in it."""
        spans = [(max(0, first - begin), last - begin) for first, last in self._spans(number, begin, end)]
        return cover(self._lines[number - 1][begin:end], spans, place - begin)

    def _spans(self, number: int, begin: int, end: int) -> Iterator[Span]:
        """The secrets of a line that reach into a part of it."""
        if number not in self._hidden:
            found = [*self._mask.places(self._lines[number - 1]), *self._secret.get(number - 1, ())]
            self._hidden[number] = list(merged(found))
        spans = self._hidden[number]
        first = bisect_right(spans, begin, key=itemgetter(1))
        return takewhile(lambda span: span[0] < end, islice(spans, first, None))
