"""Say who wrote each value of a rendered object, and what it overrode."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vllm_kustomize.kubernetes.addressing import find_field, find_object
from vllm_kustomize.kubernetes.secrets import HIDDEN, hide_tokens, is_secret
from vllm_kustomize.kustomize.load import resources_in
from vllm_kustomize.kustomize.provenance import Locator
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


def explain(rendered: str, locator: Locator, wanted: str = "", field: str = "") -> tuple[Answer, ...]:
    """Explain what the engine rendered: all objects, the one that is wanted, or one field of that.

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
    lines = rendered.split("\n")
    return tuple(
        Answer(resource, tuple(_lines(lines, documents, resource, path, locator))) for resource in chosen
    )


def _lines(
    text: list[str], documents: tuple[Document, ...], resource: Resource, path: FieldPath, locator: Locator
) -> Iterator[Line]:
    root = documents[resource.document].root
    following = documents[resource.document + 1 :]
    end = following[0].root.line - 1 if following else len(text)
    node, _ = root.find((*resource.at, *path))
    first = node.key_line or node.line
    last = _end(root, (*resource.at, *path), end)
    starts = {place.key_line or place.line: (at, place) for at, place in _nodes(node, path)}
    hidden = False
    for number in range(first, last):
        line = text[number - 1]
        at, place = starts.get(number, ((), None))
        if place is None:
            if not hidden:
                yield Line(line)  # a value goes on
        elif isinstance(place.value, (dict, list)) and place.value:
            hidden = False
            yield Line(line)
        else:
            hidden = is_secret(resource.manifest, at)
            shown = line[: place.column - 1] + HIDDEN if hidden else hide_tokens(line)
            yield Line(shown, _value(place, at, locator, resource, hidden))


def _value(node: Node, path: FieldPath, locator: Locator, resource: Resource, hidden: bool) -> Value:
    def shown(of: Node | None) -> Any:
        if of is None:
            return None
        value = of.data()
        return HIDDEN if hidden else hide_tokens(value) if isinstance(value, str) else value

    located = locator.locate(resource, path)
    earlier = tuple(Written(each.location, shown(each.node)) for each in located.earlier)
    return Value(path, Written(located.primary, shown(node)), earlier)


def _nodes(node: Node, path: FieldPath) -> Iterator[tuple[FieldPath, Node]]:
    """A node and all below it; where several begin in one line, the innermost comes last."""
    yield path, node
    if isinstance(node.value, dict):
        for key, child in node.value.items():
            yield from _nodes(child, (*path, key))
    elif isinstance(node.value, list):
        for index, child in enumerate(node.value):
            yield from _nodes(child, (*path, index))


def _end(root: Node, path: FieldPath, end: int) -> int:
    """The line behind the node at a path: where its next sibling, or that of a parent, begins, or `end`."""
    for depth in range(len(path) - 1, -1, -1):
        parent, _ = root.find(path[:depth])
        steps = list(parent.value) if isinstance(parent.value, dict) else list(range(len(parent.value)))
        for step in steps[steps.index(path[depth]) + 1 :][:1]:
            following = parent.value[step]
            return int(following.key_line or following.line)
    return end
