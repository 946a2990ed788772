"""Server-side apply: what becomes of a live object when the manager of one manifest applies the next.

Fields that the manager's last manifest had and the next one lacks are removed; fields that others set, the
server's defaults among them, stay; lists whose items have a key merge item by item
(sigs.k8s.io/structured-merge-diff, and `x-kubernetes-list-map-keys` of the Kubernetes schemas).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vllm_kustomize.kustomize.strategic import merge_keys
from vllm_kustomize.model import FieldPath, Manifest

Lists = Mapping[tuple[str, ...], tuple[str, ...]]
"""The lists that merge item by item, by the names on the way to them, with the keys of their items."""

_KEY_DEFAULTS = {"protocol": "TCP"}


def keyed_lists(manifest: Manifest) -> Lists:
    """The lists of a kind that merge item by item."""
    return merge_keys(str(manifest.get("apiVersion")), str(manifest.get("kind")))


def apply(live: Manifest, last: Manifest, manifest: Manifest) -> dict[Any, Any]:
    """The live object, which came of the manifest `last`, after `manifest` is applied by the same manager."""
    lists = {names: keys for names, keys in keyed_lists(manifest).items() if keys}
    applied = _merge(live, last, manifest, lists, ())
    assert isinstance(applied, dict)
    return applied


def repeated_items(manifest: Manifest) -> Iterator[FieldPath]:
    """Items whose key an earlier item of the list has, which server-side apply refuses."""
    for names, keys in keyed_lists(manifest).items():
        if keys:
            yield from _repeated(manifest, names, keys, ())


def _repeated(
    value: Any, names: tuple[str, ...], keys: tuple[str, ...], path: FieldPath
) -> Iterator[FieldPath]:
    if isinstance(value, list) and names:
        for index, item in enumerate(value):
            yield from _repeated(item, names, keys, (*path, index))
    elif isinstance(value, dict) and names:
        yield from _repeated(value.get(names[0]), names[1:], keys, (*path, names[0]))
    elif isinstance(value, list):
        seen = set()
        for index, item in enumerate(value):
            key = _key(item, keys)
            if key is not None and key in seen:
                yield (*path, index)
            seen.add(key)


def _merge(live: Any, last: Any, manifest: Any, lists: Lists, names: tuple[str, ...]) -> Any:
    if isinstance(live, dict) and isinstance(manifest, dict):
        owned = last if isinstance(last, dict) else {}
        merged = {}
        for name, value in live.items():
            inner = (*names, str(name))
            if manifest.get(name) is not None:
                merged[name] = _merge(value, owned.get(name), manifest[name], lists, inner)
            elif name not in owned:
                merged[name] = value
            elif (rest := _without(value, owned[name], lists, inner)) is not None:
                merged[name] = rest
        added = {
            name: value for name, value in manifest.items() if name not in live and value is not None
        }
        return {**merged, **added}
    keys = lists.get(names)
    if keys and isinstance(live, list) and isinstance(manifest, list):
        before = {_key(item, keys): item for item in live}
        owned = {_key(item, keys): item for item in last} if isinstance(last, list) else {}
        merged_items = []
        for item in manifest:
            key = _key(item, keys)
            known = before.get(key)
            merged_items.append(
                _merge(known, owned.get(key), item, lists, names) if known is not None else item
            )
        wanted = {_key(item, keys) for item in manifest}
        others = [item for key, item in before.items() if key not in wanted and key not in owned]
        return merged_items + others
    return manifest


def _without(live: Any, owned: Any, lists: Lists, names: tuple[str, ...]) -> Any:
    """What is left of a live value without what the manager owns in it; None where nothing is."""
    if isinstance(live, dict) and isinstance(owned, dict) and owned:
        left = {}
        for name, value in live.items():
            if name not in owned:
                left[name] = value
            elif (rest := _without(value, owned[name], lists, (*names, str(name)))) is not None:
                left[name] = rest
        return left or None
    keys = lists.get(names)
    if keys and isinstance(live, list) and isinstance(owned, list):
        mine = {_key(item, keys) for item in owned}
        return [item for item in live if _key(item, keys) not in mine] or None
    return None


def _key(item: Any, keys: tuple[str, ...]) -> tuple[Any, ...] | None:
    if not isinstance(item, dict):
        return None
    return tuple(str(item.get(key) or _KEY_DEFAULTS.get(key, "")) for key in keys)
