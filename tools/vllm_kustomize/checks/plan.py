"""What to check, worked out once from the settings for all builds of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from vllm_kustomize import rules
from vllm_kustomize.apiserver.podsecurity import Standard
from vllm_kustomize.checks import published
from vllm_kustomize.checks.cluster import Server
from vllm_kustomize.checks.manual import names
from vllm_kustomize.model import Build, Error, KubernetesVersion, Resource, format_version
from vllm_kustomize.settings import ALWAYS, CheckSettings, Settings
from vllm_kustomize.wording import did_you_mean


@dataclass(frozen=True, slots=True)
class Plan:
    """What to check: the settings, resolved once for all builds of a run.

    `exists` gives the objects that are there before a build is applied, where that was asked for.
    """

    settings: CheckSettings
    versions: tuple[KubernetesVersion, ...]
    rules: tuple[rules.Rule, ...]
    jobs: int
    server: Server | None = None
    exists: Callable[[Build], tuple[Resource, ...]] | None = None


def plan(settings: Settings) -> Plan:
    """Resolve the settings; raises `Error` for an unknown Kubernetes version or rule."""
    _refuse_always(settings)
    settings = rules.resolve(settings)
    known = published.known_versions()
    for version in settings.kubernetes_versions:
        if version not in known:
            raise Error(
                f"no schemas for Kubernetes {format_version(version)}: "
                f"{format_version(known[0])} to {format_version(known[-1])} are known"
            )
    if settings.vllm_version:
        _check_vllm_version(settings.vllm_version)
    _check_patterns(settings)
    for standard in (settings.pod_security, *(standard for _, standard in settings.pod_security_by_path)):
        if standard:
            Standard.parse(standard)
    if settings.named_schema_locations or settings.schema_locations:
        from vllm_kustomize.checks import custom_resources

        custom_resources.forget()
    selected = tuple(rule for rule in rules.load().values() if settings.selects(rule.id))
    return Plan(settings, settings.kubernetes_versions or known[-1:], selected, settings.jobs)


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
