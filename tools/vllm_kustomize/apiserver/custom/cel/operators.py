"""Operators: arithmetic within 64 bits, comparison, membership, and access to fields and items."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vllm_kustomize.apiserver.custom.cel.frame import Frame
from vllm_kustomize.apiserver.custom.cel.values import (
    INT64,
    NONE,
    CelError,
    Duration,
    NoOverload,
    Optional,
    Sequence,
    Timestamp,
    Uint,
    checked,
    compare,
    equal,
    get,
    has_key,
    is_list,
    is_map,
)


def member(value: Any, field: str) -> Any:
    """`value.field`; of an optional value, an optional one."""
    if isinstance(value, Optional):
        if not value.present or not is_map(value.value) or not has_key(value.value, field):
            return NONE
        return Optional(True, get(value.value, field))
    if not is_map(value):
        raise NoOverload(f".{field}", value)
    return get(value, field)


def index(value: Any, key: Any) -> Any:
    """`value[key]`; of an optional value, an optional one."""
    if isinstance(value, Optional):
        if not value.present:
            return NONE
        inner = value.value
        there = has_key(inner, key) if is_map(inner) else is_list(inner) and 0 <= _position(key) < len(inner)
        return Optional(True, index(inner, key)) if there else NONE
    if is_list(value):
        position = _position(key)
        if not 0 <= position < len(value):
            raise CelError(f"index out of bounds: {position}")
        return value.get(position) if isinstance(value, Sequence) else value[position]
    if is_map(value):
        return get(value, key)
    raise NoOverload("[]", value, key)


def _position(key: Any) -> int:
    if isinstance(key, bool) or not isinstance(key, (int, float)) or key != key // 1:
        raise CelError(f"unsupported index: {key}")
    return int(key)


def contains(frame: Frame, item: Any, container: Any) -> bool:
    """`item in container`."""
    if is_map(container):
        return has_key(container, item)
    if not is_list(container):
        raise NoOverload("in", item, container)
    error: CelError | None = None
    for other in container:
        frame.budget.spend(1)
        try:
            if equal(other, item):
                return True
        except CelError as raised:
            error = error or raised
    if error is not None:
        raise error
    return False


def _is_int(*values: Any) -> bool:
    return all(type(value) is int for value in values)


def _is_uint(*values: Any) -> bool:
    return all(type(value) is Uint for value in values)


def _is_double(*values: Any) -> bool:
    return all(type(value) is float for value in values)


def _uint(value: int) -> Uint:
    if not 0 <= value < 2 * INT64:
        raise CelError("unsigned integer overflow")
    return Uint(value)


def add(frame: Frame, left: Any, right: Any) -> Any:
    """`left + right`, of numbers, texts, bytes, lists and times."""
    if _is_int(left, right):
        return checked(left + right)
    if _is_uint(left, right):
        return _uint(int(left) + int(right))
    if _is_double(left, right):
        return left + right
    if (isinstance(left, str) and isinstance(right, str)) or (
        isinstance(left, bytes) and isinstance(right, bytes)
    ):
        frame.budget.spend((len(left) + len(right)) >> 6)
        return left + right  # type: ignore[operator]
    if is_list(left) and is_list(right):
        frame.budget.spend(len(left) + len(right))
        return left.plus(right) if isinstance(left, Sequence) else [*left, *right]
    if isinstance(left, Duration) and isinstance(right, Duration):
        return Duration(checked(left.nanoseconds + right.nanoseconds))
    if isinstance(left, Duration) and isinstance(right, Timestamp):
        left, right = right, left
    if isinstance(left, Timestamp) and isinstance(right, Duration):
        return Timestamp(left.nanoseconds + right.nanoseconds)
    raise NoOverload("+", left, right)


def subtract(frame: Frame, left: Any, right: Any) -> Any:
    """`left - right`, of numbers and times."""
    if _is_int(left, right):
        return checked(left - right)
    if _is_uint(left, right):
        return _uint(int(left) - int(right))
    if _is_double(left, right):
        return left - right
    if isinstance(left, (Duration, Timestamp)) and type(left) is type(right):
        return Duration(checked(left.nanoseconds - right.nanoseconds))
    if isinstance(left, Timestamp) and isinstance(right, Duration):
        return Timestamp(left.nanoseconds - right.nanoseconds)
    raise NoOverload("-", left, right)


def multiply(frame: Frame, left: Any, right: Any) -> Any:
    """`left * right`."""
    if _is_int(left, right):
        return checked(left * right)
    if _is_uint(left, right):
        return _uint(int(left) * int(right))
    if _is_double(left, right):
        return left * right
    raise NoOverload("*", left, right)


def divide(frame: Frame, left: Any, right: Any) -> Any:
    """`left / right`; of integers towards zero."""
    if _is_double(left, right):
        if right:
            return left / right
        return float("nan") if not left or left != left else left * float("inf")
    if not _is_int(left, right) and not _is_uint(left, right):
        raise NoOverload("/", left, right)
    if not right:
        raise CelError("division by zero")
    quotient = abs(int(left)) // abs(int(right))
    signed = quotient if (left < 0) == (right < 0) else -quotient
    return Uint(signed) if _is_uint(left) else checked(signed)


def modulo(frame: Frame, left: Any, right: Any) -> Any:
    """`left % right`, with the sign of `left`."""
    if not _is_int(left, right) and not _is_uint(left, right):
        raise NoOverload("%", left, right)
    if not right:
        raise CelError("modulus by zero")
    remainder = abs(int(left)) % abs(int(right))
    return Uint(remainder) if _is_uint(left) else -remainder if left < 0 else remainder


def negate(value: Any) -> Any:
    """`-value`."""
    if type(value) is int:
        return checked(-value)
    if isinstance(value, float):
        return -value
    if isinstance(value, Duration):
        return Duration(checked(-value.nanoseconds))
    raise NoOverload("-", value)


def invert(value: Any) -> bool:
    """`!value`."""
    if isinstance(value, bool):
        return not value
    raise NoOverload("!", value)


BINARY: dict[str, Callable[[Frame, Any, Any], Any]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "%": modulo,
    "in": contains,
    "==": lambda frame, left, right: equal(left, right),
    "!=": lambda frame, left, right: not equal(left, right),
    "<": lambda frame, left, right: compare(left, right) < 0,
    "<=": lambda frame, left, right: compare(left, right) <= 0,
    ">": lambda frame, left, right: compare(left, right) > 0,
    ">=": lambda frame, left, right: compare(left, right) >= 0,
}
UNARY: dict[str, Callable[[Any], Any]] = {"-_": negate, "!_": invert}
