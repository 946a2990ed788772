"""A pod does not pass the Pod Security Standards that its namespace enforces.

A Deployment whose pods break the standard is created all the same, and never gets a pod. The standard comes
from `--pod-security`, else from the labels of the Namespace in the same build, else from the settings
(`pod-security`, a level for each path). A namespace that only warns makes these findings warnings.

Bad:   securityContext: {}                                      (restricted)
Good:  securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from vllm_kustomize.apiserver import podsecurity
from vllm_kustomize.apiserver.podsecurity import Standard
from vllm_kustomize.kubernetes.fields import mapping
from vllm_kustomize.model import Build, KubernetesVersion, Problem, Resource, Severity
from vllm_kustomize.settings import CheckSettings

RULE = "pod-security"
HELP = (
    "Set the field as the message says; the component `restricted` sets all that level restricted wants of a "
    "vLLM server."
)


@dataclass(frozen=True, slots=True)
class Demand:
    """A standard, who asks for it (the end of a sentence), and how bad it is to miss it."""

    standard: Standard
    whose: str
    severity: Severity = Severity.ERROR


class PodSecurity:
    """What each namespace of a build demands of its pods."""

    def __init__(self, build: Build, settings: CheckSettings) -> None:
        self._asked = demanded_of(build, settings)
        self._overrides = bool(settings.pod_security)
        self._namespaces = {
            resource.name: tuple(_of_labels(resource))
            for resource in build.resources
            if resource.kind == "Namespace" and resource.api_version == "v1"
        }

    def check(self, resource: Resource, version: KubernetesVersion) -> Iterator[Problem]:
        """Yield what makes the pods of an object break what is demanded; each field once, at its worst."""
        seen = set()
        for demand in self._demands(resource):
            for problem in podsecurity.check(resource.manifest, demand.standard, version):
                if problem not in seen:
                    seen.add(problem)
                    yield replace(
                        problem,
                        message=f"{problem.message} (Pod Security {demand.standard}, {demand.whose})",
                        rule=RULE,
                        severity=demand.severity,
                        help=HELP,
                    )

    def _demands(self, resource: Resource) -> tuple[Demand, ...]:
        labels = self._namespaces.get(resource.namespace or "default", ())
        if self._overrides or not any(demand.severity is Severity.ERROR for demand in labels):
            return (*self._asked, *labels) if not self._overrides else self._asked
        return labels


def demanded_of(build: Build, settings: CheckSettings) -> tuple[Demand, ...]:
    """What the command line, or else the settings, demand of a build; raises `Error` for an unknown level."""
    if settings.pod_security:
        return (Demand(Standard.parse(settings.pod_security), "which --pod-security asks for"),)
    name = build.overlay.name if build.overlay else build.file or ""
    for pattern, standard in reversed(settings.pod_security_by_path):
        if fnmatchcase(name, pattern.rstrip("/")):
            return (Demand(Standard.parse(standard), "which the settings ask for"),)
    return ()


def _of_labels(namespace: Resource) -> Iterator[Demand]:
    labels = mapping(namespace.metadata.get("labels"))
    for mode, verb, severity in (
        ("enforce", "enforces", Severity.ERROR),
        ("warn", "warns of", Severity.WARNING),
    ):
        standard = podsecurity.policy(labels, mode)
        if standard:
            yield Demand(standard, f"which Namespace/{namespace.name} {verb}", severity)
