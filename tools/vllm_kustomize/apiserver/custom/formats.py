"""The `format`s of texts that the server knows, as it checks them.

The list is `supportedVersionedFormats` of k8s.io/apiextensions-apiserver
(pkg/apiserver/validation/formats.go); what each accepts is k8s.io/kube-openapi's (pkg/validation/strfmt) and
govalidator's. A format that the list lacks is ignored, as there.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import date

from vllm_kustomize.model import KubernetesVersion

_ASCII = re.ASCII
_UUID = "[0-9a-f]{8}-?[0-9a-f]{4}-?%s-?%s-?[0-9a-f]{12}"
_HEX4 = "[0-9a-f]{4}"
_VARIANT = "[89ab][0-9a-f]{3}"
_NAME = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_TIME = re.compile(r"([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|([+-][0-9]{2}:[0-9]{2}))", _ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", _ASCII)
_CREDIT_CARD = re.compile(
    r"4[0-9]{12}([0-9]{3})?|5[1-5][0-9]{14}|6(011|5[0-9]{2})[0-9]{12}|3[47][0-9]{13}"
    r"|3(0[0-5]|[68][0-9])[0-9]{11}|(2131|1800|35[0-9]{3})[0-9]{11}",
    _ASCII,
)
_BASE64 = re.compile(r"([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})", _ASCII)
_RGB = re.compile(
    r"rgb\(\s*(0|[1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-5])\s*"
    r"(,\s*(0|[1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-5])\s*){2}\)",
    _ASCII,
)
_PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9_%+-]+(\.[A-Za-z0-9_%+-]+)*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", _ASCII)
_LETTER_OR_SYMBOL = re.compile(r"[^\W_]|[$+<=>^`|~]")

GO_DURATION_UNITS: Mapping[str, int] = {
    "ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6,
    "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9,
}  # fmt: skip
"""Nanoseconds in each unit of Go's time.ParseDuration."""

_GO_DURATION = re.compile(r"[-+]?(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+", _ASCII)
_GO_DURATION_PART = re.compile(r"([0-9]*)(?:\.([0-9]*))?(ns|us|µs|μs|ms|s|m|h)", _ASCII)
_LOOSE_DURATION = re.compile(r"(?<![0-9])([0-9]+)\s*([A-Za-zµ]+)", _ASCII)
_LOOSE_UNITS: tuple[tuple[tuple[str, ...], int], ...] = (
    (("ns", "nano"), 1),
    (("us", "µs", "micro"), 10**3),
    (("ms", "milli"), 10**6),
    (("s", "sec"), 10**9),
    (("m", "min"), 60 * 10**9),
    (("h", "hr", "hour"), 3600 * 10**9),
    (("d", "day"), 86400 * 10**9),
    (("w", "wk", "week"), 7 * 86400 * 10**9),
)
_INT64 = 2**63


def go_duration(text: str) -> int | None:
    """The nanoseconds that Go's time.ParseDuration reads, or None where it refuses the text."""
    if text in ("0", "+0", "-0"):
        return 0
    if not _GO_DURATION.fullmatch(text):
        return None
    total = 0
    for whole, fraction, unit in _GO_DURATION_PART.findall(text):
        scale = GO_DURATION_UNITS[unit]
        total += int(whole or "0") * scale
        if fraction:
            total += int(fraction[:18]) * scale // 10 ** len(fraction[:18])
    total = -total if text.startswith("-") else total
    return total if -_INT64 <= total < _INT64 else None


def duration(text: str) -> int | None:
    """The nanoseconds of a duration in Go's or in Scala's notation (strfmt.ParseDuration), or None."""
    exact = go_duration(text)
    if exact is not None:
        return exact
    total, found = 0, False
    for number, unit in _LOOSE_DURATION.findall(text):
        if int(number) >= _INT64:
            return None
        for names, scale in _LOOSE_UNITS:
            for name in names:
                if unit.lower() == name or (name == names[-1] and unit.lower().startswith(name)):
                    found = True
                    total += int(number) * scale
    return total if found else None


def is_date(text: str) -> bool:
    """A day as RFC 3339 writes it."""
    if not _DATE.fullmatch(text):
        return False
    year, month, day = map(int, text.split("-"))
    try:
        date(year or 4, month, day)  # the year 0, which Python lacks, is a leap year like the year 4
    except ValueError:
        return False
    return True


def is_date_time(text: str) -> bool:
    """A time as strfmt.IsDateTime takes it: RFC 3339 with any character before the fraction."""
    parts = text.lower().split("t")
    match = _TIME.fullmatch(parts[1]) if len(text) >= 4 and len(parts) > 1 and is_date(parts[0]) else None
    return match is not None and match[1] <= "23" and match[2] <= "59" and match[3] <= "59"


def _is_ipv4(text: str) -> bool:
    parts = text.split(".")
    if len(parts) == 4 and all(part.isascii() and part.isdigit() and int(part[-9:]) < 256 for part in parts):
        return all(len(part) <= 9 or not part[:-9].strip("0") for part in parts)
    return "." in text and _is_ip(text)


def _is_ip(text: str) -> bool:
    if "%" in text:
        return False
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_cidr(text: str) -> bool:
    address, slash, bits = text.partition("/")
    if not slash or not bits.isascii() or not bits.isdigit() or len(bits) > 3:
        return False
    if ":" in address:
        return _is_ip(address) and int(bits) <= 128
    return _is_ipv4(address) and int(bits) <= 32


def _is_mac(text: str) -> bool:
    for separator, digits in ((":", 2), ("-", 2), (".", 4)):
        parts = text.split(separator)
        if len(parts) * digits in (12, 16, 40) and all(
            re.fullmatch(f"[0-9A-Fa-f]{{{digits}}}", part) for part in parts
        ):
            return True
    return False


def _is_uri(text: str) -> bool:
    from vllm_kustomize.apiserver.custom.urls import MalformedURL, parse_request_uri

    try:
        parse_request_uri(text)
    except MalformedURL:
        return False
    return True


def _is_email(text: str) -> bool:
    # The server has a whole parser of RFC 5322; what is neither plain nor plainly wrong is let through.
    return bool(_PLAIN_ADDRESS.fullmatch(text)) or ("@" in text and not text.endswith("@"))


def _is_hostname(text: str) -> bool:
    if len(text.encode("utf-8", "replace")) > 255 or not text:
        return False
    labels = text.split(".")
    if any(len(label.encode("utf-8", "replace")) > 63 for label in labels):
        return False
    if len(labels) == 1:
        return all(_LETTER_OR_SYMBOL.match(letter) or letter == "-" for letter in text) and text[0] != "-"
    *before, top = labels
    for label in before:
        if not label or "-" in (label[0], label[-1]):
            return False
        if not all(_LETTER_OR_SYMBOL.match(letter) or letter == "-" for letter in label):
            return False
    return len(top) >= 2 and all(letter.isalpha() for letter in top)


def _is_isbn10(text: str) -> bool:
    digits = re.sub(r"[\s-]+", "", text)
    if not re.fullmatch("[0-9]{9}X|[0-9]{10}", digits):
        return False
    values = [10 if digit == "X" else int(digit) for digit in digits]
    return sum((index + 1) * value for index, value in enumerate(values)) % 11 == 0


def _is_isbn13(text: str) -> bool:
    digits = re.sub(r"[\s-]+", "", text)
    if not re.fullmatch("[0-9]{13}", digits):
        return False
    return sum(int(digit) * (3 if index % 2 else 1) for index, digit in enumerate(digits)) % 10 == 0


def _is_credit_card(text: str) -> bool:
    digits = re.sub("[^0-9]+", "", text)
    if not _CREDIT_CARD.fullmatch(digits):
        return False
    doubled = [int(digit) * (2 if index % 2 else 1) for index, digit in enumerate(reversed(digits))]
    return sum(value % 10 + value // 10 for value in doubled) % 10 == 0


def _pattern(pattern: str, flags: int = 0) -> Callable[[str], bool]:
    return lambda text: re.fullmatch(pattern, text, flags | _ASCII) is not None


CHECKS: Mapping[str, Callable[[str], bool]] = {
    "bsonobjectid": _pattern("[0-9a-fA-F]{24}"),
    "byte": lambda text: _BASE64.fullmatch(text) is not None,
    "cidr": _is_cidr,
    "creditcard": _is_credit_card,
    "date": is_date,
    "datetime": is_date_time,
    "duration": lambda text: duration(text) is not None,
    "email": _is_email,
    "hexcolor": _pattern("#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})"),
    "hostname": _is_hostname,
    "ipv4": _is_ipv4,
    "ipv6": lambda text: ":" in text and _is_ip(text),
    "isbn": lambda text: _is_isbn10(text) or _is_isbn13(text),
    "isbn10": _is_isbn10,
    "isbn13": _is_isbn13,
    "k8slongname": lambda text: len(text) <= 253 and bool(re.fullmatch(rf"{_NAME}(\.{_NAME})*", text)),
    "k8sshortname": lambda text: len(text) <= 63 and bool(re.fullmatch(_NAME, text)),
    "mac": _is_mac,
    "password": lambda text: True,
    "rgbcolor": lambda text: _RGB.fullmatch(text) is not None,
    "ssn": _pattern("[0-9]{3}[- ][0-9]{2}[- ][0-9]{4}"),
    "uri": _is_uri,
    "uuid": _pattern(_UUID % (_HEX4, _HEX4), re.IGNORECASE),
    "uuid3": _pattern(_UUID % ("3[0-9a-f]{3}", _HEX4), re.IGNORECASE),
    "uuid4": _pattern(_UUID % ("4[0-9a-f]{3}", _VARIANT), re.IGNORECASE),
    "uuid5": _pattern(_UUID % ("5[0-9a-f]{3}", _VARIANT), re.IGNORECASE),
}
_SINCE: Mapping[str, KubernetesVersion] = {"k8slongname": (1, 34), "k8sshortname": (1, 34)}


def known(name: str, version: KubernetesVersion) -> Callable[[str], bool] | None:
    """What checks texts of a format in a Kubernetes version, or None where the server ignores the format."""
    normalized = name.replace("-", "")
    if version < _SINCE.get(normalized, version):
        return None
    return CHECKS.get(normalized)
