"""Labels and annotations that the engine keeps behind several fields of an object at once.

`labels`, `commonLabels` and `commonAnnotations` put one and the same node into every field that they create
(FieldSetter of kyaml/yaml/fns.go), and whatever writes over one of these fields afterwards writes into that
node, so that all of them change. A JSON patch reads the object anew and ends this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from vllm_kustomize.kustomize.replay.fields import set_fields
from vllm_kustomize.kustomize.replay.objects import Source
from vllm_kustomize.kustomize.yaml.nodes import Node


class Shared(Node):
    """A value that stands behind every field in which this very node is found."""

    __slots__ = ()

    @classmethod
    def of(cls, node: Node) -> Shared:
        """A shared value at the place of another."""
        return cls(
            node.value,
            node.file,
            node.line,
            node.column,
            node.key_line,
            node.key_column,
            node.past,
            node.removed,
            node.note,
            node.precision,
        )


def spread(before: Source, after: Source) -> Source:
    """Write what a step has written over a shared value into the other fields that share it."""
    if not before.shared or after.root is before.root:
        return after
    written: dict[int, Node] = {}
    for path in before.shared:
        for old, new in zip(_maps(before, path), _maps(after, path), strict=False):
            for key, node in old.items():
                if isinstance(node, Shared) and new.get(key, node) is not node:
                    written[id(node)] = written[id(new[key])] = Shared.of(new[key])
    return _with_entries(after, lambda node: written.get(id(node), node)) if written else after


def apart(source: Source) -> Source:
    """The object with a node of its own behind every field."""
    return _with_entries(source, lambda node: node.replace(node.value), ())


def _maps(source: Source, path: str) -> Iterator[dict[str, Node]]:
    found: list[dict[str, Node]] = []

    def look(node: Node | None) -> None:
        if node is not None and isinstance(node.value, dict):
            found.append(node.value)

    set_fields(source.root, path, look, False)
    return iter(found)


def _with_entries(
    source: Source, change: Callable[[Node], Node], shared: tuple[str, ...] | None = None
) -> Source:
    root = source.root

    def write(node: Node | None) -> Node | None:
        if node is None or not isinstance(node.value, dict):
            return None
        return node.replace({key: change(each) for key, each in node.value.items()})

    for path in source.shared:
        root = set_fields(root, path, write, False)
    return source.changed(root, shared=source.shared if shared is None else shared)
