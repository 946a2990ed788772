"""Two workloads, or the Services of two copies, select each other's pods.

Two Deployments with one selector leave each other's pods alone, because every pod knows its owner. Whatever
goes by labels does not: each one's autoscaler counts the pods of both and stops with AmbiguousSelector where
both have one, disruption budgets and Services mix them up, and requests for one model arrive at the other. A
copy with a name prefix or suffix still has the labels of the original.

Bad:   nameSuffix: -a and nameSuffix: -b of one base, in one namespace
Good:  the same, and labels: [{pairs: {app.kubernetes.io/instance: a}, includeSelectors: true}] in each

Source: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#selector,
isAmbiguous in pkg/controller/podautoscaler/horizontal.go of Kubernetes
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from vllm_kustomize.kubernetes.fields import get, mapping
from vllm_kustomize.kubernetes.pods import pods
from vllm_kustomize.kubernetes.selectors import is_empty, matches
from vllm_kustomize.model import Build, Problem, Related, Resource, Severity

SEVERITY = Severity.WARNING
HELP = "Give each copy a label of its own in its selectors and pods: `labels:` with includeSelectors: true."

_KINDS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")


def check_build(build: Build) -> Iterator[Problem]:
    """Yield the second of two workloads that share their pods, else the second of their Services."""
    workloads = [resource for resource in build.resources if resource.kind in _KINDS]
    services = [resource for resource in build.resources if resource.kind == "Service"]
    told: set[int] = set()
    for first, second in combinations(workloads, 2):
        if first.namespace != second.namespace or id(second) in told:
            continue
        if _owns(first, second) and _owns(second, first):
            told.add(id(second))
            related = (Related(("spec", "selector"), "the other selector", first),)
            message = f"the selector fits the pods of {first} too, and that one's fits these"
            yield Problem(("spec", "selector"), message, resource=second, related=related)
            continue
        for one, other in combinations(services, 2):
            if _are_copies(one, other, first, second) and id(other) not in told:
                told.add(id(other))
                related = (Related(("spec", "selector"), "the other selector", one),)
                message = f"the Service sends requests to {first} and {second} alike, as {one} does"
                yield Problem(("spec", "selector"), message, resource=other, related=related)


def _owns(workload: Resource, other: Resource) -> bool:
    selector = mapping(workload.manifest, "spec", "selector")
    return not is_empty(selector) and any(matches(selector, pod.labels) for pod in pods(other))


def _are_copies(one: Resource, other: Resource, first: Resource, second: Resource) -> bool:
    """Whether two Services are called apart as two workloads are, and each serves both workloads."""
    same_place = one.namespace == other.namespace == first.namespace
    return (
        same_place
        and _apart(one.name, other.name) == _apart(first.name, second.name)
        and all(_serves(service, workload) for service in (one, other) for workload in (first, second))
    )


def _apart(one: str, other: str) -> tuple[str, str]:
    """What is left of two names without what they begin and end with alike."""
    begin = _common(one, other)
    end = _common(one[begin:][::-1], other[begin:][::-1])
    return one[begin : len(one) - end], other[begin : len(other) - end]


def _common(one: str, other: str) -> int:
    """How many letters two texts begin with alike."""
    return next(
        (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )


def _serves(service: Resource, workload: Resource) -> bool:
    selector = mapping(get(service.manifest, ("spec", "selector")))
    return bool(selector) and any(
        all(pod.labels.get(key) == value for key, value in selector.items()) for pod in pods(workload)
    )
