"""Server-side apply of a custom resource over the one that came of the last manifest.

What the last manifest had and the next one lacks is removed; lists of type `map` and `set` merge item by
item, what is atomic is replaced. A mapping that loses its last field this way becomes null where it is
written as {}, and is removed with the field where it is not; the server then refuses the null. Source:
sigs.k8s.io/structured-merge-diff (typed/remove.go), as a kube-apiserver 1.37 was seen to do it.
"""

from __future__ import annotations

import json
from typing import Any

from vllm_kustomize.apiserver.custom.correlation import ABSENT, of_field, same
from vllm_kustomize.apiserver.custom.schema import Schema


def apply(live: Any, last: Any, manifest: Any, schema: Schema | None) -> Any:
    """The live value after `manifest` is applied by the manager of `last`; ABSENT where nothing is left."""
    if isinstance(live, dict) and isinstance(manifest, dict) and not (schema and schema.atomic):
        return _fields(live, last, manifest, schema)
    if isinstance(live, list) and isinstance(manifest, list) and schema:
        if schema.list_type == "map":
            return _items(live, last, manifest, schema)
        if schema.list_type == "set":
            return _members(live, last, manifest)
    return manifest


def _fields(live: dict[str, Any], last: Any, manifest: dict[str, Any], schema: Schema | None) -> Any:
    merged: dict[str, Any] = {}
    for name, value in live.items():
        if name in manifest:
            child = schema.child(name) if schema else None
            left = apply(value, of_field(last, name), manifest[name], child)
            if left is not ABSENT:
                merged[name] = left
        elif of_field(last, name) is ABSENT:
            merged[name] = value
    merged.update((name, value) for name, value in manifest.items() if name not in live)
    if live and not merged:
        return ABSENT if manifest else None
    return merged


def _items(live: list[Any], last: Any, manifest: list[Any], schema: Schema) -> Any:
    before = {_key(item, schema): item for item in live}
    owned = {_key(item, schema): item for item in last} if isinstance(last, list) else {}
    wanted = {_key(item, schema): item for item in manifest}
    merged = [
        apply(before[key], owned.get(key, ABSENT), item, schema.items) if key in before else item
        for key, item in wanted.items()
    ]
    merged += [item for key, item in before.items() if key not in wanted and key not in owned]
    return [item for item in merged if item is not ABSENT] or (ABSENT if live else [])


def _key(item: Any, schema: Schema) -> str:
    """What tells an item from the others; a key that is not set has its default."""
    defaults = schema.items.defaults if schema.items else {}
    fields = item if isinstance(item, dict) else {}
    return json.dumps([fields.get(name, defaults.get(name)) for name in schema.list_keys], sort_keys=True)


def _members(live: list[Any], last: Any, manifest: list[Any]) -> Any:
    owned = last if isinstance(last, list) else []
    others = [item for item in live if not any(same(item, one) for one in (*owned, *manifest))]
    return [*manifest, *others] or (ABSENT if live else [])
