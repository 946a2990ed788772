"""Quantities: `100m`, `1.5`, `20Gi`, `1e3`, read and compared exactly as the server does.

The grammar and the rounding are those of k8s.io/apimachinery/pkg/api/resource.ParseQuantity: a number, then a
decimal suffix (n u m k M G T P E), a binary one (Ki Mi Gi Ti Pi Ei) or an exponent.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from typing import Any

_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_GRAMMAR = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?((?:(?:[eEinumkKMGTP]+[-+]?|[-+])[0-9]*)?)", re.ASCII)
_EXPONENT = re.compile(r"[eE]([-+]?[0-9]+)", re.ASCII)

LARGEST = 2**63 - 1
"""Where the server caps a quantity."""

NANO = Fraction(1, 10**9)
"""The smallest step; anything finer is rounded up to it."""

MALFORMED = (
    "is not a quantity: a number with a suffix such as m, k, M, G, Ki, Mi, Gi, or an exponent such as e3"
)


class Malformed(ValueError):
    """The text is not a quantity."""


@lru_cache(maxsize=1024)
def parse(value: str) -> Fraction:
    """The exact value of a quantity; raises Malformed."""
    match = _GRAMMAR.fullmatch(value)
    if not value or not match:
        raise Malformed(value)
    sign, whole, fraction, suffix = match[1], match[2], match[3] or "", match[4]
    if not whole and match[3] is None and not suffix and not sign:  # a sign alone is zero in Go
        raise Malformed(value)
    magnitude = _scaled(whole, fraction, suffix)
    return -magnitude if sign == "-" else magnitude


def _scaled(whole: str, fraction: str, suffix: str) -> Fraction:
    binary = _BINARY.get(suffix)
    decimal = _DECIMAL.get(suffix)
    if binary is None and decimal is None:
        exponent = _EXPONENT.fullmatch(suffix)
        if not exponent:
            raise Malformed(suffix)
        # strtoint in Go fails beyond int64, and the exponent is an int32 there
        if len(exponent[1].lstrip("+-0")) > 9:
            raise Malformed(suffix)
        decimal = int(exponent[1])
    digits = (whole + fraction).lstrip("0")
    if not digits:
        return Fraction(0)
    scale = (decimal or 0) - len(fraction)
    # far beyond either end the value is capped or rounded anyway; the power would only cost memory
    if len(digits) + scale > 40:
        return Fraction(LARGEST)
    if binary is None and len(digits) + scale < -20:
        return NANO
    number = Fraction(int(digits[:80]) * 10 ** max(len(digits) - 80, 0)) * Fraction(10) ** max(scale, -400)
    if binary is not None:
        number *= 2**binary
    number = Fraction(-(-number // NANO)) * NANO
    return min(number, Fraction(LARGEST))


def of(value: Any) -> Fraction | None:
    """The quantity that a field holds, zero for null, or None if it holds none."""
    if value is None:
        return Fraction(0)
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            return parse(value.strip())  # as its UnmarshalJSON does
        except Malformed:
            return None
    if isinstance(value, int):
        return Fraction(max(min(value, LARGEST), -LARGEST))
    if isinstance(value, float):
        return of(written(value))
    return None


def written(value: object) -> str:
    """A quantity as the server's decoder sees it: the JSON text of a number, the string itself otherwise."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    return str(value)


def is_whole(value: Fraction) -> bool:
    """Whether the server takes the quantity for an integer: it looks at thousandths, rounded up."""
    return -(-value * 1000 // 1) % 1000 == 0
