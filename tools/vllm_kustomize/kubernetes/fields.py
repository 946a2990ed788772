"""Fields of objects, whatever their values look like: a value of another type counts as absent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vllm_kustomize.model import FieldPath, Manifest


def get(value: Any, path: FieldPath) -> Any:
    """The value at a path, or None where the path leads nowhere."""
    for step in path:
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def mapping(value: Any) -> Manifest:
    """The value if it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def text(value: Any) -> str:
    """The value if it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def number(value: Any, default: int) -> int:
    """The value if it is an integer, else the default."""
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def strings(value: Any) -> list[str]:
    """The strings of a list; empty for what is no list."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def texts(value: Any, path: FieldPath) -> Iterator[tuple[FieldPath, str]]:
    """Every string at or below a value, with its place."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from texts(item, (*path, str(key)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from texts(item, (*path, index))


def items(value: Any, path: FieldPath) -> Iterator[tuple[FieldPath, Manifest]]:
    """The mappings of a list, each with its path."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, Mapping):
                yield (*path, index), item
