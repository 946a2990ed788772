"""Run the schema check, the API-server checks and the rules over one build."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cached_property, partial
from typing import TYPE_CHECKING

from vllm_kustomize import apiserver, rules
from vllm_kustomize.apiserver.podsecurity import Standard
from vllm_kustomize.checks import existing, pod_security, published, schema, templates
from vllm_kustomize.checks.cluster import RULE as SERVER_RULE
from vllm_kustomize.checks.cluster import Ask
from vllm_kustomize.checks.cluster import check as check_on_server
from vllm_kustomize.checks.manual import names
from vllm_kustomize.faults import describe
from vllm_kustomize.kustomize.replay.graph import SourceTree
from vllm_kustomize.model import (
    Build,
    Error,
    Finding,
    KubernetesVersion,
    Location,
    Outcome,
    Overlay,
    Precision,
    Problem,
    Resource,
    Severity,
    Skipped,
    Undecided,
    format_path,
)
from vllm_kustomize.settings import ALWAYS, Settings
from vllm_kustomize.wording import did_you_mean, join

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
    undecided: tuple[Undecided, ...] = ()


@dataclass
class _Run:
    """What gathers while one build is checked; definitions are read once a custom resource needs one."""

    build: Build
    plan: Plan
    skipped: list[Skipped] = field(default_factory=list)
    definitions: dict[str, None] = field(default_factory=dict)
    undecided: list[Undecided] = field(default_factory=list)

    @cached_property
    def sources(self) -> Sources:
        """Where the definitions of this build's custom resources are looked for."""
        from vllm_kustomize.checks import custom_resources

        found = custom_resources.sources(self.build, self.plan.settings)
        self.skipped.extend(found.notes)
        return found

    def decided(
        self, rule: rules.Rule, found: Iterable[Outcome], resource: Resource | None = None, what: str = ""
    ) -> Iterator[Problem]:
        """The problems that a rule finds, complete; what it cannot decide is kept apart."""
        for outcome in found:
            if isinstance(outcome, Undecided):
                about = outcome.what or what or str(resource)
                self.leave(rule, [replace(outcome, what=about)])
            else:
                yield _complete(outcome, rule, resource)

    def leave(self, rule: rules.Rule, undecided: Iterable[Undecided]) -> None:
        """Keep what a rule cannot decide, with the rule and the build that it was asked about."""
        target = self.build.overlay.name if self.build.overlay else self.build.file
        targets = (target,) if target else ()
        self.undecided.extend(replace(each, rules=(rule.id,), targets=targets) for each in undecided)


def plan(settings: Settings) -> Plan:
    """Resolve the settings; raises `Error` for an unknown Kubernetes version or rule."""
    _refuse_always(settings)
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
    _check_patterns(settings)
    for standard in (settings.pod_security, *(standard for _, standard in settings.pod_security_by_path)):
        if standard:
            Standard.parse(standard)
    selected = tuple(rule for rule in rules.load().values() if settings.selects(rule.id))
    return Plan(settings, settings.kubernetes_versions or known[-1:], selected)


def _check_patterns(settings: Settings) -> None:
    """Refuse a pattern that fits no rule."""
    for pattern in settings.patterns():
        if not any(fnmatchcase(name, pattern) for name in names()):
            near = did_you_mean(pattern.strip("*?'\""), names())
            what = "rule fits" if any(character in pattern for character in "*?[") else "rule"
            raise Error(f"no {what} '{pattern}'{near}; `vllm-kustomize rules` lists them")


def _refuse_always(settings: Settings) -> None:
    """Refuse to switch off, or make milder, what says that something was not checked."""
    accepted = (ignore.rule for ignore in settings.ignores)
    for pattern in (*settings.ignore, *accepted, *(rule for rule, _ in settings.severities)):
        if pattern in ALWAYS:
            raise Error(f"'{pattern}' cannot be ignored or changed: it says that something was not checked")


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
        found = _over_versions(resource, plan, partial(_check_version, resource, run))
        problems.extend(_caught("schema", found, resource))
    problems.extend(_caught(pod_security.RULE, _check_pod_security(build, plan)))
    problems.extend(_caught(existing.RULE, _check_updates(run)))
    for rule in plan.rules:
        if rule.check_build:
            problems.extend(_caught(rule.id, run.decided(rule, rule.check_build(build))))
        if rule.check:
            for resource in build.resources:
                found = run.decided(rule, rule.check(resource), resource)
                problems.extend(_caught(rule.id, found, resource))
    problems.extend(_check_servers(run))
    problems.extend(_ask_api_server(build, plan, problems))
    problems = [problem for problem in templates.set_aside(problems) if plan.settings.selects(problem.rule)]
    order = {id(resource): index for index, resource in enumerate(build.resources)}
    problems.sort(key=lambda problem: order.get(id(problem.resource), len(order)))
    return Checked(
        tuple(problems), tuple(dict.fromkeys(run.skipped)), tuple(run.definitions), tuple(run.undecided)
    )


def check_source(overlay: Overlay, tree: SourceTree, plan: Plan) -> Iterator[Finding]:
    """Run the rules that look at an overlay's sources."""
    for rule in plan.rules:
        try:
            found = rule.check_source(tree.graph(overlay.directory)) if rule.check_source else ()
            problems = tuple(dict.fromkeys(found))  # a base that is included twice shows its faults twice
        except Exception as fault:
            yield internal_error(rule.id, fault, overlay.name, tree.graph(overlay.directory).file)
            continue
        for problem in problems:
            yield Finding(
                rule.id,
                rule.severity,
                problem.message,
                rule.help,
                overlay.name,
                location=problem.location,
                related=problem.related,
            )


def internal_error(check: str, fault: Exception, overlay: str | None, file: str) -> Finding:
    """The finding that a check failed on an overlay or file, which no other finding suffers from."""
    rule = rules.get("internal-error")
    whole = Location(file, 1, 1, precision=Precision.FILE)
    return Finding(rule.id, rule.severity, _failed(check, fault), rule.help, overlay, location=whole)


def gaps(overlay: Overlay, tree: SourceTree, plan: Plan) -> Iterator[Skipped]:
    """Say what the sources of an overlay hide from the rules that look at them."""
    if any(rule.check_source for rule in plan.rules):
        for place in tree.graph(overlay.directory).incomplete:
            reason = f"{place.note or 'not YAML'} ({place.file}:{place.line})"
            yield Skipped(f"unused patches and overrides of {overlay.name}", reason)


def not_checked(reason: str, overlay: str | None, file: str) -> Finding:
    """The finding that an overlay or file was left unchecked."""
    rule = rules.get("not-checked")
    whole = Location(file, 1, 1, precision=Precision.FILE)
    return Finding(rule.id, rule.severity, f"not checked: {reason}", rule.help, overlay, location=whole)


def _caught(check: str, problems: Iterable[Problem], resource: Resource | None = None) -> Iterator[Problem]:
    """What a check yields; where it fails, a problem that says so instead of the rest."""
    try:
        yield from problems
    except Error:
        raise
    except Exception as fault:
        rule = rules.get("internal-error")
        yield _complete(Problem((), _failed(check, fault)), rule, resource)


def _failed(check: str, fault: Exception) -> str:
    return f"the check {check} failed: {describe(fault)}"


def _ask_api_server(build: Build, plan: Plan, found: list[Problem]) -> list[Problem]:
    """What a real server says, less what was found at the same field without it."""
    if plan.ask is None or not plan.settings.selects(SERVER_RULE):
        return []
    known = {(id(problem.resource), problem.path) for problem in found}
    answers = check_on_server(build.resources, plan.ask, plan.settings.jobs)
    return [problem for problem in answers if (id(problem.resource), problem.path) not in known]


def _check_servers(run: _Run) -> Iterator[Problem]:
    selected = [(rule, rule.check_server) for rule in run.plan.rules if rule.check_server]
    if not selected:
        return
    from vllm_kustomize.vllm.container.reading import servers

    faults: list[tuple[Resource, Exception]] = []
    found, unread = servers(run.build, run.plan.settings.vllm_version, faults)
    for rule, _ in selected:
        run.leave(rule, unread)
    for resource, fault in faults:
        rule = rules.get("internal-error")
        yield _complete(Problem((), _failed("of the vLLM command line", fault)), rule, resource)
    for server in found:
        for rule, check_server in selected:
            what = f"{server.container} of {server.resource}"
            decided = run.decided(rule, check_server(server), server.resource, what)
            yield from _caught(rule.id, decided, server.resource)


def _check_pod_security(build: Build, plan: Plan) -> Iterator[Problem]:
    if plan.settings.selects(pod_security.RULE):
        standards = pod_security.PodSecurity(build, plan.settings)
        for resource in build.resources:
            found = _over_versions(resource, plan, partial(standards.check, resource))
            yield from _caught(pod_security.RULE, found, resource)


def _check_updates(run: _Run) -> Iterator[Problem]:
    plan = run.plan
    if plan.exists is None or not plan.settings.selects(existing.RULE):
        return
    before = existing.by_identity(plan.exists(run.build))
    for resource in run.build.resources:
        found = _over_versions(resource, plan, partial(_check_update, resource, before, run))
        yield from _caught(existing.RULE, found, resource)


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
    faults: list[Exception] = []
    for version in plan.versions:
        try:
            for problem in check(version):
                if plan.settings.selects(problem.rule):
                    found.setdefault(problem, []).append(version)
        except Exception as fault:  # noqa: PERF203 - what the other versions find is kept
            faults.append(fault)
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
    if faults:
        raise faults[0]


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
    group = resource.api_version.rpartition("/")[0]
    if group and "." not in group and group not in _GROUPS:
        reason = f"Kubernetes has no group {group}: this is some other tool's file"
        run.skipped.append(Skipped(f"{resource.kind} ({resource.api_version})", reason))
        return
    if "." not in group:
        message = f"Kubernetes {_show(version)} serves no {resource.kind} in {resource.api_version}"
        yield Problem(("kind",), message, schema.RULE)
        return
    from vllm_kustomize.checks.custom_resources import judge

    judged = judge(resource, version, run.sources)
    run.skipped.extend(judged.skipped)
    if judged.by:
        run.definitions[judged.by] = None
    yield from judged.problems


_GROUPS = frozenset({"apps", "autoscaling", "batch", "extensions", "policy"})
"""The groups of Kubernetes whose names have no dot, besides the core one."""


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
