"""A problem with its rule and its object; where it was written is not known yet."""

from __future__ import annotations

from dataclasses import dataclass

from vllm_kustomize.model.problem import Problem, Related, Severity
from vllm_kustomize.model.resource import FieldPath, Resource


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a build is told: the rule or check that speaks, how bad it is, the object and its field.

    `resource` is None where the build as a whole is meant. `at` is the field that holds the value, where that
    is not `path`, and `withheld` are values that are never shown, as with `Problem`.
    """

    rule: str
    severity: Severity
    message: str
    help: str
    resource: Resource | None = None
    path: FieldPath = ()
    related: tuple[Related, ...] = ()
    at: FieldPath | None = None
    withheld: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        problem: Problem,
        rule: str,
        resource: Resource | None,
        severity: Severity = Severity.ERROR,
        help_: str = "",
    ) -> Diagnosis:
        """A problem and what holds for all problems of its check; what it says itself comes first."""
        return cls(
            problem.rule or rule,
            problem.severity or severity,
            problem.message,
            problem.help or help_,
            problem.resource or resource,
            problem.path,
            problem.related,
            problem.at,
            problem.withheld,
        )
