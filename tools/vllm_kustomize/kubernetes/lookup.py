"""Find the objects of a build by what names them, or by their kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from vllm_kustomize.kubernetes.fields import mapping, text
from vllm_kustomize.kubernetes.once import once
from vllm_kustomize.model import Build, Resource


def find(build: Build, kind: str, namespace: str, name: object) -> Resource | None:
    """The object of a build with that kind, namespace and name, or None."""
    return _by_name(build).get((kind, namespace, name))


def of_kind(build: Build, *kinds: str) -> Iterator[Resource]:
    """The objects of a build that are of these kinds, kind by kind."""
    for kind in kinds:
        yield from _by_kind(build).get(kind, ())


def autoscalers(build: Build, workload: Resource) -> Sequence[Resource]:
    """The objects of a build that set the replicas of a workload."""
    return _by_target(build).get((workload.namespace, workload.kind, workload.name), ())


@once
def _by_target(build: Build) -> Mapping[tuple[str, str, str], list[Resource]]:
    """The autoscalers of a build by the namespace, kind and name of what they scale."""
    found: dict[tuple[str, str, str], list[Resource]] = {}
    for scaler in of_kind(build, "HorizontalPodAutoscaler", "ScaledObject"):
        target = mapping(scaler.manifest, "spec", "scaleTargetRef")
        kind, name = text(target, "kind", default="Deployment"), text(target, "name")
        found.setdefault((scaler.namespace, kind, name), []).append(scaler)
    return found


@once
def _by_name(build: Build) -> Mapping[tuple[str, str, object], Resource]:
    """The objects of a build by what names them; the first where several have one name."""
    return {
        (resource.kind, resource.namespace, resource.name): resource for resource in reversed(build.resources)
    }


@once
def _by_kind(build: Build) -> Mapping[str, list[Resource]]:
    found: dict[str, list[Resource]] = {}
    for resource in build.resources:
        found.setdefault(resource.kind, []).append(resource)
    return found
