"""Write what is cached as JSON, and read it as what it was: nothing of another structure comes through."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

_T = TypeVar("_T")


def written(value: Any) -> Any:
    """What a value is made again from: the arguments of a dataclass, without what it keeps besides them."""
    if is_dataclass(value):
        return [written(getattr(value, each.name)) for each in fields(value) if each.init]
    if isinstance(value, Mapping):
        return {key: written(child) for key, child in value.items()}
    return [written(each) for each in value] if isinstance(value, tuple) else value


def read(kind: type[_T], value: Any) -> _T:
    """The value of that type that was written; raises `ValueError` where it is of another structure."""
    found: _T = _read(kind, value)
    return found


def _read(kind: Any, value: Any) -> Any:
    if isinstance(kind, type) and is_dataclass(kind):
        hints = _arguments(kind)
        if isinstance(value, list) and len(value) == len(hints):
            return kind(*map(_read, hints, value))
    elif (origin := get_origin(kind)) is tuple:
        return _tuple(get_args(kind), value)
    elif origin in (Union, types.UnionType):
        return _one_of(get_args(kind), value)
    elif isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping(get_args(kind), value)
    elif kind is Any or type(value) is kind:
        return value
    elif isinstance(kind, type) and issubclass(kind, Enum) and type(value) is int:
        return kind(value)
    raise ValueError(f"not a {kind}")


def _tuple(kinds: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    if isinstance(value, list):
        if len(kinds) == 2 and kinds[1] is Ellipsis:
            return tuple(_read(kinds[0], each) for each in value)
        if len(kinds) == len(value):
            return tuple(map(_read, kinds, value))
    raise ValueError("not a tuple")


def _one_of(kinds: tuple[Any, ...], value: Any) -> Any:
    for kind in kinds:
        try:
            return None if kind is types.NoneType and value is None else _read(kind, value)
        except ValueError:  # noqa: PERF203 - a union has two
            continue
    raise ValueError("not one of the types")


def _mapping(kinds: tuple[Any, ...], value: Any) -> dict[Any, Any]:
    if not isinstance(value, dict):
        raise ValueError("not a mapping")
    return {_read(kinds[0], key): _read(kinds[1], child) for key, child in value.items()}


@cache
def _arguments(kind: Any) -> tuple[Any, ...]:
    """The types of what a dataclass is made of, in order."""
    hints = get_type_hints(kind)
    return tuple(hints[each.name] for each in fields(kind) if each.init)
