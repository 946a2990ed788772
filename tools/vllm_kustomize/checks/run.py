"""Run the schema check, the API-server checks and the rules over one build."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

from vllm_kustomize import apiserver, rules
from vllm_kustomize.apiserver.podsecurity import Standard
from vllm_kustomize.checks import existing, pod_security, published, schema
from vllm_kustomize.checks.cluster import RULE as SERVER_RULE
from vllm_kustomize.checks.cluster import Ask
from vllm_kustomize.checks.cluster import check as check_on_server
from vllm_kustomize.checks.manual import entry_for
from vllm_kustomize.kustomize.replay.graph import SourceTree
from vllm_kustomize.model import (
    Build,
    Error,
    Finding,
    KubernetesVersion,
    Overlay,
    Problem,
    Resource,
    Severity,
    Skipped,
    format_path,
)
from vllm_kustomize.settings import Settings
from vllm_kustomize.wording import join

if TYPE_CHECKING:
    from vllm_kustomize.checks.custom_resources import Sources


@dataclass(frozen=True, slots=True)
class Plan:
    """What to check: the settings, resolved once for all builds of a run.

    `exists` gives the objects that are there before a build is applied, where that was asked for.
    """

    settings: Settings
    versions: tuple[KubernetesVersion, ...]
    rules: tuple[rules.Rule, ...]
    ask: Ask | None = None
    exists: Callable[[Build], tuple[Resource, ...]] | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """The problems of one build, each complete with rule, severity and object, and what was left out.

    `definitions` says which definition judged each kind of custom resource.
    """

    problems: tuple[Problem, ...]
    skipped: tuple[Skipped, ...] = ()
    definitions: tuple[str, ...] = ()


@dataclass
class _Run:
    """What gathers while one build is checked; definitions are read once a custom resource needs one."""

    build: Build
    plan: Plan
    skipped: list[Skipped] = field(default_factory=list)
    definitions: dict[str, None] = field(default_factory=dict)

    @cached_property
    def sources(self) -> Sources:
        """Where the definitions of this build's custom resources are looked for."""
        from vllm_kustomize.checks import custom_resources

        found = custom_resources.sources(self.build, self.plan.settings)
        self.skipped.extend(found.notes)
        return found


def plan(settings: Settings) -> Plan:
    """Resolve the settings; raises `Error` for an unknown Kubernetes version or rule."""
    settings = rules.resolve(settings)
    known = published.known_versions()
    for version in settings.kubernetes_versions:
        if version not in known:
            raise Error(
                f"no schemas for Kubernetes {_show(version)}: "
                f"{_show(known[0])} to {_show(known[-1])} are known"
            )
    if settings.vllm_version:
        _check_vllm_version(settings.vllm_version)
    for pattern in settings.patterns():
        if not any(character in pattern for character in "*?["):
            entry_for(pattern)
    for standard in (settings.pod_security, *(standard for _, standard in settings.pod_security_by_path)):
        if standard:
            Standard.parse(standard)
    selected = tuple(rule for rule in rules.load().values() if settings.selects(rule.id))
    return Plan(settings, settings.kubernetes_versions or known[-1:], selected)


def _check_vllm_version(version: str) -> None:
    from vllm_kustomize.vllm.cli import catalog

    try:
        catalog.version_key(version)
    except ValueError as error:
        raise Error(f"{error}; write it as {catalog.releases()[-1]}") from None


def check(build: Build, plan: Plan) -> Checked:
    """Check one build against every Kubernetes version of the plan and every rule of it."""
    problems: list[Problem] = []
    run = _Run(build, plan)
    if plan.settings.named_schema_locations or plan.settings.schema_locations:
        _ = run.sources  # what is wrong with them is said even where nothing needs them
    for resource in build.resources:
        problems.extend(_over_versions(resource, plan, partial(_check_version, resource, run)))
    problems.extend(_check_pod_security(build, plan))
    problems.extend(_check_updates(run))
    for rule in plan.rules:
        problems.extend(_complete(problem, rule, None) for problem in _check_build(rule, build))
        if rule.check:
            for resource in build.resources:
                problems.extend(_complete(problem, rule, resource) for problem in rule.check(resource))
    problems.extend(_check_servers(build, plan, run.skipped))
    problems.extend(_ask_api_server(build, plan, problems))
    order = {id(resource): index for index, resource in enumerate(build.resources)}
    problems.sort(key=lambda problem: order.get(id(problem.resource), len(order)))
    return Checked(tuple(problems), tuple(dict.fromkeys(run.skipped)), tuple(run.definitions))


def check_source(overlay: Overlay, tree: SourceTree, plan: Plan) -> Iterator[Finding]:
    """Run the rules that look at an overlay's sources."""
    for rule in plan.rules:
        found = rule.check_source(tree.graph(overlay.directory)) if rule.check_source else ()
        for problem in dict.fromkeys(found):  # a base that is included twice shows its faults twice
            yield Finding(
                rule.id,
                rule.severity,
                problem.message,
                rule.help,
                overlay.name,
                location=problem.location,
                related=problem.related,
            )


def gaps(overlay: Overlay, tree: SourceTree, plan: Plan) -> Iterator[Skipped]:
    """Say what the sources of an overlay hide from the rules that look at them."""
    if any(rule.check_source for rule in plan.rules):
        for place in tree.graph(overlay.directory).incomplete:
            reason = f"{place.note or 'not YAML'} ({place.file}:{place.line})"
            yield Skipped(f"unused patches and overrides of {overlay.name}", reason)


def _check_build(rule: rules.Rule, build: Build) -> Iterator[Problem]:
    if rule.check_build:
        yield from rule.check_build(build)


def _ask_api_server(build: Build, plan: Plan, found: list[Problem]) -> list[Problem]:
    """What a real server says, less what was found at the same field without it."""
    if plan.ask is None or not plan.settings.selects(SERVER_RULE):
        return []
    known = {(id(problem.resource), problem.path) for problem in found}
    answers = check_on_server(build.resources, plan.ask, plan.settings.jobs)
    return [problem for problem in answers if (id(problem.resource), problem.path) not in known]


def _check_servers(build: Build, plan: Plan, skipped: list[Skipped]) -> Iterator[Problem]:
    selected = [(rule, rule.check_server) for rule in plan.rules if rule.check_server]
    if not selected:
        return
    from vllm_kustomize.vllm.container.reading import servers

    found, unread = servers(build, plan.settings.vllm_version)
    skipped.extend(unread)
    for server in found:
        for rule, check_server in selected:
            yield from (_complete(problem, rule, server.resource) for problem in check_server(server))


def _check_pod_security(build: Build, plan: Plan) -> Iterator[Problem]:
    if plan.settings.selects(pod_security.RULE):
        standards = pod_security.PodSecurity(build, plan.settings)
        for resource in build.resources:
            yield from _over_versions(resource, plan, partial(standards.check, resource))


def _check_updates(run: _Run) -> Iterator[Problem]:
    plan = run.plan
    if plan.exists is None or not plan.settings.selects(existing.RULE):
        return
    before = existing.by_identity(plan.exists(run.build))
    for resource in run.build.resources:
        yield from _over_versions(resource, plan, partial(_check_update, resource, before, run))


def _check_update(
    resource: Resource,
    before: Mapping[existing.Identity, Resource],
    run: _Run,
    version: KubernetesVersion,
) -> Iterator[Problem]:
    yield from existing.check(resource, before, version)
    last = before.get(existing.identity(resource))
    if last is not None and "." in resource.api_version.rpartition("/")[0]:
        from vllm_kustomize.checks.custom_resources import judge_update

        for problem in judge_update(resource, last, version, run.sources):
            yield replace(problem, rule=existing.RULE, help=problem.help or existing.HELP)


def _over_versions(
    resource: Resource, plan: Plan, check: Callable[[KubernetesVersion], Iterator[Problem]]
) -> Iterator[Problem]:
    """The problems of all Kubernetes versions, each with its field; one of some versions only says which."""
    found: dict[Problem, list[KubernetesVersion]] = {}
    for version in plan.versions:
        for problem in check(version):
            if plan.settings.selects(problem.rule):
                found.setdefault(problem, []).append(version)
    for problem, versions in found.items():
        field = f"{format_path(problem.path)}: " if problem.path else ""
        only = (
            "" if len(versions) == len(plan.versions) else f" (Kubernetes {', '.join(map(_show, versions))})"
        )
        yield replace(
            problem,
            message=f"{field}{problem.message}{only}",
            severity=problem.severity or Severity.ERROR,
            resource=resource,
        )


def _check_version(resource: Resource, run: _Run, version: KubernetesVersion) -> Iterator[Problem]:
    if not resource.kind or not resource.api_version:
        missing = join([key for key in ("apiVersion", "kind") if not resource.manifest.get(key)])
        yield Problem((), f"this is not a Kubernetes object: it has no {missing}", schema.RULE)
        return
    problems = schema.check(resource, version)
    if problems is None:
        problems = _check_custom(resource, version, run)
    yield from problems
    if not apiserver.knows(version):
        known = f"{_show(apiserver.OLDEST)} to {_show(apiserver.NEWEST)}"
        reason = f"known are those of Kubernetes {known}; only what all of these reject is reported"
        run.skipped.append(Skipped(f"rules of the API server for Kubernetes {_show(version)}", reason))
    yield from apiserver.check(resource.manifest, version)


def _check_custom(resource: Resource, version: KubernetesVersion, run: _Run) -> Iterator[Problem]:
    if "." not in resource.api_version.rpartition("/")[0]:
        message = f"Kubernetes {_show(version)} serves no {resource.kind} in {resource.api_version}"
        yield Problem(("kind",), message, schema.RULE)
        return
    from vllm_kustomize.checks.custom_resources import judge

    judged = judge(resource, version, run.sources)
    run.skipped.extend(judged.skipped)
    if judged.by:
        run.definitions[judged.by] = None
    yield from judged.problems


def _complete(problem: Problem, rule: rules.Rule, resource: Resource | None) -> Problem:
    return replace(
        problem,
        rule=rule.id,
        severity=problem.severity or rule.severity,
        help=problem.help or rule.help,
        resource=problem.resource or resource,
    )


def _show(version: KubernetesVersion) -> str:
    return f"{version[0]}.{version[1]}"
