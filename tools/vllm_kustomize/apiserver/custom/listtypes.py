"""Lists whose items may not repeat: `x-kubernetes-list-type: set`, and `map` by its keys.

Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from vllm_kustomize.apiserver.custom.schema import Schema
from vllm_kustomize.apiserver.custom.values import Refusal
from vllm_kustomize.model import FieldPath
from vllm_kustomize.wording import quote


def duplicates(value: Any, schema: Schema | None, path: FieldPath = ()) -> Iterator[Refusal]:
    """Yield each item that an earlier one repeats, and what is not an object in a map of objects."""
    if schema is None:
        return
    if isinstance(value, dict):
        for name, item in value.items():
            if isinstance(item, (dict, list)):
                yield from duplicates(item, schema.child(name), (*path, name))
    elif isinstance(value, list):
        if schema.list_type == "set":
            yield from _repeated(value, path)
        elif schema.list_type == "map" and schema.list_keys:
            yield from _repeated_keys(value, schema.list_keys, path)
        for index, item in enumerate(value):
            if isinstance(item, (dict, list)):
                yield from duplicates(item, schema.items, (*path, index))


def _repeated(items: list[Any], path: FieldPath) -> Iterator[Refusal]:
    for index in _repeats(items):
        yield Refusal((*path, index), f"{quote(_shown(items[index]))} is there twice; each may appear once")


def _repeated_keys(items: list[Any], names: tuple[str, ...], path: FieldPath) -> Iterator[Refusal]:
    for index, item in enumerate(items):
        if item is not None and not isinstance(item, dict):
            yield Refusal((*path, index), f"must be a mapping with {' and '.join(names)}")
            return
    keys = [{name: item[name] for name in names if name in item} if item else {} for item in items]
    for index in _repeats(keys):
        shown = ", ".join(f"{name}: {_shown(value)}" for name, value in keys[index].items())
        said = f"an item with {quote(shown).strip(chr(34))}" if shown else f"an item without {names[0]}"
        yield Refusal((*path, index), f"{said} is there already; each may appear once")


def _repeats(items: list[Any]) -> Iterator[int]:
    seen: dict[str, int] = {}
    for index, item in enumerate(items):
        key = json.dumps(item, sort_keys=True)
        seen[key] = seen.get(key, 0) + 1
        if seen[key] == 2:
            yield index


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
