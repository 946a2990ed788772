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
        yield replace(finding, excerpt=excerpt, excerpt_from=begins) if excerpt else finding


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

    def line(self, number: int) -> str:
        """Line `number` (from 1) without its secrets."""
        return self._without_secrets(number, 0, len(self._lines[number - 1]), 0)[0]

    def _without_secrets(self, number: int, begin: int, end: int, place: int) -> tuple[str, int]:
        """A part of a line, and where a place of the line is in it."""
        line = self._lines[number - 1]
        if number not in self._hidden:
            found = [*self._mask.places(line), *self._secret.get(number - 1, ())]
            self._hidden[number] = list(merged(found))
        spans = self._hidden[number]
        first = bisect_right(spans, begin, key=itemgetter(1))
        inside = takewhile(lambda span: span[0] < end, islice(spans, first, None))
        return cover(line[begin:end], [(max(0, b - begin), e - begin) for b, e in inside], place - begin)
