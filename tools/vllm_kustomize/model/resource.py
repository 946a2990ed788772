"""What a build renders, and the paths of fields in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FieldPath = tuple[str | int, ...]
"""Keys and list indexes from an object's root to one of its fields."""

Manifest = Mapping[Any, Any]
"""One Kubernetes object as parsed; nothing about its contents is certain."""

KubernetesVersion = tuple[int, int]
"""Major and minor, so that `version >= (1, 36)` reads as it should."""


class Offset(int):
    """The last step of a path that goes on into a field's text: the character where a word begins."""


_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+\Z")


@dataclass(frozen=True, slots=True)
class Overlay:
    """A directory that the engine can build; `name` is its path as it is shown to the user."""

    name: str
    directory: Path


@dataclass(frozen=True, slots=True)
class Resource:
    """One object of a rendered stream.

    `document` is the 0-based index of its document there, and `at` its place in that document: not empty only
    for the items of a `List`. `kept` is what was worked out about the object (`kubernetes.once`).
    """

    manifest: Manifest
    document: int = 0
    at: FieldPath = ()
    kept: dict[object, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def api_version(self) -> str:
        """The object's `apiVersion`, or an empty string."""
        return _text(self.manifest.get("apiVersion"))

    @property
    def kind(self) -> str:
        """The object's `kind`, or an empty string."""
        return _text(self.manifest.get("kind"))

    @property
    def metadata(self) -> Manifest:
        """The object's `metadata`, or an empty mapping."""
        metadata = self.manifest.get("metadata")
        return metadata if isinstance(metadata, Mapping) else {}

    @property
    def name(self) -> str:
        """The object's name (or `generateName`), or an empty string."""
        return _text(self.metadata.get("name")) or _text(self.metadata.get("generateName"))

    @property
    def namespace(self) -> str:
        """The object's namespace, or an empty string where none is set."""
        return _text(self.metadata.get("namespace"))

    def identity(self) -> Resource:
        """The same object without its contents: all that a report needs, and nothing that is secret."""
        names = {
            key: text
            for key in ("name", "generateName", "namespace")
            if (text := _text(self.metadata.get(key)))
        }
        named = {"apiVersion": self.api_version, "kind": self.kind, "metadata": names}
        return Resource(named, self.document, self.at)

    def __str__(self) -> str:
        return f"{self.kind or 'object without kind'}/{self.name or '(no name)'}"


@dataclass(frozen=True, slots=True, eq=False)
class Build:
    """What one overlay, or one file of rendered YAML, comes to; equal to itself alone.

    `overlay` is None for a file; `file` is then its path ("-" for standard input).
    `kept` is what was worked out about the build as a whole (`kubernetes.once`).
    """

    resources: tuple[Resource, ...]
    overlay: Overlay | None = None
    file: str | None = None
    kept: dict[object, Any] = field(default_factory=dict, init=False, repr=False, compare=False)


def without_offset(path: FieldPath) -> tuple[FieldPath, int | None]:
    """The path of a field, and where in its text a word begins; None where the whole field is meant."""
    if path and isinstance(path[-1], Offset):
        return path[:-1], int(path[-1])
    return path, None


def format_path(path: FieldPath) -> str:
    """Write a field path as kube-apiserver does: `spec.containers[0].image`, `metadata.labels[a/b]`."""
    parts = [
        f"[{step}]" if isinstance(step, int) or not _PLAIN_KEY.match(step) else f".{step}"
        for step in without_offset(path)[0]
    ]
    return "".join(parts).removeprefix(".")


def format_version(version: KubernetesVersion) -> str:
    """Write a version as Kubernetes does: `1.36`."""
    return f"{version[0]}.{version[1]}"


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
