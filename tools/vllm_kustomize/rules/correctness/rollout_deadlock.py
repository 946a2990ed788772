"""A rollout can finish where a volume or a GPU has one owner.

A rolling update starts the new pod before the old one leaves. A ReadWriteOnce volume may be attached to
the old pod's node only, and a GPU is taken until its pod ends: the new pod waits for the old one, which
waits for the new.

Bad:   strategy: {type: RollingUpdate} with a ReadWriteOnce claim
Good:  strategy: {type: Recreate}, or rollingUpdate: {maxSurge: 0, maxUnavailable: 1}
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.devices import gpus
from vllm_kustomize.kubernetes.fields import get, items, mapping, strings
from vllm_kustomize.kubernetes.lookup import find
from vllm_kustomize.kubernetes.pods import pods
from vllm_kustomize.model import Build, FieldPath, Problem, Related, Resource, Severity

SEVERITY = Severity.ERROR
HELP = "Set strategy.type: Recreate, or rollingUpdate with maxSurge: 0 and maxUnavailable: 1."

_SINGLE_OWNER = frozenset({"ReadWriteOnce", "ReadWriteOncePod"})


def check_build(build: Build) -> Iterator[Problem]:
    """Yield Deployments that surge while they hold a GPU or a ReadWriteOnce claim of the same build."""
    for resource in build.resources:
        spec = mapping(resource.manifest.get("spec"))
        if resource.kind != "Deployment" or spec.get("replicas") == 0 or not _surges(spec.get("strategy")):
            continue
        for what, related in _single_owners(resource, build):
            message = f"an update never finishes: the new pod starts before the old one gives up {what}"
            yield Problem(("spec", "strategy"), message, resource=resource, related=(related,))
            break


def _surges(strategy: object) -> bool:
    """Whether the strategy starts a pod before it stops one; the default surge is 25 %, rounded up."""
    given = mapping(strategy)
    if given.get("type", "RollingUpdate") != "RollingUpdate":
        return False
    return mapping(given.get("rollingUpdate")).get("maxSurge", "25%") not in (0, "0", "0%")


def _single_owners(resource: Resource, build: Build) -> Iterator[tuple[str, Related]]:
    for pod in pods(resource):
        for _, volume in items(pod.spec.get("volumes"), ()):
            name = get(volume, ("persistentVolumeClaim", "claimName"))
            claim = find(build, "PersistentVolumeClaim", resource.namespace, str(name))
            modes = strings(get(claim.manifest, ("spec", "accessModes"))) if claim else []
            if modes and _SINGLE_OWNER.issuperset(modes):
                note = f"the claim '{name}' is {', '.join(modes)}"
                yield f"the volume '{name}'", Related(("spec", "accessModes"), note, claim)
        for container in pod.containers:
            limits = mapping(get(container.spec, ("resources", "limits")))
            for gpu in gpus(limits):
                gpu_path: FieldPath = (*container.path, "resources", "limits", gpu)
                yield f"its {gpu}", Related(gpu_path, "the GPU is asked for here")
