"""Which value of the object as it was a value of the new object is to be compared with.

Fields go by name, items of a `list-type: map` by their keys, other items by nothing at all. Source:
k8s.io/apiserver/pkg/cel/common (equality.go, maplist.go).
"""

from __future__ import annotations

from typing import Any

from vllm_kustomize.apiserver.custom.schema import Schema


class _Absent:
    """There is nothing to compare with."""


ABSENT = _Absent()


def of_field(old: Any, name: str) -> Any:
    """The old value of a field, or ABSENT."""
    return old.get(name, ABSENT) if isinstance(old, dict) else ABSENT


def of_item(old: Any, item: Any, schema: Schema) -> Any:
    """The old item with the keys of an item, or ABSENT."""
    if schema.list_type != "map" or not isinstance(old, list):
        return ABSENT
    wanted = _keys(item, schema)
    return next((other for other in old if wanted and _keys(other, schema) == wanted), ABSENT)


def _keys(item: Any, schema: Schema) -> tuple[Any, ...]:
    if not isinstance(item, dict):
        return ()
    found = tuple(item.get(key, ABSENT) for key in schema.list_keys)
    plain = all(isinstance(value, (str, int, float, bool)) for value in found)
    return tuple((type(value), value) for value in found) if plain else ()


def same(new: Any, old: Any) -> bool:
    """Whether two values are equal in type and content."""
    if isinstance(new, dict) and isinstance(old, dict):
        return new.keys() == old.keys() and all(same(item, old[name]) for name, item in new.items())
    if isinstance(new, list) and isinstance(old, list):
        return len(new) == len(old) and all(map(same, new, old))
    return type(new) is type(old) and bool(new == old)
