"""Fields of objects, whatever their values look like: a value of another type counts as absent.

Each reads the value that it is given, or, where a path follows, what stands at that path inside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vllm_kustomize.model import FieldPath, Manifest, Offset

if TYPE_CHECKING:
    from typing import TypeGuard


def get(value: Any, path: FieldPath) -> Any:
    """The value at a path, or None where the path leads nowhere; a path into a text stays at the text."""
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        elif not isinstance(step, Offset):
            return None
    return value


def mapping(value: Any, *path: str | int) -> Manifest:
    """A mapping, or an empty one."""
    found = get(value, path)
    return found if isinstance(found, dict) else {}


def text(value: Any, *path: str | int, default: str = "") -> str:
    """A string, or `default` where there is none or an empty one."""
    found = get(value, path)
    return found if isinstance(found, str) and found else default


def number(value: Any, *path: str | int, default: int = 0) -> int:
    """An integer, or `default`."""
    found = get(value, path)
    return int(found) if is_integer(found) else default


def flag(value: Any, *path: str | int, default: bool = False) -> bool:
    """A boolean, or `default`."""
    found = get(value, path)
    return found if isinstance(found, bool) else default


def sequence(value: Any, *path: str | int) -> Sequence[Any]:
    """A list, or an empty one."""
    found = get(value, path)
    return found if isinstance(found, list) else ()


def strings(value: Any, *path: str | int) -> list[str]:
    """The strings of a list."""
    return [item for item in sequence(value, *path) if isinstance(item, str)]


def is_integer(value: object) -> TypeGuard[int]:
    """Whether Go reads the value as an integer (`1.0` is one, true is not)."""
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, float) and value.is_integer())


def is_set(value: Any, *path: str | int) -> bool:
    """Whether the field is there, and not null."""
    return get(value, path) is not None


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
    for index, item in enumerate(sequence(value)):
        if isinstance(item, dict):
            yield (*path, index), item


def is_count(value: object) -> bool:
    """Whether a text is a whole number that fits: decimal digits and nothing else, at most 18 of them."""
    return isinstance(value, str) and value.isdecimal() and len(value) <= 18
