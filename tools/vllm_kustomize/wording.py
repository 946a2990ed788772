"""How messages word things that come up everywhere: a near miss, a long value, a list of words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from heapq import nlargest
from itertools import chain, islice, pairwise

_LONGEST, _MOST_KNOWN, _CANDIDATES = 80, 1000, 8
"""Letters of a word, known words, and words that share the most pairs of letters, that are looked at: a
comparison takes a tenth of a millisecond, and a file may hold thousands of unknown words."""


def closest(word: str, known: Iterable[str], least: float = 0.6) -> str:
    """The known word that is most like a word, or an empty string; `least` is how alike, from 0 to 1."""
    return _closest(word[:_LONGEST], tuple(islice(known, _MOST_KNOWN)), least)


@lru_cache(maxsize=4096)
def _closest(word: str, known: tuple[str, ...], least: float) -> str:
    from difflib import get_close_matches

    pairs = _pairs(word)
    words, lengths = _index(known)
    shared = Counter(chain.from_iterable(words.get(pair, ()) for pair in pairs))
    alike = nlargest(_CANDIDATES, shared, key=lambda other: shared[other] / (len(pairs) + lengths[other]))
    return next(iter(get_close_matches(word, alike, n=1, cutoff=least)), "")


@lru_cache(maxsize=64)
def _index(known: tuple[str, ...]) -> tuple[dict[tuple[str, str], list[str]], dict[str, int]]:
    """The known words by each pair of letters in them, and how many pairs each has."""
    words: dict[tuple[str, str], list[str]] = {}
    pairs = {word: _pairs(word) for word in known}
    for word in known:
        for pair in pairs[word]:
            words.setdefault(pair, []).append(word)
    return words, {word: len(found) for word, found in pairs.items()}


def _pairs(word: str) -> frozenset[tuple[str, str]]:
    """The letters that stand next to each other, those at the ends included."""
    return frozenset(pairwise(f" {word[:_LONGEST]} "))


def did_you_mean(word: str, known: Iterable[str], least: float = 0.6) -> str:
    """`, did you mean 'x'?` for the closest of the known words, or an empty string."""
    near = closest(word, known, least)
    return f", did you mean '{near}'?" if near else ""


def shorten(text: str, limit: int = 60) -> str:
    """A text of at most `limit` characters: what is cut off is shown as three dots."""
    return text if len(text) <= limit else text[: limit - 3] + "..."


def quote(value: object, limit: int = 60) -> str:
    """A value in double quotes, cut so that the message stays readable."""
    shown = str(value)
    return f'"{shown}"' if len(shown) <= limit else f'"{shown[:limit]}…" ({len(shown)} characters)'


def join(words: Sequence[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    return f" {last} ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else "".join(words)


def count(number: int, noun: str) -> str:
    """`1 object`, `2 objects`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
