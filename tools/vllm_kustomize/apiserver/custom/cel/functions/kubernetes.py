"""Kubernetes' functions of quantities, versions and named formats.

Source: k8s.io/apiserver/pkg/cel/library (quantity.go, semverlib.go, format.go). Versions are read by
github.com/blang/semver/v4, which follows https://semver.org/spec/v2.0.0.html to the letter.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

from vllm_kustomize.apiserver.custom import formats, urls
from vllm_kustomize.apiserver.custom.cel.values import INT64, NONE, CelError, NoOverload, Optional
from vllm_kustomize.apiserver.framework.metadata import as_prefix
from vllm_kustomize.kubernetes import names, quantity

_QUANTITY = re.compile(r"([-+]?[0-9.]*)(.*)", re.ASCII | re.DOTALL)
_PLACES = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_SEMVER = re.compile(
    r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(?:-([-0-9A-Za-z.]+))?(?:\+([-0-9A-Za-z.]+))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """An amount as a value; `whole` is whether the server reads it as an integer."""

    amount: Fraction
    whole: bool
    CEL_TYPE: ClassVar[str] = "kubernetes.Quantity"


@dataclass(frozen=True, slots=True)
class Version:
    """A semantic version as a value; numbers of a pre-release come before words."""

    numbers: tuple[int, int, int]
    pre_release: tuple[tuple[int, int, str], ...]
    CEL_TYPE: ClassVar[str] = "kubernetes.Semver"

    @property
    def order(self) -> tuple[object, ...]:
        """What versions are compared by: a release comes after its pre-releases."""
        return (self.numbers, not self.pre_release, self.pre_release)


@dataclass(frozen=True, slots=True)
class Format:
    """A named format as a value: what is wrong with a text, or an empty string."""

    name: str
    check: Callable[[str], str]
    CEL_TYPE: ClassVar[str] = "kubernetes.NamedFormat"


def to_quantity(value: Any) -> Quantity:
    """A quantity from its text."""
    if not isinstance(value, str):
        raise NoOverload("quantity", value)
    try:
        amount = quantity.parse(value)
    except quantity.Malformed:
        raise CelError(f'"{value}" is not a quantity') from None
    return Quantity(amount, _is_whole(amount) and _has_no_fraction(value))


def _has_no_fraction(value: str) -> bool:
    """Whether the server keeps a quantity as an integer: what it is written with leaves no decimal places."""
    number, suffix = _QUANTITY.fullmatch(value).groups()  # type: ignore[union-attr]
    places = len(number.partition(".")[2])
    return places == 0 if suffix.endswith("i") else places <= _PLACES.get(suffix, int(suffix[1:] or 0))


def _is_whole(amount: Fraction) -> bool:
    return amount.denominator == 1 and abs(amount) < quantity.LARGEST


def is_quantity(value: Any) -> bool:
    """Whether a text is a quantity."""
    try:
        to_quantity(value)
    except NoOverload:
        raise
    except CelError:
        return False
    return True


def _amount(value: Any) -> Quantity:
    if isinstance(value, Quantity):
        return value
    raise NoOverload("a quantity's method", value)


def _plus(sign: int) -> Callable[[Any, Any], Quantity]:
    def plus(value: Any, other: Any) -> Quantity:
        added = Fraction(other) if type(other) is int else _amount(other).amount
        amount = _amount(value).amount + sign * added
        return Quantity(amount, _is_whole(amount))

    return plus


def _as_integer(value: Any) -> int:
    if not _amount(value).whole:
        raise CelError("the quantity is not an integer")
    return int(value.amount)


def to_version(value: Any, normalize: Any = False) -> Version:
    """A semantic version from its text; `normalize` takes v1 and 01.2 too."""
    if not isinstance(value, str) or not isinstance(normalize, bool):
        raise NoOverload("semver", value, normalize)
    text = _normalized(value) if normalize else value
    match = _SEMVER.fullmatch(text)
    if not match:
        raise CelError(f'"{value}" is not a version')
    words = match[4].split(".") if match[4] else []
    if not all(words) or (match[5] and not all(match[5].split("."))):
        raise CelError(f'"{value}" is not a version')
    if any(word.isdigit() and word[0] == "0" and len(word) > 1 for word in words):
        raise CelError(f'"{value}" is not a version')
    major, minor, patch = (int(match[group]) for group in (1, 2, 3))
    if max(major, minor, patch) >= 2 * INT64:
        raise CelError(f'"{value}" is not a version')
    ordered = tuple((0, int(word), "") if word.isdigit() else (1, 0, word) for word in words)
    return Version((major, minor, patch), ordered)


def _normalized(text: str) -> str:
    parts = text.removeprefix("v").split(".", 2)
    for at, part in enumerate(parts):
        if len(part) > 1:
            stripped = part.lstrip("0")
            parts[at] = stripped if stripped[:1].isdigit() else f"0{stripped}"
    if len(parts) < 3 and ("+" in parts[-1] or "-" in parts[-1]):
        raise CelError("a short version has no pre-release and no build")
    return ".".join([*parts, "0", "0"][:3])


def is_version(value: Any, normalize: Any = False) -> bool:
    """Whether a text is a semantic version."""
    try:
        to_version(value, normalize)
    except NoOverload:
        raise
    except CelError:
        return False
    return True


def _version(value: Any) -> Version:
    if isinstance(value, Version):
        return value
    raise NoOverload("a version's method", value)


def compare_to(value: Any, other: Any) -> int:
    """-1, 0 or 1, of two quantities or two versions."""
    left: Any
    right: Any
    if isinstance(value, Version):
        left, right = value.order, _version(other).order
    else:
        left, right = _amount(value).amount, _amount(other).amount
    return int(left > right) - int(left < right)


def _uri(text: str) -> str:
    try:
        urls.parse_request_uri(text)
    except urls.MalformedURL as error:
        return str(error)
    return ""


def _of_format(name: str) -> Callable[[str], str]:
    return lambda text: "" if formats.CHECKS[name](text) else f"is not of the format {name}"


_NAMED: dict[str, Callable[[str], str]] = {
    "dns1123Label": names.dns_label,
    "dns1123Subdomain": names.dns_subdomain,
    "dns1035Label": names.dns1035_label,
    "qualifiedName": names.qualified_name,
    "dns1123LabelPrefix": as_prefix(names.dns_label),
    "dns1123SubdomainPrefix": as_prefix(names.dns_subdomain),
    "dns1035LabelPrefix": as_prefix(names.dns1035_label),
    "labelValue": names.label_value,
    "uri": _uri,
    "uuid": _of_format("uuid"),
    "byte": _of_format("byte"),
    "date": _of_format("date"),
    "datetime": _of_format("datetime"),
}


def named_format(name: Any) -> Optional:
    """The format of a name, or none."""
    if not isinstance(name, str):
        raise NoOverload("format.named", name)
    return Optional(True, Format(name, _NAMED[name])) if name in _NAMED else NONE


def validate(value: Any, text: Any) -> Optional:
    """What is wrong with a text as a format has it, or none."""
    if not isinstance(value, Format) or not isinstance(text, str):
        raise NoOverload("validate", value, text)
    message = value.check(text)
    return Optional(True, [message]) if message else NONE


def _constant(name: str) -> Callable[[], Format]:
    return lambda: Format(name, _NAMED[name])


FUNCTIONS: dict[tuple[str, int], Callable[..., Any]] = {
    ("quantity", 1): to_quantity,
    ("isQuantity", 1): is_quantity,
    ("sign", 1): lambda value: compare_to(value, Quantity(Fraction(0), True)),
    ("semver", 1): to_version,
    ("semver", 2): to_version,
    ("isSemver", 1): is_version,
    ("isSemver", 2): is_version,
    ("format.named", 1): named_format,
    **{(f"format.{name}", 0): _constant(name) for name in _NAMED},
}
METHODS: dict[tuple[str, int], Callable[..., Any]] = {
    ("isGreaterThan", 2): lambda value, other: compare_to(value, other) > 0,
    ("isLessThan", 2): lambda value, other: compare_to(value, other) < 0,
    ("compareTo", 2): compare_to,
    ("asApproximateFloat", 1): lambda value: float(_amount(value).amount),
    ("asInteger", 1): _as_integer,
    ("isInteger", 1): lambda value: _amount(value).whole,
    ("add", 2): _plus(1),
    ("sub", 2): _plus(-1),
    ("major", 1): lambda value: _version(value).numbers[0],
    ("minor", 1): lambda value: _version(value).numbers[1],
    ("patch", 1): lambda value: _version(value).numbers[2],
    ("validate", 2): validate,
}
