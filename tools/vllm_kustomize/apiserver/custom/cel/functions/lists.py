"""Functions of lists and sets: Kubernetes' own, and cel-go's ext.Lists (version 3) and ext.Sets."""

from __future__ import annotations

from collections.abc import Callable
from functools import cmp_to_key
from itertools import pairwise
from typing import Any

from vllm_kustomize.apiserver.custom.cel.functions import strings
from vllm_kustomize.apiserver.custom.cel.values import (
    CelError,
    Duration,
    NoOverload,
    Uint,
    Unsupported,
    checked,
    compare,
    equal,
    is_list,
)

_LONGEST = 100_000
"""Items that a list may be made of; a rule that makes more is not judged."""


def _items(name: str, value: Any) -> list[Any]:
    if is_list(value):
        return list(value)
    raise NoOverload(name, value)


def is_sorted(value: Any) -> bool:
    """Whether no item is less than the one before it."""
    items = _items("isSorted", value)
    return all(compare(before, after) <= 0 for before, after in pairwise(items))


def total(value: Any) -> Any:
    """The sum of numbers or of durations."""
    items = _items("sum", value)
    if all(isinstance(item, Duration) for item in items) and items:
        return Duration(checked(sum(item.nanoseconds for item in items)))
    if any(isinstance(item, bool) or not isinstance(item, (int, float)) for item in items):
        raise NoOverload("sum", *items[:3])
    if any(isinstance(item, float) for item in items):
        return float(sum(items))
    result = sum(map(int, items))
    if items and isinstance(items[0], Uint):
        return Uint(result)
    return checked(result)


def _extreme(name: str, sign: int) -> Callable[[Any], Any]:
    def extreme(value: Any) -> Any:
        items = _items(name, value)
        if not items:
            raise CelError(f"{name} called on an empty list")
        best = items[0]
        for item in items[1:]:
            if compare(best, item) * sign > 0:
                best = item
        return best

    return extreme


def index_of(value: Any, item: Any) -> int:
    """Where an item is first found, or -1."""
    return next((at for at, other in enumerate(_items("indexOf", value)) if equal(other, item)), -1)


def last_index_of(value: Any, item: Any) -> int:
    """Where an item is last found, or -1."""
    items = _items("lastIndexOf", value)
    return next((at for at in reversed(range(len(items))) if equal(items[at], item)), -1)


def _of_list_or_text(
    of_list: Callable[[Any, Any], int], of_text: Callable[[Any, Any], int]
) -> Callable[[Any, Any], int]:
    return lambda value, wanted: (of_list if is_list(value) else of_text)(value, wanted)


def includes(value: Any, item: Any) -> bool:
    """Whether a list has an item, or a value is the other one."""
    return any(equal(other, item) for other in value) if is_list(value) else equal(value, item)


def part(value: Any, start: Any, end: Any) -> list[Any]:
    """`slice`: the items from one index up to another."""
    items = _items("slice", value)
    if type(start) is not int or type(end) is not int:
        raise NoOverload("slice", value, start, end)
    if not 0 <= start <= end <= len(items):
        raise CelError(f"cannot slice({start}, {end}) a list of {len(items)} items")
    return items[start:end]


def flatten(value: Any, depth: Any = 1) -> list[Any]:
    """A list with the items of its lists in their places."""
    if type(depth) is not int or depth < 0:
        raise CelError("the level of flatten() must not be negative")
    result: list[Any] = []
    for item in _items("flatten", value):
        result.extend(flatten(item, depth - 1) if is_list(item) and depth else [item])
    return result


def in_order(value: Any) -> list[Any]:
    """The items of a list in their order, all of one type."""
    items = _items("sort", value)
    if any(type(item) is not type(items[0]) for item in items):
        raise CelError("items of different types have no order")
    return sorted(items, key=cmp_to_key(compare))


def distinct(value: Any) -> list[Any]:
    """The items of a list without those that an earlier one is equal to."""
    result: list[Any] = []
    for item in _items("distinct", value):
        if len(result) > 2000:
            raise Unsupported("it takes too long")
        if not any(equal(item, other) for other in result):
            result.append(item)
    return result


def count_to(value: Any) -> list[int]:
    """`lists.range`: the numbers from 0 up to one."""
    if type(value) is not int:
        raise NoOverload("lists.range", value)
    if value > _LONGEST:
        raise Unsupported("it makes a list that is too long")
    return list(range(value))


def covers(value: Any, other: Any) -> bool:
    """`sets.contains`: whether a list has every item of another."""
    items, wanted = _items("sets.contains", value), _items("sets.contains", other)
    if len(items) * len(wanted) > _LONGEST:
        raise Unsupported("it takes too long")
    return all(any(equal(item, one) for item in items) for one in wanted)


def meets(value: Any, other: Any) -> bool:
    """`sets.intersects`: whether two lists have an item in common."""
    items, others = _items("sets.intersects", value), _items("sets.intersects", other)
    if len(items) * len(others) > _LONGEST:
        raise Unsupported("it takes too long")
    return any(any(equal(item, one) for item in items) for one in others)


FUNCTIONS: dict[tuple[str, int], Callable[..., Any]] = {
    ("lists.range", 1): count_to,
    ("sets.contains", 2): covers,
    ("sets.equivalent", 2): lambda one, other: covers(one, other) and covers(other, one),
    ("sets.intersects", 2): meets,
}
METHODS: dict[tuple[str, int], Callable[..., Any]] = {
    ("isSorted", 1): is_sorted,
    ("sum", 1): total,
    ("min", 1): _extreme("min", 1),
    ("max", 1): _extreme("max", -1),
    ("indexOf", 2): _of_list_or_text(index_of, strings.index_of),
    ("lastIndexOf", 2): _of_list_or_text(last_index_of, strings.last_index_of),
    ("includes", 2): includes,
    ("slice", 3): part,
    ("flatten", 1): flatten,
    ("flatten", 2): flatten,
    ("sort", 1): in_order,
    ("distinct", 1): distinct,
    ("reverse", 1): lambda value: _items("reverse", value)[::-1],
}
