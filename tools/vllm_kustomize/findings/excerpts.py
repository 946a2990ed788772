"""Quote the line that a finding points at, without the values of secrets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from vllm_kustomize.findings.mask import Mask
from vllm_kustomize.findings.sources import lines_of, secret_spans
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

    def around(self, at: Location) -> tuple[str, int]:
        """At most `MOST` characters on either side of a place, and how far its column is off in them.

        The text is empty where the file has no such line.
        """
        if at.line > len(self._lines):
            return "", 0
        line, place = self._shown(at.line, at.column - 1)
        begins = max(0, place - MOST)
        return line[begins : place + MOST], at.column - 1 - (place - begins)

    def line(self, number: int) -> str:
        """Line `number` (from 1) without its secrets."""
        return self._shown(number, 0)[0]

    def _shown(self, number: int, place: int) -> tuple[str, int]:
        return self._mask.line(self._lines[number - 1], place, self._secret.get(number - 1, ()))
