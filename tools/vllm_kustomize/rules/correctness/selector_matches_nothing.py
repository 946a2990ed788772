"""A policy, monitor or pool selects nothing of its own build.

A PodDisruptionBudget, NetworkPolicy, PodMonitor, ServiceMonitor or InferencePool whose labels fit nothing is
accepted and does nothing: no pod is protected, scraped or routed to. Kustomize's `labels:` with
includeSelectors rewrites the pods and the selectors of Kubernetes' own kinds, but not those of custom
resources, which then still name the old value.

Bad:   PodMonitor with matchLabels {app: vllm}, and pods labelled app: vllm-chat
Good:  matchLabels {app: vllm-chat}; under `labels:` name the field with fieldSpecs (`fields:`)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vllm_kustomize.kubernetes.fields import get, mapping, text
from vllm_kustomize.kubernetes.pods import pods
from vllm_kustomize.kubernetes.selection import maker_of_more_pods
from vllm_kustomize.kubernetes.selectors import fits
from vllm_kustomize.model import Build, FieldPath, Manifest, Outcome, Problem, Severity, Undecided

SEVERITY = Severity.WARNING
HELP = "Make the selector's labels equal to those of what it is meant to select."


@dataclass(frozen=True, slots=True)
class _Selecting:
    """Where a kind keeps its selector, and what it selects: pods, or Services."""

    selector: FieldPath
    what: str = "pod"
    elsewhere: FieldPath = ()


_KINDS = {
    "PodDisruptionBudget": _Selecting(("spec", "selector")),
    "NetworkPolicy": _Selecting(("spec", "podSelector")),
    "InferencePool": _Selecting(("spec", "selector")),
    "PodMonitor": _Selecting(("spec", "selector"), elsewhere=("spec", "namespaceSelector")),
    "ServiceMonitor": _Selecting(("spec", "selector"), "Service", ("spec", "namespaceSelector")),
}


def check_build(build: Build) -> Iterator[Outcome]:
    """Yield selectors that fit nothing, where the build has candidates in the selector's namespace."""
    selecting = [(resource, _KINDS[resource.kind]) for resource in build.resources if resource.kind in _KINDS]
    maker = maker_of_more_pods(build)
    candidates: dict[tuple[str, str], list[Manifest]] = {}
    for resource in build.resources:
        for pod in pods(resource):
            candidates.setdefault(("pod", resource.namespace), []).append(pod.labels)
        if resource.kind == "Service":
            labels = mapping(resource.metadata.get("labels"))
            candidates.setdefault(("Service", resource.namespace), []).append(labels)
    for resource, kind in selecting:
        labels = mapping(get(resource.manifest, (*kind.selector, "matchLabels")))
        near = candidates.get((kind.what, resource.namespace), [])
        if not labels or (kind.elsewhere and get(resource.manifest, kind.elsewhere)):
            continue
        if near and not any(fits(labels, candidate) for candidate in near):
            if maker:
                yield Undecided(f"{maker} may make pods that the build does not show", str(resource))
                continue
            wanted = ", ".join(f"{key}={text(value)}" for key, value in labels.items())
            message = f"no {kind.what} of this build has the labels {wanted}"
            yield Problem((*kind.selector, "matchLabels"), message, resource=resource)
