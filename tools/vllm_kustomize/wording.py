"""How messages word things that come up everywhere: a near miss, a long value, a list of words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def closest(word: str, known: Iterable[str], least: float = 0.6) -> str:
    """The known word that is most like a word, or an empty string; `least` is how alike, from 0 to 1."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(word[:80], list(known), n=1, cutoff=least)), "")


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
