"""A problem with its rule, its object and its place, and what may become of it."""

from __future__ import annotations

from dataclasses import dataclass

from vllm_kustomize.model.location import Location
from vllm_kustomize.model.problem import Severity
from vllm_kustomize.model.resource import FieldPath, Resource


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem with its rule, its object and the place in the sources that caused it.

    `overlay` is the first that shows it and `overlays` are all of them, known once findings are merged;
    `excerpt` is what stands around `location` on its line, without the values of secrets, and `excerpt_from`
    how many characters of the line were left out before it. `stable_path` is the path with the names of list
    items instead of their indexes. `withheld` are values that may not be shown, until they are hidden.
    `count` is how many findings this one stands for.
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
    excerpt_from: int = 0
    withheld: tuple[str, ...] = ()
    count: int = 1


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A finding that someone accepted; `by` is `source` (a comment), `settings` or `baseline`."""

    finding: Finding
    by: str
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
