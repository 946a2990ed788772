"""Say of an entry which releases have it, and read that back.

A span is `[first, last]`, or `[first]` for an entry that the newest release has too: a new release then
changes only the lines of what it changes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

Spans = list[list[str]]


def spans(present: Sequence[bool | None], releases: Sequence[str]) -> Spans:
    """The runs of releases that have an entry; None, not known, continues what was before."""
    found: list[list[str]] = []
    before = False
    for release, here in zip(releases, present, strict=True):
        now = before if here is None else here
        if now and not before:
            found.append([release, release])
        elif now:
            found[-1][1] = release
        before = now
    if before:
        found[-1].pop()
    return found


def covers(entry: Spans, release: str) -> bool:
    """Whether a release has an entry."""
    wanted = version_key(release)
    return any(
        version_key(span[0]) <= wanted and (len(span) == 1 or wanted <= version_key(span[1]))
        for span in entry
    )


def version_key(release: str) -> tuple[int, ...]:
    """A release as numbers that compare; `0.8.5.post1` follows `0.8.5`."""
    return tuple(int(part) for part in re.findall(r"\d+", release))
