"""What the API server of each Kubernetes version in the plan makes of the objects of one build."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

from vllm_kustomize import apiserver
from vllm_kustomize.checks import existing, pod_security, schema
from vllm_kustomize.checks.nets import caught
from vllm_kustomize.checks.plan import Plan
from vllm_kustomize.model import (
    Build,
    Diagnosis,
    KubernetesVersion,
    Problem,
    Resource,
    Skipped,
    format_path,
    format_version,
)
from vllm_kustomize.wording import join

if TYPE_CHECKING:
    from vllm_kustomize.checks.custom_resources import Sources

_GROUPS = frozenset({"apps", "autoscaling", "batch", "extensions", "policy"})
"""The groups of Kubernetes whose names have no dot, besides the core one."""

_Check = Callable[[KubernetesVersion], Iterator[Problem]]


@dataclass
class Objects:
    """The checks of a build's objects, and what they leave out; definitions are read once one is needed.

    `definitions` says which definition judged each kind of custom resource.
    """

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

    def check(self) -> Iterator[Diagnosis]:
        """Yield what is wrong with each object on its own, with its pods, and as a change of what exists."""
        if self.plan.settings.named_schema_locations or self.plan.settings.schema_locations:
            _ = self.sources  # what is wrong with them is said even where nothing needs them
        yield from self._over_versions(schema.RULE, self._check_new)
        yield from caught(pod_security.RULE, self._check_pods())
        yield from caught(existing.RULE, self.check_updates())

    def _check_pods(self) -> Iterator[Diagnosis]:
        if self.plan.settings.selects(pod_security.RULE):
            standards = pod_security.PodSecurity(self.build, self.plan.settings)
            yield from self._over_versions(pod_security.RULE, standards.check)

    def check_updates(self) -> Iterator[Diagnosis]:
        """Yield what the server would refuse to change in the objects that the plan says exist."""
        if self.plan.exists is not None and self.plan.settings.selects(existing.RULE):
            before = existing.by_identity(self.plan.exists(self.build))
            yield from self._over_versions(existing.RULE, partial(self._check_update, before))

    def _over_versions(
        self, rule: str, check: Callable[[Resource, KubernetesVersion], Iterator[Problem]]
    ) -> Iterator[Diagnosis]:
        for resource in self.build.resources:
            yield from caught(rule, self._in_all_versions(rule, partial(check, resource), resource), resource)

    def _in_all_versions(self, rule: str, check: _Check, resource: Resource) -> Iterator[Diagnosis]:
        """The problems of all versions, each with its field; one of some versions only says which."""
        found: dict[Problem, list[KubernetesVersion]] = {}
        faults: list[Exception] = []
        for version in self.plan.versions:
            try:
                for problem in check(version):
                    if self.plan.settings.selects(problem.rule or rule):
                        found.setdefault(problem, []).append(version)
            except Exception as fault:  # noqa: PERF203 - what the other versions find is kept
                faults.append(fault)
        for problem, versions in found.items():
            where = f"{format_path(problem.path)}: " if problem.path else ""
            some = len(versions) < len(self.plan.versions)
            only = f" (Kubernetes {', '.join(map(format_version, versions))})" if some else ""
            yield Diagnosis.of(replace(problem, message=f"{where}{problem.message}{only}"), rule, resource)
        if faults:
            raise faults[0]

    def _check_new(self, resource: Resource, version: KubernetesVersion) -> Iterator[Problem]:
        if not resource.kind or not resource.api_version:
            missing = join([key for key in ("apiVersion", "kind") if not resource.manifest.get(key)])
            yield Problem((), f"this is not a Kubernetes object: it has no {missing}", schema.RULE)
            return
        problems = schema.check(resource, version)
        if problems is None and (tools := self._of_another_tool(resource)):
            self.skipped.append(Skipped(f"{resource.kind} ({resource.api_version})", tools))
            return
        yield from self._check_custom(resource, version) if problems is None else problems
        if not apiserver.knows(version):
            known = f"{format_version(apiserver.OLDEST)} to {format_version(apiserver.NEWEST)}"
            wanted = format_version(version)
            reason = (
                f"they were recorded on {known}, and what all of these refuse is reported; "
                f"the published schemas are those of {wanted}"
            )
            self.skipped.append(Skipped(f"rules of the API server of Kubernetes {wanted} alone", reason))
        yield from apiserver.check(resource.manifest, version)

    def _of_another_tool(self, resource: Resource) -> str:
        """Why something that looks like an object is not meant for the API server; nothing where it is."""
        group = resource.api_version.rpartition("/")[0]
        if group and "." not in group and group not in _GROUPS:
            return f"Kubernetes has no group {group}: this is some other tool's file"
        known = self.sources.find(resource.api_version, resource.kind) if "." in group else None
        if "." in group and known is None and "metadata" not in resource.manifest:
            return "it has no metadata, as every object has: this is some other tool's file"
        return ""

    def _check_custom(self, resource: Resource, version: KubernetesVersion) -> Iterator[Problem]:
        if "." not in resource.api_version.rpartition("/")[0]:
            served = f"Kubernetes {format_version(version)} serves no {resource.kind}"
            yield Problem(("kind",), f"{served} in {resource.api_version}", schema.RULE)
            return
        from vllm_kustomize.checks.custom_resources import judge

        judged = judge(resource, version, self.sources)
        self.skipped.extend(judged.skipped)
        if judged.by:
            self.definitions[judged.by] = None
        yield from judged.problems

    def _check_update(
        self, before: Mapping[existing.Identity, Resource], resource: Resource, version: KubernetesVersion
    ) -> Iterator[Problem]:
        yield from existing.check(resource, before, version)
        last = before.get(existing.identity(resource))
        if last is not None and "." in resource.api_version.rpartition("/")[0]:
            from vllm_kustomize.checks.custom_resources import judge_update

            for problem in judge_update(resource, last, version, self.sources):
                yield replace(problem, rule=existing.RULE, help=problem.help or existing.HELP)
