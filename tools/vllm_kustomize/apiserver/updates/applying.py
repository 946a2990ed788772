"""Server-side apply: what becomes of a live object when the manager of one manifest applies the next.

Fields that the manager's last manifest had and the next one lacks are removed; fields that others set, the
server's defaults among them, stay; lists whose items have a key merge item by item
(sigs.k8s.io/structured-merge-diff, and `x-kubernetes-list-map-keys` of the Kubernetes schemas).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vllm_kustomize.kubernetes.fields import get, mapping, sequence
from vllm_kustomize.kubernetes.pods import TEMPLATES
from vllm_kustomize.kustomize.replay.strategic import merge_keys
from vllm_kustomize.model import FieldPath, Manifest

Lists = Mapping[tuple[str, ...], tuple[str, ...]]
"""The lists that merge item by item, by the names on the way to them, with the keys of their items."""

_KEY_DEFAULTS = {"protocol": "TCP"}
_KEYLESS = frozenset({"imagePullSecrets"})
"""Lists in which an item may lack its key: the schema has a default for it."""
_ATOMIC = frozenset({"dataSource", "fieldRef", "nodeSelector", "resourceFieldRef", "roleRef", "selector"})
"""Maps that are replaced whole (`x-kubernetes-map-type: atomic`), where it makes a difference."""

_NEWER: Mapping[tuple[str, str], Lists] = {
    ("batch/v1", "Job"): {("spec", "scheduling", "resourceClaims"): ("name",)},
}
"""Lists of Kubernetes 1.37 that Kustomize's document does not have."""
_BYTES = {"ConfigMap": ("binaryData",), "Secret": ("data",)}
"""Maps of bytes: a create takes a list of numbers for them, an apply only text."""


def keyed_lists(manifest: Manifest) -> Lists:
    """The lists of a kind that merge item by item."""
    keyed = {names: keys for names, keys in _merge_keys(manifest).items() if keys}
    keyed |= _NEWER.get((str(manifest.get("apiVersion")), str(manifest.get("kind"))), {})
    return keyed | {(*path, "ownerReferences"): ("uid",) for path in _metadata(manifest)}


def _merge_keys(manifest: Manifest) -> Lists:
    return merge_keys(str(manifest.get("apiVersion")), str(manifest.get("kind")))


def _metadata(manifest: Manifest) -> Iterator[tuple[str, ...]]:
    """Where an object has metadata: its own, and its templates'."""
    yield ("metadata",)
    for template in TEMPLATES.get(str(manifest.get("kind")), ()):
        yield (*map(str, template), "metadata")
        if template[1:2] == ("jobTemplate",):
            yield ("spec", "jobTemplate", "metadata")


def apply(live: Manifest, last: Manifest, manifest: Manifest) -> dict[Any, Any]:
    """The live object, which came of the manifest `last`, after `manifest` is applied by the same manager."""
    applied = _merge(live, last, manifest, keyed_lists(manifest), ())
    assert isinstance(applied, dict)
    return applied


def unmergeable_items(manifest: Manifest) -> Iterator[tuple[FieldPath, str]]:
    """Items that server-side apply cannot tell apart, with what is wrong with each."""
    for names, keys in keyed_lists(manifest).items():
        yield from _unmergeable(manifest, names, keys, ())
    for path in _metadata(manifest):
        finalizers = [str(each) for each in sequence(get(manifest, path), "finalizers")]
        for index, each in enumerate(finalizers):
            if each in finalizers[:index]:
                yield (*path, "finalizers", index), "stands here for the second time"
    for field in _BYTES.get(str(manifest.get("kind")), ()):
        for name, value in mapping(manifest, field).items():
            if isinstance(value, list):
                yield (field, str(name)), "is a list, not base64"


def _unmergeable(
    value: Any, names: tuple[str, ...], keys: tuple[str, ...], path: FieldPath
) -> Iterator[tuple[FieldPath, str]]:
    if isinstance(value, list) and names:
        for index, item in enumerate(value):
            yield from _unmergeable(item, names, keys, (*path, index))
    elif isinstance(value, dict) and names:
        yield from _unmergeable(value.get(names[0]), names[1:], keys, (*path, names[0]))
    elif isinstance(value, list):
        seen = set()
        for index, item in enumerate(value):
            key = _key(item, keys)
            if isinstance(item, dict) and path[-1] not in _KEYLESS and not any(map(item.get, keys)):
                yield (*path, index), f"has no {' and no '.join(keys)}"
            elif key is not None and key in seen:
                yield (*path, index), f"has the same {' and '.join(keys)} as an item above it"
            seen.add(key)


def _merge(live: Any, last: Any, manifest: Any, lists: Lists, names: tuple[str, ...]) -> Any:
    if isinstance(live, dict) and isinstance(manifest, dict) and not _ATOMIC.intersection(names[-1:]):
        return _merge_fields(live, last if isinstance(last, dict) else {}, manifest, lists, names)
    keys = lists.get(names)
    if keys and isinstance(live, list) and isinstance(manifest, list):
        return _merge_items(live, last if isinstance(last, list) else [], manifest, lists, names)
    return manifest


def _merge_fields(
    live: Manifest, last: Manifest, manifest: Manifest, lists: Lists, names: tuple[str, ...]
) -> dict[Any, Any] | None:
    """A struct that loses its last field this way is removed with it."""
    merged = {}
    for name, value in live.items():
        if manifest.get(name) is not None:
            merged[name] = _merge(value, last.get(name), manifest[name], lists, (*names, str(name)))
        elif name not in last:
            merged[name] = value
    if live and not merged and not manifest:
        return None
    return {**{name: value for name, value in manifest.items() if value is not None}, **merged}


def _merge_items(
    live: list[Any], last: list[Any], manifest: list[Any], lists: Lists, names: tuple[str, ...]
) -> list[Any]:
    keys = lists[names]
    before = {_key(item, keys): item for item in live}
    owned = {_key(item, keys): item for item in last}
    wanted = {_key(item, keys): item for item in manifest}
    merged = [
        _merge(before[key], owned.get(key), item, lists, names) if key in before else item
        for key, item in wanted.items()
    ]
    return merged + [item for key, item in before.items() if key not in wanted and key not in owned]


def _key(item: Any, keys: tuple[str, ...]) -> tuple[Any, ...] | None:
    if not isinstance(item, dict):
        return None
    return tuple(str(item.get(key) or _KEY_DEFAULTS.get(key, "")) for key in keys)
