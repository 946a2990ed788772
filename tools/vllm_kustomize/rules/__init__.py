"""Policy rules, one per module: the file name is the id, the folder the group, the docstring the manual.

A rule has the constants SEVERITY and HELP and one of these functions, each of which yields `Problem`s, and
`Undecided` where what it goes by is not said:

- `check(resource)` for what one object shows,
- `check_build(build)` for what spans the objects of a build; its problems name their `resource`,
- `check_server(server)` for what a container that runs vLLM would do,
- `check_source(graph)` for what only the sources of a build show.

A rule with none of them is reported by the pipeline itself.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from vllm_kustomize.model import Build, Diagnosis, Error, Outcome, Problem, Resource, Severity, SourceProblem
from vllm_kustomize.wording import did_you_mean

if TYPE_CHECKING:
    from vllm_kustomize.kustomize.replay.graph import SourceGraph
    from vllm_kustomize.settings import Settings


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule module, read."""

    id: str
    group: str
    severity: Severity
    help: str
    manual: str
    check: Callable[[Resource], Iterator[Outcome]] | None
    check_build: Callable[[Build], Iterator[Outcome]] | None
    check_server: Callable[[Any], Iterator[Outcome]] | None
    check_source: Callable[[SourceGraph], Iterator[SourceProblem]] | None

    @property
    def summary(self) -> str:
        """The manual's first line."""
        return self.manual.partition("\n")[0]

    def diagnose(self, problem: Problem, resource: Resource | None = None) -> Diagnosis:
        """A problem that this rule has found in an object, or in a build as a whole."""
        return Diagnosis.of(problem, self.id, resource, self.severity, self.help)


DEFAULT_GROUPS = ("correctness", "vllm", "kustomize")
"""The groups that are checked where nothing is selected: what nobody wants in their repository."""


@cache
def groups() -> dict[str, tuple[str, ...]]:
    """The ids of the rules by group, in order, without reading a single rule."""
    return {
        group.name: tuple(sorted(_id(rule.name) for rule in pkgutil.iter_modules([f"{path}/{group.name}"])))
        for path in __path__
        for group in pkgutil.iter_modules([path])
        if group.ispkg
    }


def resolve(settings: Settings) -> Settings:
    """The settings with the rules of every group by name, and with the default groups where none is selected.

    Checks beside the rules belong to `correctness`.
    """
    if settings.resolved:
        return settings
    others = tuple(name for name in groups() if name not in DEFAULT_GROUPS)
    select = settings.select
    ignore = settings.ignore if select else (*settings.ignore, *others)
    return replace(
        settings,
        select=_members(select),
        ignore=_members(ignore),
        severities=tuple(
            (rule, severity) for name, severity in settings.severities for rule in _members([name])
        ),
        ignores=tuple(replace(one, rule=rule) for one in settings.ignores for rule in _members([one.rule])),
        resolved=True,
    )


def _members(names: Iterable[str]) -> tuple[str, ...]:
    """Names, where each group is its rules."""
    return tuple(
        member for name in names for member in (*groups().get(name, (name,)), *_CHECKS.get(name, ()))
    )


def _id(module: str) -> str:
    return module.replace("_", "-")


_CHECKS = {
    "correctness": (
        "schema",
        "api-*",
        "pod-security",
        "immutable-field",
        "mixed-releases",
        "prunes-object",
        "removes-data",
        "restarts-gpu-pods",
    )
}
"""What a group has besides rules."""


@cache
def load() -> dict[str, Rule]:
    """Every module in the folders of this package, by id."""
    found = (module.name for module in pkgutil.walk_packages(__path__, f"{__name__}.") if not module.ispkg)
    return {rule.id: rule for rule in sorted(map(_read, found), key=lambda rule: rule.id)}


def get(rule_id: str) -> Rule:
    """One rule by its id; raises `Error` with the closest id where there is none."""
    try:
        return load()[rule_id]
    except KeyError:
        hint = did_you_mean(rule_id, load())
        raise Error(f"no rule '{rule_id}'{hint}; `vllm-kustomize rules` lists them") from None


def _read(name: str) -> Rule:
    _, group, file = name.removeprefix(__package__).rsplit(".", 2)
    module = import_module(name)
    return Rule(
        id=_id(file),
        group=group,
        severity=module.SEVERITY,
        help=module.HELP,
        manual=(module.__doc__ or "").strip(),
        check=getattr(module, "check", None),
        check_build=getattr(module, "check_build", None),
        check_server=getattr(module, "check_server", None),
        check_source=getattr(module, "check_source", None),
    )
