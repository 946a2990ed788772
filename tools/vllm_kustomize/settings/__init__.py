"""What a run was asked to do."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from vllm_kustomize.model import Error, KubernetesVersion, Severity

if TYPE_CHECKING:
    from datetime import date

UNCHECKED = frozenset({"internal-error", "not-checked"})
"""Findings that end a run with exit code 2: part of what was asked for was not checked."""

ALWAYS = UNCHECKED | {"build-failed", "invalid-yaml", "empty-build"}
"""Findings that say that there was nothing to check; no setting switches them off or makes them milder."""


@dataclass(frozen=True, slots=True)
class Ignore:
    """Findings to accept: of a rule or pattern, in some overlays or all, until a day or for good."""

    rule: str
    reason: str
    overlays: tuple[str, ...] = ()
    until: str = ""


@dataclass(frozen=True)
class CheckSettings:
    """What decides the findings of one overlay, and so whether the cache still knows them.

    An empty `kubernetes_versions` means the newest that is known. `ignore` are rules not to run.
    `vllm_version` comes before what the tags of images say; empty leaves it to them. `pod_security` is a
    level of the Pod Security Standards, with or without a version; it comes before the levels that patterns
    of paths have. `existing` names what is there before: rendered YAML, a folder, an overlay, or
    `REVISION:PATH`. `named_schema_locations` are those of the command line: definitions in them come before a
    build's own, and those in `schema_locations` after. `helm` are patterns of the overlays whose charts are
    inflated, `unrestricted` those of overlays that read files anywhere. With `server` the API server of the
    current context, or of `context`, is asked too, about objects without a namespace in `namespace` or the
    context's own; no other than `only_context` is asked where that is given.
    """

    kubernetes_versions: tuple[KubernetesVersion, ...] = ()
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    engine: str | None = None
    schema_locations: tuple[Path, ...] = ()
    named_schema_locations: tuple[Path, ...] = ()
    offline: bool = False
    vllm_version: str = ""
    server: bool = False
    context: str = ""
    namespace: str = ""
    only_context: str = ""
    pod_security: str = ""
    pod_security_by_path: tuple[tuple[str, str], ...] = ()
    existing: str = ""
    helm: tuple[str, ...] = ()
    unrestricted: tuple[str, ...] = ()

    def selects(self, rule: str) -> bool:
        """Whether findings of a rule are wanted; ids and patterns such as `api-*` count."""
        if rule in ALWAYS:
            return True
        if self.select and not _matches(rule, self.select):
            return False
        return not _matches(rule, self.ignore)


@dataclass(frozen=True)
class ReportSettings:
    """What decides what becomes of findings.

    `ignores` are findings to accept; `today` is the day on which they are judged, None for the clock's. With
    `strict` a build that cannot be checked fails the run.
    """

    fail_on: Severity = Severity.ERROR
    severities: tuple[tuple[str, Severity], ...] = ()
    ignores: tuple[Ignore, ...] = ()
    baseline: Path | None = None
    today: date | None = None
    strict: bool = False

    def severity(self, rule: str, usual: Severity) -> Severity:
        """The severity of a rule's findings: what the settings say, or the usual one."""
        if rule in ALWAYS:
            return usual
        chosen = (severity for pattern, severity in reversed(self.severities) if fnmatchcase(rule, pattern))
        return next(chosen, usual)


@dataclass(frozen=True)
class Settings(CheckSettings, ReportSettings):
    """Options of `validate` and what the settings file says.

    `paths` stand for none given; `file` is the settings file that was read. With `changed`, the paths given
    are changed files, and the overlays that they belong to are what is validated. `exclude` are patterns of
    paths that are not searched. `jobs` is how many builds run at a time.
    """

    paths: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    changed: bool = False
    file: Path | None = None
    jobs: int = field(default_factory=lambda: os.cpu_count() or 1)
    cache: bool = True
    resolved: bool = False  # groups have been replaced by their rules (`rules.resolve`)
    name_engine: bool = False  # asking the engine for its version takes as long as a build

    def of_checks(self) -> CheckSettings:
        """The part that decides the findings of an overlay, alone."""
        return CheckSettings(**{each.name: getattr(self, each.name) for each in fields(CheckSettings)})

    def patterns(self) -> tuple[str, ...]:
        """Every rule, or pattern of rules, that the settings name."""
        accepted = (ignore.rule for ignore in self.ignores)
        return (*self.select, *self.ignore, *accepted, *(rule for rule, _ in self.severities))


def parse_kubernetes_version(text: str) -> KubernetesVersion:
    """Read `1.36`, `v1.36` or `1.36.2`; raises `Error` for anything else."""
    match = re.fullmatch(r"v?(\d{1,3})\.(\d{1,3})(\.\d+)?", text.strip())
    if match is None:
        raise Error(f"'{text}' is not a Kubernetes version; write it as 1.36")
    return int(match[1]), int(match[2])


def _matches(rule: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(rule, pattern) for pattern in patterns)
