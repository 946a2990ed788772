"""Find the line that set a field of a rendered object, and the lines that it overrode."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from typing import Any

from vllm_kustomize.kustomize.replay.graph import SourceGraph
from vllm_kustomize.kustomize.replay.objects import Source
from vllm_kustomize.kustomize.yaml.nodes import Node
from vllm_kustomize.model import FieldPath, Location, Precision, Resource

OVERRIDDEN = "overridden here"
_HASH_LENGTH = 10
_VARIABLE = re.compile(r"\$\(([^()]+)\)")
_ANNOTATIONS = ("metadata", "annotations")
_BUILD_METADATA = {
    "originAnnotations": "config.kubernetes.io/origin",
    "transformerAnnotations": "alpha.config.kubernetes.io/transformations",
}
"""The annotation that an entry of `buildMetadata:` makes (api/internal/utils/annotations.go of Kustomize)."""
_ITEM_KEYS = ("name", "mountPath", "containerPort", "port", "ip", "key", "topologyKey", "devicePath", "uid")


Same = Callable[[Node, Any], bool]
"""Whether a source value is what the engine rendered."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """A place that had a say in a field before: the value that stood there, or None where the note tells."""

    location: Location
    node: Node | None = None


@dataclass(frozen=True, slots=True)
class Located:
    """Where a field was set: the last writer first, then what it overrode, the latest first."""

    primary: Location
    earlier: tuple[Earlier, ...] = ()

    @property
    def related(self) -> tuple[Location, ...]:
        """The places of what was there earlier."""
        return tuple(each.location for each in self.earlier)


class Locator:
    """Answers for the objects of one build.

    Every answer is checked against the rendered value: where the sources do not come to what the engine
    rendered, the closest place that does is named, with less than exact precision.
    """

    def __init__(self, graph: SourceGraph) -> None:
        self.graph = graph

    def locate(self, resource: Resource, path: FieldPath = ()) -> Located:
        """Return where the field at `path` was set, or the closest parent that someone set."""
        source = self._source(resource)
        if source is None:
            return Located(self.whole().primary, tuple(map(Earlier, self.graph.incomplete[:1])))
        node, trail, whole = _follow(source.root, resource.manifest, path, self._comes_out)
        if not whole:
            if path[:2] == _ANNOTATIONS and (setting := self._metadata.get(path[2:])):
                return Located(setting.location())
            missing = path[len(trail)] if len(trail) < len(path) else None
            remover = node.removed.get(missing) if isinstance(missing, str) else None
            if remover is not None:
                return Located(remover.location(Precision.PARENT, "removed here"))
            return Located(node.key_location(Precision.PARENT))
        rendered = _value(resource.manifest, path)
        if _explains(node, rendered) or _is_own_hashed_name(source, node, rendered):
            return Located(node.location(), tuple(_overridden(source.root, trail)))
        if isinstance(rendered, str) and (renamed := self._reference(node, rendered)):
            return Located(node.location(), tuple(map(Earlier, renamed)))
        if used := self._variables(node, rendered):
            return Located(node.location(), used)
        return Located(node.key_location(Precision.PARENT), tuple(_overridden(source.root, trail)))

    def _comes_out(self, node: Node, rendered: Any) -> bool:
        """Whether a source value is what the engine rendered, renamed or with variables replaced."""
        if _explains(node, rendered):
            return True
        renamed = isinstance(rendered, str) and bool(self._reference(node, rendered))
        return renamed or bool(self._variables(node, rendered))

    def _variables(self, node: Node, rendered: Any) -> tuple[Earlier, ...]:
        """The variables of `vars:` in a value, if with them it comes out as the rendered one."""
        if not self._vars or not isinstance(node.value, str):
            return ()
        literals = _VARIABLE.split(node.value)
        used = [self._vars[name] for name in literals[1::2] if name in self._vars]
        if not used or len(used) != len(literals[1::2]) or not _fills(literals[::2], str(rendered)):
            return ()
        return tuple(Earlier(each.location(note=f"defines $({each.text('name')})")) for each in used)

    @cached_property
    def _vars(self) -> Mapping[str, Node]:
        """The entries of `vars:` by name."""
        return {
            entry.text("name"): entry
            for kustomization in self.graph.kustomizations
            for entry in kustomization.root.items("vars")
        }

    @cached_property
    def _metadata(self) -> Mapping[FieldPath, Node]:
        """The entries of `buildMetadata:` of the kustomization that is built, by the annotation they make."""
        built = (each for each in self.graph.kustomizations if each.file == self.graph.file)
        entries = (entry for each in built for entry in each.root.items("buildMetadata"))
        return {(_BUILD_METADATA[entry.value],): entry for entry in entries if entry.value in _BUILD_METADATA}

    def whole(self) -> Located:
        """Return the overlay's own kustomization, for what concerns all or cannot be followed."""
        return Located(Location(self.graph.file, 1, 1, precision=Precision.FILE))

    def _source(self, resource: Resource) -> Source | None:
        """Return the object behind a rendered one."""
        exact = self._by_name.get((resource.api_version, resource.kind, resource.namespace, resource.name))
        if exact is not None:
            return exact
        name = resource.name[: -_HASH_LENGTH - 1]
        return self._hashed.get((resource.api_version, resource.kind, resource.namespace, name))

    @cached_property
    def _by_name(self) -> Mapping[tuple[str, str, str, str], Source]:
        return {_identity(source): source for source in self.graph.objects if not source.hashed}

    @cached_property
    def _hashed(self) -> Mapping[tuple[str, str, str, str], Source]:
        return {_identity(source): source for source in self.graph.objects if source.hashed}

    @cached_property
    def _names(self) -> Mapping[str, list[Source]]:
        """Objects by every name that they have had."""
        names: dict[str, list[Source]] = {}
        for source in self.graph.objects:
            for identity in source.ids:
                names.setdefault(identity.name, []).append(source)
        return names

    def _reference(self, node: Node, rendered: str) -> tuple[Location, ...]:
        """Return where the object that a field names was renamed, if that explains the rendered name."""
        for source in self._names.get(str(node.value), ()):
            name = source.id.name
            hashed = source.hashed and rendered[: -_HASH_LENGTH - 1] == name
            if rendered == name or hashed:
                found, _ = source.root.find(("metadata", "name"))
                return (found.location(note=f"names {source}"),)
        return ()


def _is_own_hashed_name(source: Source, node: Node, rendered: Any) -> bool:
    """Whether a value is the object's own name, to which the engine has appended a hash of the content."""
    own = source.hashed and source.root.find(("metadata", "name"))[0] is node
    return own and isinstance(rendered, str) and rendered[: -_HASH_LENGTH - 1] == node.value


def _identity(source: Source) -> tuple[str, str, str, str]:
    identity = source.id
    return (source.root.text("apiVersion"), identity.kind, identity.namespace, identity.name)


def _follow(root: Node, manifest: Any, path: FieldPath, same: Same) -> tuple[Node, FieldPath, bool]:
    """Walk the sources and the rendered object together.

    Returns the last node, the path to it in the sources, and whether it is the one at `path`.
    """
    node, rendered = root, manifest
    trail: list[str | int] = []
    for step in path:
        child: Node | None = None
        if isinstance(node.value, dict) and isinstance(rendered, Mapping):
            child = node.value.get(step)
            if child is not None and step not in rendered:
                child = None
            rendered = rendered.get(step)
            position: str | int = step
        elif isinstance(node.value, list) and isinstance(rendered, list) and isinstance(step, int):
            rendered = rendered[step] if 0 <= step < len(rendered) else None
            position = _position(node.value, step, rendered, same)
            child = node.value[position] if position >= 0 else None
        if child is None:
            return node, tuple(trail), False
        node = child
        trail.append(position)
    return node, tuple(trail), True


def _position(items: list[Node], index: int, rendered: Any, same: Same) -> int:
    """Return where an item of a rendered list stands in the sources, or -1."""
    if index < len(items) and _alike(items[index], rendered, same):
        return index
    return next((place for place, item in enumerate(items) if _alike(item, rendered, _explains)), -1)


def _alike(item: Node, rendered: Any, same: Same) -> bool:
    """Tell whether a source item and a rendered one are the same, judged by their identifying key."""
    if isinstance(item.value, dict) and isinstance(rendered, Mapping):
        for key in _ITEM_KEYS:
            if key in item.value or key in rendered:
                mine = item.get(key)
                return mine is not None and same(mine, rendered.get(key))
        return bool(item.value.keys() & rendered.keys())
    return same(item, rendered)


def _value(manifest: Any, path: FieldPath) -> Any:
    for step in path:
        manifest = manifest[step]
    return manifest


def _explains(node: Node, rendered: Any) -> bool:
    """Tell whether a source value comes out as the rendered one."""
    value = node.value
    if isinstance(value, dict):
        return isinstance(rendered, Mapping)
    if isinstance(value, list):
        return isinstance(rendered, list)
    return bool(value == rendered) and isinstance(value, bool) == isinstance(rendered, bool)


def _fills(literals: list[str], rendered: str) -> bool:
    """Whether a text is these pieces in their order, with something or nothing between them."""
    first, last = literals[0], literals[-1]
    if len(rendered) < len(first) + len(last) or not (rendered.startswith(first) and rendered.endswith(last)):
        return False
    rest = rendered[len(first) : len(rendered) - len(last)]
    for piece in literals[1:-1]:
        _, found, rest = rest.partition(piece) if piece else ("", "-", rest)
        if not found:
            return False
    return True


def _overridden(root: Node, path: FieldPath) -> Iterator[Earlier]:
    """Yield what stood at `path` before, the latest first.

    An item of a list that was replaced whole stands for nothing in the old list, so the list is named.
    """
    node = root
    before: tuple[tuple[Node, ...], FieldPath] = (root.past, path)
    for depth, step in enumerate(path, 1):
        node = node.value[step]
        if node.past:
            before = (node.past, path[depth:])
    pasts, rest = before
    keys = tuple(takewhile(lambda step: isinstance(step, str), rest))
    for past in pasts:
        found, _ = past.find(keys)
        if found.precision is Precision.EXACT:
            yield Earlier(found.location(note=found.note or OVERRIDDEN), None if found.note else found)
