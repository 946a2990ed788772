"""Set aside what a template has still to fill in: nobody knows what the API server says of it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vllm_kustomize import rules
from vllm_kustomize.checks import schema
from vllm_kustomize.kubernetes.fields import get, texts
from vllm_kustomize.model import Diagnosis, FieldPath, Problem
from vllm_kustomize.wording import join

RULE = "unfilled-template"

_VARIABLE = re.compile(r"\$\{[A-Za-z_][^}\n]{0,200}\}|\{\{[^}\n]{0,200}\}\}|<[A-Za-z][\w -]*>")
_PLACEHOLDER = re.compile(
    r"(?<![A-Za-z0-9])(?:[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+"
    r"|NAMESPACE|NAME|ENV|PROJECT|CLUSTER|REGION|TEAM|TENANT|DOMAIN|USER"
    r"|(?:YOUR|REPLACE|CHANGE|INSERT)(?:[_-]?[A-Z])*)(?![A-Za-z0-9])"
)
"""A word in capitals that a script replaces: no name in Kubernetes may have capitals."""
_SHOWN = 3
_ABOUT_VALUES = frozenset({"literal-secret"})
"""Rules that know variables for what they are."""


def set_aside(problems: Sequence[Diagnosis]) -> list[Diagnosis]:
    """The problems less those that the API server would have with variables, and one that speaks of these."""
    kept: list[Diagnosis] = []
    unfilled: list[tuple[Diagnosis, list[str]]] = []
    for problem in problems:
        variables = _variables(problem)
        if variables:
            unfilled.append((problem, variables))
        else:
            kept.append(problem)
    if not unfilled:
        return kept
    first = unfilled[0][0]
    names = list(dict.fromkeys(name for _, found in unfilled for name in found))
    more = [f"{len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
    have = "has" if len(names) == 1 else "have"
    checks = "1 check was" if len(unfilled) == 1 else f"{len(unfilled)} checks were"
    message = f"{join([*names[:_SHOWN], *more])} still {have} to be filled in: {checks} not made"
    about = rules.get(RULE).diagnose(Problem(first.path, message, at=first.at), first.resource)
    return [*kept, about]


def _variables(problem: Diagnosis) -> list[str]:
    """The variables in the field that would be refused, or point nowhere."""
    if problem.resource is None or problem.rule in _ABOUT_VALUES:
        return []
    if not (problem.rule in rules.groups()["correctness"] or problem.rule.startswith(("api-", schema.RULE))):
        return []
    value = get(problem.resource.manifest, problem.at or problem.path)
    variables = [name for _, text in texts(value, ()) for name in _VARIABLE.findall(text)]
    if not variables and isinstance(value, str) and _is_name(problem.path):
        return _PLACEHOLDER.findall(value)
    return variables


def _is_name(path: FieldPath) -> bool:
    """Whether a field names an object or a namespace; variables have names in capitals by themselves."""
    return str(path[-1] if path else "").lower().endswith(("name", "namespace")) and "env" not in path
