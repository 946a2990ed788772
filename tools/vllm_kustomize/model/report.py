"""What one overlay, or a whole run, comes to."""

from __future__ import annotations

from dataclasses import dataclass

from vllm_kustomize.model.finding import Allow, Finding, Suppressed
from vllm_kustomize.model.problem import Severity, Undecided
from vllm_kustomize.model.resource import KubernetesVersion


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that was asked for and not checked, and why; `whole` where it is a whole build or file."""

    what: str
    reason: str
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """What came of one overlay or file, and the comments in its sources that accept findings.

    `definitions` says which definition judged each kind of custom resource, and `reads` which folders outside
    of the sources a check looked at.
    """

    findings: tuple[Finding, ...]
    documents: int = 0
    skipped: tuple[Skipped, ...] = ()
    allows: tuple[Allow, ...] = ()
    definitions: tuple[str, ...] = ()
    undecided: tuple[Undecided, ...] = ()
    reads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cluster:
    """The cluster whose API server is asked: a context of the kubeconfig, and the namespace of objects that
    name none."""

    context: str
    namespace: str

    def __str__(self) -> str:
        return f"context '{self.context}', namespace '{self.namespace}'"


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of one run; `targets` are the overlays and files that were checked, as they are shown;
    `settings` the file that settings were read from, or empty; `cluster` whose API server was asked."""

    findings: tuple[Finding, ...]
    overlays: int
    documents: int
    skipped: tuple[Skipped, ...] = ()
    suppressed: tuple[Suppressed, ...] = ()
    targets: tuple[str, ...] = ()
    fail_on: Severity = Severity.ERROR
    engine: str = ""
    settings: str = ""
    kubernetes_versions: tuple[KubernetesVersion, ...] = ()
    definitions: tuple[str, ...] = ()
    undecided: tuple[Undecided, ...] = ()
    cluster: Cluster | None = None

    def count(self, severity: Severity) -> int:
        """How many findings have this severity."""
        return sum(finding.count for finding in self.findings if finding.severity == severity)
