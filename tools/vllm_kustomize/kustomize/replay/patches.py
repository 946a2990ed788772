"""The patches of a kustomization: reading them, choosing their targets, applying them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vllm_kustomize.kustomize.replay.jsonpatch import JsonPatchError, json_patch
from vllm_kustomize.kustomize.replay.objects import Source, node_id
from vllm_kustomize.kustomize.replay.selectors import SelectorError, select
from vllm_kustomize.kustomize.replay.sharing import apart, spread
from vllm_kustomize.kustomize.replay.strategic import strategic_merge
from vllm_kustomize.kustomize.yaml.nodes import Node


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """One patch document. `body` is a list of operations (JSON 6902) or an object (strategic merge)."""

    entry: Node
    body: Node
    target: Node | None = None
    name_change: bool = False
    kind_change: bool = False

    @property
    def is_json(self) -> bool:
        """Whether this is a JSON 6902 patch."""
        return isinstance(self.body.value, list)

    @property
    def only_tests(self) -> bool:
        """Whether this is a JSON patch that asserts something and is meant to change nothing."""
        return self.is_json and all(operation.text("op") == "test" for operation in self.body.value)


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """What one step did to one object; `after` is None where it removed it."""

    before: Source
    after: Source | None


def apply_patch(objects: Sequence[Source], patch: Patch) -> tuple[list[Source], tuple[Change, ...], str]:
    """Return the objects after a patch, what it changed, and why it could not be applied (or nothing)."""
    try:
        selected = set(map(id, _targets(objects, patch)))
    except SelectorError as error:
        return list(objects), (), str(error)
    problem = ""
    changes: list[Change] = []
    result: list[Source] = []
    for source in objects:
        if id(source) not in selected:
            result.append(source)
            continue
        try:
            after = _patched(source, patch)
        except JsonPatchError as error:
            problem, after = str(error), source
        changes.append(Change(source, after))
        if after is not None:
            result.append(after)
    return result, tuple(changes), problem


def _targets(objects: Sequence[Source], patch: Patch) -> list[Source]:
    if patch.target is not None:
        return select(patch.target, objects)
    if patch.is_json:
        return []
    wanted = node_id(patch.body)
    return [source for source in objects if any(wanted.same(identity) for identity in source.ids)][:1]


def _patched(source: Source, patch: Patch) -> Source | None:
    if patch.is_json:
        return apart(source.changed(json_patch(source.root, patch.body.value), renamed=True))
    root = strategic_merge(source.root, patch.body)
    if root is None:
        return None
    if not isinstance(root.value, dict):  # the engine refuses such a patch
        return source
    kept = {} if patch.kind_change else {"kind": source.root.get("kind")}
    kept["apiVersion"] = source.root.get("apiVersion") if patch.target is not None else root.get("apiVersion")
    metadata = root.get("metadata")
    before = source.root.get("metadata")
    if metadata is not None and before is not None and isinstance(metadata.value, dict):
        names = ("namespace",) if patch.name_change else ("name", "namespace")
        fields = {key: node for key, node in metadata.value.items() if key not in names}
        fields |= {key: node for key in names if (node := before.get(key)) is not None}
        kept["metadata"] = metadata.replace(fields)
    fields = {**root.value, **{key: node for key, node in kept.items() if node is not None}}
    merged = source.changed(root.replace(fields), renamed=patch.name_change or patch.kind_change)
    return spread(source, merged)
