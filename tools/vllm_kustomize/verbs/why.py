"""Say who wrote each value of a rendered object, and what it overrode."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vllm_kustomize.findings.collect import mask_of_overlay
from vllm_kustomize.findings.excerpts import Excerpts
from vllm_kustomize.kubernetes.addressing import find_field, find_object
from vllm_kustomize.kubernetes.secrets import HIDDEN
from vllm_kustomize.kustomize.load import resources_in
from vllm_kustomize.kustomize.provenance import Locator
from vllm_kustomize.kustomize.replay.tree import SourceTree
from vllm_kustomize.kustomize.yaml.nodes import Document, Node, read_documents
from vllm_kustomize.model import FieldPath, Location, Resource


@dataclass(frozen=True, slots=True)
class Written:
    """A value and the place that wrote it; `value` is None where the location's note says it all."""

    location: Location
    value: Any


@dataclass(frozen=True, slots=True)
class Value:
    """A scalar, or an empty list or mapping, of a rendered object: who wrote it, and what that overrode.

    Values that are secret are replaced by a mark.
    """

    path: FieldPath
    written: Written
    earlier: tuple[Written, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the rendered text, and the value that begins in it, if any does."""

    text: str
    value: Value | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One object, or one field of it, line by line."""

    resource: Resource
    lines: tuple[Line, ...]

    @property
    def values(self) -> tuple[Value, ...]:
        """Everything that was asked for, in the order of the lines."""
        return tuple(line.value for line in self.lines if line.value)


def explain(
    rendered: str, directory: Path, tree: SourceTree, wanted: str = "", field: str = ""
) -> tuple[Answer, ...]:
    """Explain what the engine rendered of an overlay: all, one object, or one field of it.

    Raises `Error` where no object, several objects, or no field are what is asked for.
    """
    documents = read_documents(rendered, "")
    resources = [
        resource
        for index, document in enumerate(documents)
        for resource in resources_in(document.data, index)
    ]
    chosen = [find_object(resources, wanted)] if wanted else resources
    path = find_field(chosen[0].manifest, field) if field else ()
    graph = tree.graph(directory)
    shown = Excerpts(rendered, mask_of_overlay(graph, tree, resources, ()))
    text = _Text(rendered.split("\n"), shown, documents, Locator(graph))
    return tuple(Answer(resource, tuple(text.lines(resource, path))) for resource in chosen)


@dataclass(frozen=True, slots=True)
class _Text:
    """What the engine rendered, line by line, with and without secrets."""

    raw: list[str]
    shown: Excerpts
    documents: tuple[Document, ...]
    locator: Locator

    def lines(self, resource: Resource, path: FieldPath) -> Iterator[Line]:
        """The lines of an object, or of one of its fields."""
        root = self.documents[resource.document].root
        following = self.documents[resource.document + 1 :]
        end = following[0].root.line - 1 if following else len(self.raw)
        node, _ = root.find((*resource.at, *path))
        starts = {place.key_line or place.line: (at, place) for at, place in _leaves(node, path)}
        for number in range(node.key_line or node.line, _end(root, (*resource.at, *path), end)):
            line = self.shown.line(number)
            if number in starts:
                at, place = starts[number]
                yield Line(line, self._value(resource, at, place, line))
            else:
                yield Line(line)

    def _value(self, resource: Resource, path: FieldPath, node: Node, line: str) -> Value:
        hidden = line != self.raw[(node.key_line or node.line) - 1]
        located = self.locator.locate(resource, path)
        earlier = tuple(
            Written(each.location, None if each.node is None else HIDDEN if hidden else each.node.data())
            for each in located.earlier
        )
        value = line[node.column - 1 :] if hidden else node.data()
        return Value(path, Written(located.primary, value), earlier)


def _leaves(node: Node, path: FieldPath) -> Iterator[tuple[FieldPath, Node]]:
    """The scalars, empty lists and empty mappings at and below a node, in the order of their lines."""
    if isinstance(node.value, dict) and node.value:
        for key, child in node.value.items():
            yield from _leaves(child, (*path, key))
    elif isinstance(node.value, list) and node.value:
        for index, child in enumerate(node.value):
            yield from _leaves(child, (*path, index))
    else:
        yield path, node


def _end(root: Node, path: FieldPath, end: int) -> int:
    """The line behind the node at a path: where its next sibling, or that of a parent, begins, or `end`."""
    for depth in range(len(path) - 1, -1, -1):
        parent, _ = root.find(path[:depth])
        steps = list(parent.value) if isinstance(parent.value, dict) else list(range(len(parent.value)))
        for step in steps[steps.index(path[depth]) + 1 :][:1]:
            following = parent.value[step]
            return int(following.key_line or following.line)
    return end
