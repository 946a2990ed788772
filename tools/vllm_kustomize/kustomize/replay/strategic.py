"""Apply a strategic merge patch as Kustomize does, keeping where every value was written.

Kustomize merges with kyaml's merge2 and the schemas of Kubernetes 1.21, not as kube-apiserver does: they are
in the same document that builds are given (shortcut.py).
Source: kyaml/yaml/merge2/merge2.go and kyaml/yaml/walk/associative_sequence.go.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from vllm_kustomize.kustomize.shortcut import SCHEMA
from vllm_kustomize.kustomize.yaml.nodes import Node, written_over

Fields = tuple[str, ...]

_POD_SPECS: dict[tuple[str, str], Fields] = {
    ("v1", "Pod"): ("spec",),
    ("v1", "PodTemplate"): ("template", "spec"),
    ("v1", "ReplicationController"): ("spec", "template", "spec"),
    ("batch/v1", "Job"): ("spec", "template", "spec"),
    ("batch/v1", "CronJob"): ("spec", "jobTemplate", "spec", "template", "spec"),
    ("batch/v1beta1", "CronJob"): ("spec", "jobTemplate", "spec", "template", "spec"),
} | {
    ("apps/v1", kind): ("spec", "template", "spec")
    for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")
}
_DIRECTIVE = "$patch"


@lru_cache(maxsize=256)
def merge_keys(api_version: str, kind: str) -> Mapping[Fields, Fields]:
    """Return the lists of a kind that merge item by item, with their keys; all others are replaced whole.

    A list of plain values that merges has no keys. Unknown kinds have no such lists.
    """
    group, _, version = api_version.rpartition("/")
    name = _kinds().get((group, version, kind))
    return dict(_merging_lists(_definitions()[name], ())) if name else {}


@lru_cache(maxsize=1)
def _definitions() -> dict[str, Any]:
    definitions: dict[str, Any] = json.loads(SCHEMA.read_bytes())["definitions"]
    return definitions


@lru_cache(maxsize=1)
def _kinds() -> dict[tuple[str, str, str], str]:
    """The definition of each group, version and kind."""
    return {
        (entry["group"], entry["version"], entry["kind"]): name
        for name, definition in _definitions().items()
        for entry in definition.get("x-kubernetes-group-version-kind", ())
    }


def _merging_lists(definition: Mapping[str, Any], path: Fields) -> Iterator[tuple[Fields, Fields]]:
    reference = definition.get("$ref", "").removeprefix("#/definitions/")
    if reference == "any":  # of no use to a merge, and cut from the document
        return
    if reference:
        definition = _definitions()[reference]
    if "merge" in definition.get("x-kubernetes-patch-strategy", ""):
        key = definition.get("x-kubernetes-patch-merge-key")
        yield path, tuple(definition.get("x-kubernetes-list-map-keys", [key] if key else ()))
    if "items" in definition:
        yield from _merging_lists(definition["items"], path)
    for name, field in definition.get("properties", {}).items():
        yield from _merging_lists(field, (*path, name))


def pod_spec(root: Node) -> Node | None:
    """Return the pod's spec in an object of a kind that has pods, or None."""
    path = _POD_SPECS.get((root.text("apiVersion"), root.text("kind")))
    if path is None:
        return None
    found, depth = root.find(path)
    return found if depth == len(path) else None


def strategic_merge(target: Node, patch: Node) -> Node | None:
    """Return `target` with `patch` merged into it, or None where the patch deletes it."""
    lists = merge_keys(target.text("apiVersion"), target.text("kind"))
    return _merge(target, patch, lists, ())


Lists = Mapping[Fields, Fields]


def _merge(old: Node, new: Node, lists: Lists, path: Fields) -> Node | None:
    if old.value is None:
        return _over(_added(new, lists, path), old)
    if new.value is None:
        return None
    if isinstance(old.value, dict) and isinstance(new.value, dict):
        return _merge_mapping(old, new, lists, path)
    if isinstance(old.value, list) and isinstance(new.value, list) and path in lists:
        return _merge_list(old, new, lists, path)
    return written_over(new, old)


def _merge_mapping(old: Node, new: Node, lists: Lists, path: Fields) -> Node | None:
    directive = new.text(_DIRECTIVE)
    if directive == "delete":
        return None
    if directive == "replace":
        return _over(_added(new, lists, path), old)
    fields = dict(old.value)
    removed = dict(old.removed)
    for name, value in new.value.items():
        if name == _DIRECTIVE:
            continue
        before = fields.get(name)
        inner = (*path, name)
        after = _added(value, lists, inner) if before is None else _merge(before, value, lists, inner)
        if after is not None:
            fields[name] = after
        elif before is not None:
            del fields[name]
            removed[name] = value
    return old.replace(fields, removed=removed)


def _merge_list(old: Node, new: Node, lists: Lists, path: Fields) -> Node | None:
    keys = lists[path]
    items: list[Node] = new.value
    directive = next(
        (item.text(_DIRECTIVE) for item in items if isinstance(item.value, dict) and item.get(_DIRECTIVE)), ""
    )
    if directive and any(isinstance(i.value, dict) and list(i.value) == [_DIRECTIVE] for i in items):
        items = [
            item for item in items if not (isinstance(item.value, dict) and list(item.value) == [_DIRECTIVE])
        ]
        if directive == "delete":
            return None
        if directive == "replace":
            return _over(_added(new.replace(items), lists, path), old)
    if not keys:
        known = {item.value for item in items}
        return old.replace([*items, *(item for item in old.value if item.value not in known)])
    remaining: list[Node | None] = list(old.value)
    front: list[Node] = []
    for item in items:
        index = next((i for i, kept in enumerate(remaining) if kept and _same(kept, item, keys)), None)
        if index is None:
            added = _added(item, lists, path)
            if added is not None:
                front.append(added)
            continue
        kept = remaining[index]
        assert kept is not None
        merged = kept if item.text(_DIRECTIVE) == "replace" else _merge(kept, item, lists, path)
        if merged is None:
            remaining[index] = None
        elif len(keys) > 1:
            remaining[index] = merged
        else:
            remaining[index] = None
            front.append(merged)
    return old.replace([*front, *(item for item in remaining if item is not None)])


def _same(left: Node, right: Node, keys: Fields) -> bool:
    """Tell whether two items share the keys; a key that one of them leaves out is not compared."""
    first = left.get(keys[0]), right.get(keys[0])
    if first[0] is None or first[1] is None or first[0].value != first[1].value:
        return False
    for key in keys[1:]:
        mine, other = left.get(key), right.get(key)
        if (mine and mine.value) != (other and other.value):
            return False
    return True


def _added(new: Node, lists: Lists, path: Fields) -> Node | None:
    """Return what is left of a patch's value where nothing stood before: no nulls, no directives."""
    if new.value is None:
        return None
    if isinstance(new.value, dict):
        if new.text(_DIRECTIVE) == "delete":
            return None
        fields = {
            name: kept
            for name, value in new.value.items()
            if name != _DIRECTIVE and (kept := _added(value, lists, (*path, name))) is not None
        }
        return new.replace(fields)
    if isinstance(new.value, list) and path in lists:
        key = lists[path][:1]
        items = (_added(item, lists, path) if not key or item.get(key[0]) else item for item in new.value)
        return new.replace([item for item in items if item is not None])
    return new


def _over(new: Node | None, old: Node) -> Node | None:
    return None if new is None else written_over(new, old)
