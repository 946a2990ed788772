"""Run the schema check, the API-server checks and the rules over one build."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from vllm_kustomize.checks import cluster, sync_paths, templates
from vllm_kustomize.checks.nets import caught, failed
from vllm_kustomize.checks.objects import Objects
from vllm_kustomize.checks.plan import Plan
from vllm_kustomize.kustomize.repository import Repository, root_of
from vllm_kustomize.model import Build, Diagnosis, Outcome, Resource, Severity, Skipped, Undecided
from vllm_kustomize.rules import Rule


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found in one build, and what was left out.

    `definitions` says which definition judged each kind of custom resource, and `reads` which folders outside
    of the sources were looked at.
    """

    diagnoses: tuple[Diagnosis, ...]
    skipped: tuple[Skipped, ...] = ()
    definitions: tuple[str, ...] = ()
    undecided: tuple[Undecided, ...] = ()
    reads: tuple[str, ...] = ()


def check(build: Build, plan: Plan) -> Checked:
    """Check one build against every Kubernetes version of the plan and every rule of it.

    What fails becomes a diagnosis too; raises `Error` where a place or a cluster that was asked for cannot be
    read.
    """
    objects = Objects(build, plan)
    rules = _Rules(build, plan)
    found = [*objects.check(), *rules.check()]
    answers = _ask_api_server(build, plan)
    found.extend(_of_server(answers, found))
    found = [each for each in templates.set_aside(found) if plan.settings.selects(each.rule)]
    order = {id(resource): index for index, resource in enumerate(build.resources)}
    found.sort(key=lambda each: order.get(id(each.resource), len(order)))
    return Checked(
        tuple(found),
        tuple(dict.fromkeys(cluster.skipped(objects.skipped, answers))),
        tuple(objects.definitions),
        tuple(rules.undecided),
        tuple(rules.reads),
    )


@dataclass
class _Rules:
    """The rules of a plan over one build, and what they could not decide."""

    build: Build
    plan: Plan
    undecided: list[Undecided] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)

    def check(self) -> Iterator[Diagnosis]:
        for rule in self.plan.rules:
            if rule.check_build:
                yield from self._caught(rule, partial(rule.check_build, self.build))
            if rule.check:
                for resource in self.build.resources:
                    yield from self._caught(rule, partial(rule.check, resource), resource)
            if rule.id == sync_paths.RULE:
                yield from self._check_sync_paths(rule)
        yield from self._check_servers()

    def _check_sync_paths(self, rule: Rule) -> Iterator[Diagnosis]:
        overlay = self.build.overlay
        repository = Repository(root_of(overlay.directory if overlay else Path()))
        for resource in self.build.resources:
            for synced in sync_paths.synced(self.build, resource):
                self.reads.append(f"{repository.root / synced.folder}{os.sep}")
                yield from self._caught(rule, partial(sync_paths.check, synced, repository), resource)

    def _check_servers(self) -> Iterator[Diagnosis]:
        selected = [(rule, rule.check_server) for rule in self.plan.rules if rule.check_server]
        if not selected:
            return
        from vllm_kustomize.vllm.container.reading import servers

        faults: list[tuple[Resource, Exception]] = []
        found, unread = servers(self.build, self.plan.settings.vllm_version, faults)
        for rule, _ in selected:
            self._leave(rule, unread)
        for resource, fault in faults:
            yield failed("of the vLLM command line", fault, resource)
        for server in found:
            what = f"{server.container} of {server.resource}"
            worst = Severity.ERROR if server.certain else Severity.WARNING
            for rule, check_server in selected:
                for each in self._caught(rule, partial(check_server, server), server.resource, what):
                    yield replace(each, severity=min(each.severity, worst))

    def _caught(
        self,
        rule: Rule,
        check: Callable[[], Iterable[Outcome]],
        resource: Resource | None = None,
        what: str = "",
    ) -> Iterator[Diagnosis]:
        """What a rule finds; what it cannot decide is kept apart."""

        def diagnoses() -> Iterator[Diagnosis]:
            for outcome in check():
                if isinstance(outcome, Undecided):
                    self._leave(rule, [replace(outcome, what=outcome.what or what or str(resource))])
                else:
                    yield rule.diagnose(outcome, resource)

        return caught(rule.id, diagnoses(), resource)

    def _leave(self, rule: Rule, undecided: Iterable[Undecided]) -> None:
        """Keep what a rule cannot decide, with the rule and the build that it was asked about."""
        target = self.build.overlay.name if self.build.overlay else self.build.file
        targets = (target,) if target else ()
        self.undecided.extend(replace(each, rules=(rule.id,), targets=targets) for each in undecided)


def _ask_api_server(build: Build, plan: Plan) -> Sequence[cluster.Answer]:
    if plan.server is None or not plan.settings.selects(cluster.RULE):
        return ()
    return tuple(cluster.check(build, plan.server, plan.jobs))


def _of_server(answers: Iterable[cluster.Answer], found: Iterable[Diagnosis]) -> Iterator[Diagnosis]:
    """What a real server says, less what was found at the same field without it."""
    known = {(id(each.resource), each.path) for each in found if each.path}
    for answer in answers:
        for problem in answer.problems:
            if (id(answer.resource), problem.path) not in known:
                yield Diagnosis.of(problem, cluster.RULE, answer.resource)
