"""Quantities: what the server reads, and as how much."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vllm_kustomize.kubernetes import quantity

SUFFIXES = {
    **{suffix: Fraction(1000) ** power for power, suffix in enumerate(["", "k", "M", "G", "T", "P", "E"])},
    **{
        suffix: Fraction(1024) ** power
        for power, suffix in enumerate(["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"], 1)
    },
    "m": Fraction(1, 1000),
    "u": Fraction(1, 10**6),
    "n": Fraction(1, 10**9),
}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("0", 0),
        ("1e3", 1000),
        ("1E3", 1000),
        ("1E", 10**18),
        ("100m", Fraction(1, 10)),
        (".5Gi", 2**29),
        ("1.", 1),
        ("+1Gi", 2**30),
        ("-1", -1),
        ("-0", 0),
        ("007", 7),
        ("1e-3", Fraction(1, 1000)),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", 2**63 - 1),
        ("1234567890123456789", 1234567890123456789),
        ("1e40", 2**63 - 1),
        ("1e999999999", 2**63 - 1),
        ("1e-999999999", Fraction(1, 10**9)),
        ("0e999999999", 0),
        ("0.1n", Fraction(1, 10**9)),
        ("1.5n", Fraction(2, 10**9)),
        ("9Ei", 2**63 - 1),
    ],
)
def test_reads(written: str, value: object) -> None:
    assert quantity.parse(written) == value


@pytest.mark.parametrize(
    "written",
    ["", " 1", "1 ", "1GB", "1K", "16 Gi", "1_000", "0x10", "1ki", "1mi", "1i", "1e", "1e+", "1.5.1", "--1",
     "banana", "\u0661", "1Gi\n", "50%", "é", "1e99999999999", "e3x", "∞", "NaN"],
)  # fmt: skip
def test_refuses(written: str) -> None:
    with pytest.raises(quantity.Malformed):
        quantity.parse(written)


@given(
    sign=st.sampled_from(["", "+", "-"]),
    whole=st.integers(0, 10**12),
    fraction=st.text("0123456789", max_size=9),
    suffix=st.sampled_from([suffix for suffix in SUFFIXES if suffix not in ("Ei", "E", "n", "u")]),
)
def test_is_exact_where_nothing_is_capped_or_rounded(
    sign: Any, whole: Any, fraction: Any, suffix: str
) -> None:
    number = Fraction(Decimal(f"{whole}.{fraction or 0}")) * SUFFIXES[suffix]
    nano = -(-number // quantity.NANO) * quantity.NANO
    expected = min(nano, Fraction(quantity.LARGEST))
    written = f"{sign}{whole}{'.' if fraction else ''}{fraction}{suffix}"
    assert quantity.parse(written) == (-expected if sign == "-" else expected)


@given(st.integers(0, 10**15), st.integers(0, 10**15), st.sampled_from(["", "m", "k", "Ki"]))
def test_keeps_the_order(first: Any, second: Any, suffix: str) -> None:
    assert (first < second) == (quantity.parse(f"{first}{suffix}") < quantity.parse(f"{second}{suffix}"))


@given(st.text(max_size=40) | st.integers() | st.floats() | st.booleans() | st.none())
def test_never_raises_on_what_a_field_may_hold(value: object) -> None:
    found = quantity.of(value)
    assert found is None or abs(found) <= quantity.LARGEST


@given(st.text("0123456789.eEinumkKMGTP+-", max_size=12))
def test_is_bounded_for_whatever_looks_like_a_quantity(written: str) -> None:
    try:
        value = quantity.parse(written)
    except quantity.Malformed:
        return
    assert abs(value) <= quantity.LARGEST
    assert (value / quantity.NANO).denominator == 1
