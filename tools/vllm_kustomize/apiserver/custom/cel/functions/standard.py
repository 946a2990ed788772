"""The functions of the language itself: sizes, conversions between types, times and optional values.

Source: https://github.com/google/cel-spec/blob/master/doc/langdef.md#list-of-standard-definitions, and for
what fails how, cel-go's common/types.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any

from vllm_kustomize.apiserver.custom import formats
from vllm_kustomize.apiserver.custom.cel.values import (
    INT64,
    NONE,
    CelError,
    Duration,
    NoOverload,
    Optional,
    Timestamp,
    Type,
    Uint,
    Unsupported,
    checked,
    is_list,
    is_map,
    type_name,
)
from vllm_kustomize.kubernetes.regex import UnknownSyntax
from vllm_kustomize.kubernetes.regex import matches as found_in

SECOND = 10**9
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_INTEGER = re.compile(r"[-+]?[0-9]+", re.ASCII)
_NUMBER = re.compile(
    r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?|[-+]?(inf|infinity|nan)", re.ASCII | re.IGNORECASE
)
_RFC3339 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:[.,]([0-9]+))?(Z|([+-])([0-9]{2}):([0-9]{2}))",
    re.ASCII,
)
_FIXED_OFFSET = re.compile(r"([-+]?)([0-9]{2}):([0-9]{2})", re.ASCII)
_TRUE = ("1", "t", "T", "true", "TRUE", "True")
_FALSE = ("0", "f", "F", "false", "FALSE", "False")
_EARLIEST, _LATEST = -62135596800, 253402300799
"""The first and last second that a timestamp can be: the years 1 to 9999."""


def size(value: Any) -> int:
    """The number of characters, bytes, items or entries."""
    if isinstance(value, (str, bytes)) or is_list(value) or is_map(value):
        return len(value)
    raise NoOverload("size", value)


def _texts(name: str, *values: Any) -> None:
    if not all(isinstance(value, str) for value in values):
        raise NoOverload(name, *values)


def contains(value: Any, part: Any) -> bool:
    """Whether a text has another in it."""
    _texts("contains", value, part)
    return part in value


def starts_with(value: Any, part: Any) -> bool:
    """Whether a text begins with another."""
    _texts("startsWith", value, part)
    return bool(value.startswith(part))


def ends_with(value: Any, part: Any) -> bool:
    """Whether a text ends with another."""
    _texts("endsWith", value, part)
    return bool(value.endswith(part))


def matches(value: Any, pattern: Any) -> bool:
    """Whether a regular expression is found in a text."""
    _texts("matches", value, pattern)
    try:
        return found_in(pattern, value)
    except UnknownSyntax:
        raise Unsupported(f"the pattern {pattern} is not known here") from None


def to_int(value: Any) -> int:
    """`int()`: of a number, a text, a moment (in seconds) or a span (in nanoseconds)."""
    if isinstance(value, bool):
        raise NoOverload("int", value)
    if isinstance(value, int):
        return checked(int(value))
    if isinstance(value, float):
        if not -INT64 < value < INT64:
            raise CelError("integer overflow")
        return int(value)
    if isinstance(value, str):
        if not _INTEGER.fullmatch(value) or len(value) > 30:
            raise CelError(f"{value} is not an int")
        return checked(int(value))
    if isinstance(value, Timestamp):
        return value.nanoseconds // SECOND
    if isinstance(value, Duration):
        return value.nanoseconds
    raise NoOverload("int", value)


def to_uint(value: Any) -> Uint:
    """`uint()`."""
    if isinstance(value, bool):
        raise NoOverload("uint", value)
    if isinstance(value, str):
        if not re.fullmatch("[0-9]{1,30}", value, re.ASCII):
            raise CelError(f"{value} is not a uint")
        value = int(value)
    if not isinstance(value, (int, float)):
        raise NoOverload("uint", value)
    if not 0 <= value < 2 * INT64:
        raise CelError("unsigned integer overflow")
    return Uint(value)


def to_double(value: Any) -> float:
    """`double()`."""
    if isinstance(value, bool):
        raise NoOverload("double", value)
    if isinstance(value, (int, float)):
        return float(value)
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value):
            raise CelError(f"{value} is not a double")
        return float(value)
    raise NoOverload("double", value)


def to_string(value: Any) -> str:
    """`string()`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        return show_double(value)
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise CelError("the bytes are not text") from None
    if isinstance(value, Timestamp):
        return show_timestamp(value)
    if isinstance(value, Duration):
        return f"{show_double(value.nanoseconds / SECOND)}s"
    if hasattr(value, "CEL_TYPE"):
        return str(value)
    raise NoOverload("string", value)


def show_double(value: float) -> str:
    """A double as Go's 'g' format writes it: `1`, `0.1`, `1.5e+06`."""
    if value != value or value in (float("inf"), float("-inf")):
        return {float("inf"): "+Inf", float("-inf"): "-Inf"}.get(value, "NaN")
    if value == 0:
        return "-0" if str(value).startswith("-") else "0"
    from decimal import Decimal

    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    power = len(digits) - 1 + int(exponent)
    if -4 <= power < 6:
        return repr(value).removesuffix(".0")
    fraction = "".join(map(str, digits[1:]))
    mantissa = f"{'-' if sign else ''}{digits[0]}{'.' if fraction else ''}{fraction}"
    return f"{mantissa}e{'-' if power < 0 else '+'}{abs(power):02d}"


def show_timestamp(value: Timestamp) -> str:
    """A moment in UTC as RFC 3339 writes it."""
    seconds, fraction = divmod(value.nanoseconds, SECOND)
    shown = (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    return f"{shown}{f'.{fraction:09d}'.rstrip('0') if fraction else ''}Z"


def to_bytes(value: Any) -> bytes:
    """`bytes()`."""
    if isinstance(value, bytes):
        return value
    _texts("bytes", value)
    return bytes(value, "utf-8")


def to_bool(value: Any) -> bool:
    """`bool()`."""
    if isinstance(value, bool):
        return value
    _texts("bool", value)
    if value not in _TRUE + _FALSE:
        raise CelError(f"{value} is not a bool")
    return value in _TRUE


def to_duration(value: Any) -> Duration:
    """`duration()`: of a text such as 1h30m."""
    if isinstance(value, Duration):
        return value
    _texts("duration", value)
    nanoseconds = formats.go_duration(value)
    if nanoseconds is None:
        raise CelError(f'"{value}" is not a duration')
    return Duration(nanoseconds)


def to_timestamp(value: Any) -> Timestamp:
    """`timestamp()`: of a text as RFC 3339 writes it, or of seconds since 1970."""
    if isinstance(value, Timestamp):
        return value
    if type(value) is int:
        return _timestamp(value, 0)
    _texts("timestamp", value)
    moment = parse_timestamp(value)
    if moment is None:
        raise CelError(f'"{value}" is not a timestamp')
    return moment


def parse_timestamp(value: str) -> Timestamp | None:
    """A moment as RFC 3339 writes it, or None where the text is none."""
    match = _RFC3339.fullmatch(value)
    if not match:
        return None
    try:
        moment = datetime(*map(int, match.groups()[:6]), tzinfo=timezone.utc)  # type: ignore[misc, arg-type]
    except ValueError:
        return None
    offset = 0
    if match[9]:
        if int(match[10]) > 24 or int(match[11]) > 60:
            return None
        offset = (int(match[10]) * 60 + int(match[11])) * (60 if match[9] == "+" else -60)
    seconds = (moment - _EPOCH) // timedelta(seconds=1) - offset
    return _timestamp(seconds, int((match[7] or "0")[:9].ljust(9, "0")))


def _timestamp(seconds: int, fraction: int) -> Timestamp:
    if not _EARLIEST <= seconds <= _LATEST:
        raise CelError("timestamp overflow")
    return Timestamp(seconds * SECOND + fraction)


def _local(value: Any, zone: Any) -> datetime:
    if not isinstance(value, Timestamp) or not isinstance(zone, str):
        raise NoOverload("a timestamp's part", value, zone)
    return (_EPOCH + timedelta(microseconds=value.nanoseconds // 1000)).astimezone(_zone(zone))


def _zone(name: str) -> tzinfo:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    match = _FIXED_OFFSET.fullmatch(name)
    if match:
        minutes = int(match[2]) * 60 + int(match[3])
        return timezone(timedelta(minutes=-minutes if match[1] == "-" else minutes))
    if name in ("", "UTC"):
        return timezone.utc
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise Unsupported(f"the time zone {name} is not known here") from None


_PARTS: Mapping[str, Callable[[datetime], int]] = {
    "getFullYear": lambda moment: moment.year,
    "getMonth": lambda moment: moment.month - 1,
    "getDate": lambda moment: moment.day,
    "getDayOfMonth": lambda moment: moment.day - 1,
    "getDayOfWeek": lambda moment: moment.isoweekday() % 7,
    "getDayOfYear": lambda moment: moment.timetuple().tm_yday - 1,
    "getHours": lambda moment: moment.hour,
    "getMinutes": lambda moment: moment.minute,
    "getSeconds": lambda moment: moment.second,
    "getMilliseconds": lambda moment: moment.microsecond // 1000,
}
_SPANS = {
    "getHours": 3600 * SECOND,
    "getMinutes": 60 * SECOND,
    "getSeconds": SECOND,
    "getMilliseconds": 10**6,
}


def _part(name: str) -> Callable[..., int]:
    def part(value: Any, zone: Any = "UTC") -> int:
        if isinstance(value, Duration) and name in _SPANS:
            whole = abs(value.nanoseconds) // _SPANS[name]
            return -whole if value.nanoseconds < 0 else whole
        return _PARTS[name](_local(value, zone))

    return part


def _or_value(value: Any, other: Any) -> Any:
    return _optional(value).value if _optional(value).present else other


def _optional(value: Any) -> Optional:
    if isinstance(value, Optional):
        return value
    raise NoOverload("an optional's method", value)


def _value(value: Any) -> Any:
    if not _optional(value).present:
        raise CelError("the optional has no value")
    return value.value


def _non_zero(value: Any) -> Optional:
    empty = value is None or (not value and not isinstance(value, (Duration, Timestamp)))
    return NONE if empty or value == Duration(0) else Optional(True, value)


FUNCTIONS: dict[tuple[str, int], Callable[..., Any]] = {
    ("size", 1): size,
    ("int", 1): to_int,
    ("uint", 1): to_uint,
    ("double", 1): to_double,
    ("string", 1): to_string,
    ("bytes", 1): to_bytes,
    ("bool", 1): to_bool,
    ("duration", 1): to_duration,
    ("timestamp", 1): to_timestamp,
    ("dyn", 1): lambda value: value,
    ("type", 1): lambda value: Type(type_name(value)),
    ("matches", 2): matches,
    ("optional.of", 1): lambda value: Optional(True, value),
    ("optional.ofNonZeroValue", 1): _non_zero,
    ("optional.none", 0): lambda: NONE,
}
METHODS: dict[tuple[str, int], Callable[..., Any]] = {
    ("size", 1): size,
    ("contains", 2): contains,
    ("startsWith", 2): starts_with,
    ("endsWith", 2): ends_with,
    ("matches", 2): matches,
    ("hasValue", 1): lambda value: _optional(value).present,
    ("value", 1): _value,
    ("orValue", 2): _or_value,
    ("or", 2): lambda value, other: value if _optional(value).present else _optional(other),
    **{(name, count): _part(name) for name in _PARTS for count in (1, 2)},
}
