"""What checks find, before anyone knows where it was written."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from vllm_kustomize.model.location import Location
from vllm_kustomize.model.resource import FieldPath, Resource


class Severity(IntEnum):
    """How bad a finding is; `--fail-on` compares them."""

    INFO = 1
    WARNING = 2
    ERROR = 3

    def __str__(self) -> str:
        return self.name.lower()


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
    API-server checks) or knows better than the rule's own constants; a `Diagnosis` has them all. `resource`
    names the object where the check saw a whole build. `at` is the field that holds the value, where that is
    not `path`: the server reports a label at `metadata.labels`. `withheld` are values that fit
    nowhere and so may be a secret in the wrong place: they are never shown.
    """

    path: FieldPath
    message: str
    rule: str = ""
    severity: Severity | None = None
    help: str = ""
    resource: Resource | None = None
    related: tuple[Related, ...] = ()
    at: FieldPath | None = None
    withheld: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Undecided:
    """What rules could not judge, because something that they go by is not said anywhere; never a finding.

    A rule gives the `reason`. Whoever runs it adds `what` it was about, its name to `rules`, and the overlays
    and files where that is so to `targets`.
    """

    reason: str
    what: str = ""
    rules: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()


Outcome = Problem | Undecided
"""What a rule yields."""


@dataclass(frozen=True, slots=True)
class SourceProblem:
    """What a rule found in the sources of a build, at places that it names itself."""

    location: Location
    message: str
    related: tuple[Location, ...] = ()
