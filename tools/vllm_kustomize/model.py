"""What flows through the pipeline: frozen values, no input or output."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

FieldPath = tuple[str | int, ...]
"""Keys and list indexes from an object's root to one of its fields."""

Manifest = Mapping[Any, Any]
"""One Kubernetes object as parsed; nothing about its contents is certain."""

KubernetesVersion = tuple[int, int]
"""Major and minor, so that `version >= (1, 36)` reads as it should."""

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+\Z")


class Error(Exception):
    """The tool could not do what was asked; the message is for the person at the terminal."""


class Severity(IntEnum):
    """How bad a finding is; `--fail-on` compares them."""

    INFO = 1
    WARNING = 2
    ERROR = 3

    def __str__(self) -> str:
        return self.name.lower()


class Precision(IntEnum):
    """How sure a location is: the place that set the value, or only where to begin to look."""

    FILE = 1
    OBJECT = 2
    PARENT = 3
    EXACT = 4

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a source file; `line` and `column` count from 1 and point at the value."""

    file: str
    line: int
    column: int
    note: str = ""
    precision: Precision = Precision.EXACT


@dataclass(frozen=True, slots=True)
class Overlay:
    """A directory that the engine can build; `name` is its path as it is shown to the user."""

    name: str
    directory: Path


@dataclass(frozen=True, slots=True)
class Resource:
    """One object of a rendered stream.

    `document` is the 0-based index of its document there, and `at` its place in that document: not empty only
    for the items of a `List`.
    """

    manifest: Manifest
    document: int = 0
    at: FieldPath = ()

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
    """

    resources: tuple[Resource, ...]
    overlay: Overlay | None = None
    file: str | None = None


@dataclass(frozen=True, slots=True)
class Related:
    """Another field that a problem speaks of; `resource` where it is in another object."""

    path: FieldPath
    note: str
    resource: Resource | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """What a check found: a field and what is wrong with it. It knows nothing of files.

    `rule`, `severity` and `help` are given only where one check speaks for several rules (the schema and
    API-server checks) or knows better than the rule's own constants. `resource` names the object where the
    check saw a whole build. `at` is the field that holds the value, where that is not `path`: the server
    reports a label at `metadata.labels`.
    """

    path: FieldPath
    message: str
    rule: str = ""
    severity: Severity | None = None
    help: str = ""
    resource: Resource | None = None
    related: tuple[Related, ...] = ()
    at: FieldPath | None = None


@dataclass(frozen=True, slots=True)
class SourceProblem:
    """What a rule found in the sources of a build, at places that it names itself."""

    location: Location
    message: str
    related: tuple[Location, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem with its rule, its object and the place in the sources that caused it.

    `overlay` is the first that shows it and `overlays` are all of them, known once findings are merged;
    `excerpt` is the line at `location` as it is written there, without the values of secrets. `stable_path`
    is the path with the names of list items instead of their indexes.
    """

    rule: str
    severity: Severity
    message: str
    help: str = ""
    overlay: str | None = None
    resource: Resource | None = None
    path: FieldPath = ()
    location: Location | None = None
    related: tuple[Location, ...] = ()
    overlays: tuple[str, ...] = ()
    excerpt: str = ""
    stable_path: str = ""


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A finding that someone accepted; `by` is `source` (a comment), `settings` or `baseline`."""

    finding: Finding
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that was asked for and not checked, and why."""

    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class Allow:
    """A comment that accepts findings: where it stands, the line it speaks for, and what it says.

    It holds up to the day `until` (ISO 8601, or empty), and not at all with an `error`. `heads` is set where
    the line is the file's first with content: the comment then speaks for the file as a whole.
    """

    location: Location
    line: int
    rules: tuple[str, ...] = ()
    reason: str = ""
    until: str = ""
    error: str = ""
    heads: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """What came of one overlay or file, and the comments in its sources that accept findings."""

    findings: tuple[Finding, ...]
    documents: int = 0
    skipped: tuple[Skipped, ...] = ()
    allows: tuple[Allow, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of one run; `targets` are the overlays and files that were checked, as they are shown."""

    findings: tuple[Finding, ...]
    overlays: int
    documents: int
    skipped: tuple[Skipped, ...] = ()
    suppressed: tuple[Suppressed, ...] = ()
    targets: tuple[str, ...] = ()
    fail_on: Severity = Severity.ERROR
    engine: str = ""
    kubernetes_versions: tuple[KubernetesVersion, ...] = ()

    def count(self, severity: Severity) -> int:
        """How many findings have this severity."""
        return sum(finding.severity == severity for finding in self.findings)


def format_path(path: FieldPath) -> str:
    """Write a field path as kube-apiserver does: `spec.containers[0].image`, `metadata.labels[a/b]`."""
    parts = [
        f"[{step}]" if isinstance(step, int) or not _PLAIN_KEY.match(step) else f".{step}" for step in path
    ]
    return "".join(parts).removeprefix(".")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
