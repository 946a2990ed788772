"""Who writes which field: what controllers make of the objects that they turn into pods.

A field that a manifest leaves out may be in the pod all the same, and one that it gives may be gone. The
table is `controllers.json`; each entry names the upstream file and the version that it was read from.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

from vllm_kustomize.kubernetes.fields import get, mapping, text
from vllm_kustomize.model import FieldPath, Resource

_TABLE = Path(__file__).with_name("controllers.json")


class Effect(Enum):
    """What a controller does with one field of the pods that it makes."""

    LEAVES = "leaves"
    """The pod has what the object says, and nothing where it says nothing."""
    FILLS = "fills"
    """The pod has what the object says, or else the controller's own value."""
    EXTENDS = "extends"
    """The pod has what the object says and more: arguments before, variables and volumes beside it."""
    OVERWRITES = "overwrites"
    """The pod has the controller's value, whatever the object says, if it can say anything at all."""


@dataclass(frozen=True, slots=True)
class Option:
    """A vLLM option that a controller gives itself, or relies on.

    `value` is the controller's, None where it depends on more than the object. `why` says who relies on it,
    and `fatal` whether another value leaves the server unreachable.
    """

    value: str | None
    why: str
    fatal: bool


@dataclass(frozen=True, slots=True)
class Controller:
    """What one controller makes of an object.

    `version` is the release whose source was read, `source` the place in it. `container` is the container
    that it completes: a name, `first`, or None for all of them.
    """

    name: str
    version: str
    source: str
    container: str | None
    resource: Resource
    entry: Mapping[str, Any]

    def effect(self, field: str, annotations: Mapping[str, Any] | None = None) -> Effect:
        """What becomes of a field of the pod's spec: `containers.command`, `terminationGracePeriodSeconds`.

        `sharedMemory` stands for a volume at /dev/shm, and `replicas`, `strategy`, `selector` and
        `progressDeadlineSeconds` for what is around the pod. `annotations` are the pod template's, by which a
        controller may be told to leave the command alone.
        """
        unless = self.entry.get("unless")
        if unless and field in ("containers.command", "containers.args"):
            given = {
                **mapping(get(self.resource.manifest, ("metadata", "annotations"))),
                **(annotations or {}),
            }
            if text(given.get(unless)).lower() == "true":
                return Effect.LEAVES
        found = self.entry["fields"].get(field, Effect.LEAVES.value)
        return Effect(found["effect"] if isinstance(found, dict) else found)

    def since(self, field: str) -> str | None:
        """The controller's release from which on it does so, or None where every release in use does."""
        found = self.entry["fields"].get(field)
        return found["since"] if isinstance(found, dict) else None

    def completes(self, container: str, index: int) -> bool:
        """Whether it is this container of a pod that the controller completes."""
        return self.container in (None, container) or (self.container == "first" and index == 0)

    @property
    def options(self) -> Mapping[str, Option]:
        """The vLLM options that are the controller's, by their long name.

        None where the object replaces what gives them: a command or a runtime of its own.
        """
        replaced = any(
            found != value
            for pattern, value in self.entry.get("while", {}).items()
            for found in _values(self.resource.manifest, tuple(pattern.split(".")))
        )
        if replaced:
            return {}
        return {name: self._option(found) for name, found in self.entry.get("options", {}).items()}

    def arguments(self) -> Iterator[tuple[FieldPath, str]]:
        """The arguments that the object gives to vLLM by a field of its own, each with its place."""
        for pattern in self.entry.get("arguments", ()):
            yield from _strings(self.resource.manifest, tuple(pattern.split(".")), ())

    def _option(self, found: Mapping[str, Any]) -> Option:
        field = found.get("field")
        value = get(self.resource.manifest, tuple(field.split("."))) if field else found.get("value")
        return Option(None if value is None else str(value), found["why"], found.get("fatal", False))


def controller_of(resource: Resource) -> Controller | None:
    """The controller that makes pods of an object; None for kinds not in the table."""
    group = resource.api_version.rpartition("/")[0]
    entry = _table().get(f"{resource.kind}.{group}")
    if entry is None:
        return None
    return Controller(
        entry["name"], entry["version"], entry["source"], entry.get("container"), resource, entry
    )


@cache
def _table() -> Mapping[str, Mapping[str, Any]]:
    """The entries of the table by `Kind.group`."""
    entries = json.loads(_TABLE.read_bytes())
    return {kind: entry for entry in entries for kind in entry["kinds"]}


def _values(value: Any, pattern: tuple[str, ...]) -> Iterator[Any]:
    """What stands at the fields that a pattern leads to."""
    if not pattern:
        if value is not None:
            yield value
    elif pattern[0] != "*":
        yield from _values(mapping(value).get(pattern[0]), pattern[1:])
    elif isinstance(value, list):
        for item in value:
            yield from _values(item, pattern[1:])


def _strings(value: Any, pattern: tuple[str, ...], path: FieldPath) -> Iterator[tuple[FieldPath, str]]:
    """The strings of the lists that a pattern leads to; `*` stands for every item of a list or mapping."""
    if not pattern:
        if isinstance(value, list):
            yield from (((*path, index), item) for index, item in enumerate(value) if isinstance(item, str))
        return
    step, rest = pattern[0], pattern[1:]
    if step != "*":
        yield from _strings(mapping(value).get(step), rest, (*path, step))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strings(item, rest, (*path, index))
