"""The values of the Common Expression Language, how they compare and what they are called.

An int, float, bool, str, bytes and None are themselves; a list is a Python list or a Sequence, a map a dict
or a Mapping. What they mean is cel-go's (common/types), which the server runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

INT64 = 2**63


class CelError(Exception):
    """An error in the evaluation: the server counts it as a rule that fails."""


class NoOverload(CelError):
    """A function or operator was given values that it does not take."""

    def __init__(self, name: str, *values: object) -> None:
        super().__init__(f"{name} does not take {', '.join(map(type_name, values))}")


class Unsupported(Exception):
    """The expression cannot be judged here; nothing follows from that."""


class Uint(int):
    """An unsigned integer."""


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A span of time in nanoseconds."""

    nanoseconds: int


@dataclass(frozen=True, slots=True, order=True)
class Timestamp:
    """A moment, in nanoseconds since 1970 began in UTC."""

    nanoseconds: int


@dataclass(frozen=True, slots=True)
class Optional:
    """A value that may be missing."""

    present: bool
    value: Any = None


NONE = Optional(False)


@dataclass(frozen=True, slots=True)
class Type:
    """The type of a value, as a value."""

    name: str


class Mapping:
    """A map whose values are made when they are asked for."""

    def __len__(self) -> int:
        raise NotImplementedError

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError

    def has(self, key: Any) -> bool:
        """Whether the map has the key."""
        raise NotImplementedError

    def get(self, key: Any) -> Any:
        """The value of a key; raises CelError where there is none."""
        raise NotImplementedError

    def equals(self, other: Any) -> bool:
        """Whether the other value is the same map; raises CelError where they cannot be compared."""
        raise NotImplementedError


class Sequence:
    """A list whose items are made when they are asked for."""

    def __len__(self) -> int:
        raise NotImplementedError

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError

    def get(self, index: int) -> Any:
        """The item at an index, which is within bounds."""
        raise NotImplementedError

    def plus(self, other: Any) -> list[Any]:
        """The list with another behind it, as its type merges them."""
        raise NotImplementedError

    def equals(self, other: Any) -> bool:
        """Whether the other value is the same list; raises CelError where they cannot be compared."""
        raise NotImplementedError


_NAMES: tuple[tuple[Any, str], ...] = (
    (bool, "bool"),
    (Uint, "uint"),
    (int, "int"),
    (float, "double"),
    (str, "string"),
    (bytes, "bytes"),
    (type(None), "null_type"),
    ((list, Sequence), "list"),
    ((dict, Mapping), "map"),
    (Duration, "google.protobuf.Duration"),
    (Timestamp, "google.protobuf.Timestamp"),
    (Optional, "optional_type"),
    (Type, "type"),
)


def type_name(value: object) -> str:
    """What CEL calls the type of a value."""
    for classes, name in _NAMES:
        if isinstance(value, classes):
            return name
    return str(getattr(value, "CEL_TYPE", type(value).__name__))


def is_number(value: object) -> bool:
    """Whether a value is an int, a uint or a double."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_list(value: object) -> bool:
    """Whether a value is a list."""
    return isinstance(value, (list, Sequence))


def is_map(value: object) -> bool:
    """Whether a value is a map."""
    return isinstance(value, (dict, Mapping))


def checked(value: int) -> int:
    """An int that is one of 64 bits; raises CelError beyond."""
    if not -INT64 <= value < INT64:
        raise CelError("integer overflow")
    return value


def equal(left: Any, right: Any) -> bool:
    """Whether two values are equal; those of different types are not, but for numbers."""
    if left is None or right is None:
        return left is right
    if isinstance(left, (Mapping, Sequence)):
        return left.equals(right)
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if is_number(left) and is_number(right):
        return bool(left == right)
    if is_list(left) and is_list(right):
        return len(left) == len(right) and all(map(equal, left, right))
    if is_map(left) and is_map(right):
        return len(left) == len(right) and all(
            has_key(right, key) and equal(get(left, key), get(right, key)) for key in keys(left)
        )
    if isinstance(left, Optional) and isinstance(right, Optional):
        return left.present == right.present and (not left.present or equal(left.value, right.value))
    return type(left) is type(right) and bool(left == right)


def compare(left: Any, right: Any) -> int:
    """-1, 0 or 1 for values that have an order; raises NoOverload for all others."""
    both_numbers = is_number(left) and is_number(right)
    same = type(left) is type(right) and isinstance(left, (str, bytes, bool, Duration, Timestamp))
    if not both_numbers and not same:
        raise NoOverload("comparison", left, right)
    if left != left or right != right:
        raise CelError("NaN has no place in an order")
    if isinstance(left, str):
        left, right = left.encode("utf-8", "surrogatepass"), right.encode("utf-8", "surrogatepass")
    return int(left > right) - int(left < right)


def _key(key: Any) -> Any:
    """A map's key as Python tells it apart: true is not 1, but 1, 1u and 1.0 are one key."""
    return ("bool", key) if isinstance(key, bool) else key


def make_map(entries: list[tuple[Any, Any]]) -> dict[Any, Any]:
    """A map of these entries; the last one with a key counts. Raises CelError for what is not a key."""
    result: dict[Any, Any] = {}
    for key, value in entries:
        if not isinstance(key, (str, int, bool)):
            raise NoOverload("a map's key", key)
        result[_key(key)] = value
    return result


def keys(value: Any) -> Iterator[Any]:
    """The keys of a map."""
    for key in value:
        yield key[1] if isinstance(key, tuple) else key


def has_key(value: Any, key: Any) -> bool:
    """Whether a map has a key."""
    return value.has(key) if isinstance(value, Mapping) else _key(key) in value


def get(value: Any, key: Any) -> Any:
    """The value of a map's key; raises CelError where there is none."""
    if isinstance(value, Mapping):
        return value.get(key)
    try:
        return value[_key(key)]
    except (KeyError, TypeError):
        raise CelError(f"no such key: {key}") from None
