"""Keep secrets out of everything that is said: `[hidden]` stands where one would.

What is secret is collected from the objects and sources of a build, and hidden wherever it comes out,
whichever rule, check or engine quotes it; what has the shape of a secret is hidden without having been seen
there. Nothing else is: an ordinary word that is one (`admin`) is hidden where it stands in a source or
between quotes, not wherever a sentence has it.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from vllm_kustomize.findings.shapes import Span, secrets_in
from vllm_kustomize.kubernetes.secrets import HIDDEN
from vllm_kustomize.model import Finding, Location, Part

_HEAD = 4
"""The fewest characters of a secret that is known wherever it stands."""
_SURE = 8
"""Characters from which it is also known in the middle of a word."""
_WORD = re.compile(r"[a-z]{1,11}")
_BEFORE = re.compile(r"(?:[\"'`=\[({]|: )\Z")
_AFTER = re.compile(r"[\"'`\])},;]|\Z")
_JOINED = re.compile(r"[\w/-]|\.\w")
_LONGEST_PIECE = 200
_CUTS = ("…", "...")
"""What stands where a message quotes only the begin of a value."""


class Mask:
    """Hides the secrets that it is given, and what has the shape of one.

    `ordinary` are words that are not secret though some Secret holds them, such as the names of objects;
    `broken` are the files that are not valid YAML.
    """

    def __init__(
        self, secrets: Iterable[str] = (), ordinary: Collection[str] = (), broken: Collection[str] = ()
    ) -> None:
        self.broken = broken
        self._known = {
            form
            for secret in secrets
            if len(secret) >= _HEAD and secret not in ordinary
            for form in _written(secret)
        }
        self._sorted = sorted(self._known)
        lengths: dict[str, set[int]] = {}
        for secret in self._known:
            lengths.setdefault(secret[:_HEAD], set()).add(len(secret))
        self._lengths = {head: sorted(found, reverse=True) for head, found in lengths.items()}

    def __call__(self, text: str) -> str:
        """A sentence of the tool or the engine without secrets."""
        return cover(text, [*self.places(text), *secrets_in(text, prose=True)])[0]

    def known(self, text: str) -> str:
        """A text that nobody took from a source, without the secrets that were given."""
        return cover(text, self.places(text))[0]

    def places(self, text: str) -> Iterator[Span]:
        """Where a text has one of the secrets, or the begin of one that was cut off."""
        if not self._lengths:
            return
        at = 0
        while at <= len(text) - _HEAD:
            lengths = self._lengths.get(text[at : at + _HEAD])
            end = at + self._length_at(text, at, lengths) if lengths else at
            if end > at:
                yield at, end
            at = max(at + 1, end)

    def _length_at(self, text: str, at: int, lengths: Sequence[int]) -> int:
        for length in lengths:
            if text[at : at + length] in self._known and _stands_for_itself(text, at, at + length):
                return length
        ends = [end for cut in _CUTS if (end := text.find(cut, at + _HEAD, at + _LONGEST_PIECE)) > 0]
        piece = text[at : min(ends, default=at)]
        after = bisect_left(self._sorted, piece)
        is_begin = bool(piece) and after < len(self._sorted) and self._sorted[after].startswith(piece)
        return len(piece) if is_begin else 0


def hide(part: Part, mask: Mask) -> Part:
    """What came of a build, without secrets: all that is kept, compared and reported is made of it."""
    return replace(
        part,
        findings=tuple(_without_secrets(finding, mask) for finding in part.findings),
        skipped=tuple(replace(each, what=mask(each.what), reason=mask(each.reason)) for each in part.skipped),
        undecided=tuple(
            replace(each, what=mask(each.what), reason=mask(each.reason)) for each in part.undecided
        ),
        allows=tuple(replace(each, reason=mask(each.reason), error=mask(each.error)) for each in part.allows),
    )


def _without_secrets(finding: Finding, mask: Mask) -> Finding:
    return replace(
        finding,
        withheld=(),
        message=mask(finding.message),
        help=mask.known(finding.help),
        path=tuple(mask.known(step) if isinstance(step, str) else step for step in finding.path),
        stable_path=mask.known(finding.stable_path),
        location=_noted(finding.location, mask) if finding.location else None,
        related=tuple(_noted(related, mask) for related in finding.related),
    )


def _noted(location: Location, mask: Mask) -> Location:
    return replace(location, note=mask(location.note)) if location.note else location


def cover(text: str, spans: Iterable[Span], place: int = 0) -> tuple[str, int]:
    """The text with `[hidden]` for each of some stretches, which may overlap, and where a place is then."""
    parts: list[str] = []
    done, moved = 0, place
    for begin, end in sorted(spans):
        if begin >= done:
            parts += [text[done:begin], HIDDEN]
            if place > begin:
                moved += len(HIDDEN) - (min(end, place) - begin) if place >= end else begin - place
        elif end > done and place >= end:
            moved -= end - done
        done = max(done, end)
    return "".join([*parts, text[done:]]), max(0, moved)


def _written(secret: str) -> Iterable[str]:
    """A secret as it stands, and as JSON and Python write it between quotes; Go writes it as JSON does."""
    if secret.isascii() and secret.isprintable() and not set(secret) & set("\"'\\"):
        return (secret,)
    return {
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
    }


def _stands_for_itself(text: str, begin: int, end: int) -> bool:
    """Whether a stretch is a value, not by chance: no part of a longer name, and no word of a sentence."""
    if _WORD.fullmatch(text, begin, end):
        return bool(_BEFORE.search(text, max(0, begin - 2), begin) and _AFTER.match(text, end))
    if end - begin >= _SURE:
        return True
    return not (_JOINED.match(text[max(0, begin - 1) : begin]) or _JOINED.match(text[end : end + 2]))
