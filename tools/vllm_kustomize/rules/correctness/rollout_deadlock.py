"""An update waits for what the old pod still holds.

A rolling update starts the new pod before the old one leaves, unless it may take one away first: a
maxUnavailable of 25 % is none of three pods, and one of four. A ReadWriteOncePod claim belongs to one pod, so
that the new one never starts. A ReadWriteOnce volume is attached to one node: the update hangs where the new
pod lands on another. A GPU is taken until its pod ends: the update hangs unless another one is free or an
autoscaler adds a node.

Bad:   strategy: {type: RollingUpdate} with a ReadWriteOnce claim
Good:  strategy: {type: Recreate}, or rollingUpdate: {maxSurge: 0, maxUnavailable: 1}

Source: ResolveFenceposts in k8s.io/kubernetes/pkg/controller/deployment/util
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from vllm_kustomize.kubernetes.devices import gpus
from vllm_kustomize.kubernetes.fields import get, items, mapping, number, strings
from vllm_kustomize.kubernetes.lookup import find
from vllm_kustomize.kubernetes.pods import pods
from vllm_kustomize.model import Build, FieldPath, Problem, Related, Resource, Severity

SEVERITY = Severity.WARNING
HELP = "Set strategy.type: Recreate, or rollingUpdate with maxSurge: 0 and maxUnavailable: 1."


def check_build(build: Build) -> Iterator[Problem]:
    """Yield Deployments that surge while they hold a claim of the same build, or a GPU."""
    for resource in build.resources:
        if resource.kind == "Deployment" and not _takes_one_away(resource):
            found = next(_single_owners(resource, build), None)
            if found is not None:
                severity, message, related = found
                path = ("spec", "strategy")
                yield Problem(path, message, severity=severity, resource=resource, related=(related,))


def _takes_one_away(resource: Resource) -> bool:
    """Whether an update may stop an old pod before a new one is ready."""
    spec = mapping(resource.manifest.get("spec"))
    strategy = mapping(spec.get("strategy"))
    replicas = number(spec, "replicas", default=1)
    if replicas == 0 or strategy.get("type", "RollingUpdate") != "RollingUpdate":
        return True
    rolling = mapping(strategy.get("rollingUpdate"))
    unavailable = math.floor(_share(rolling.get("maxUnavailable", "25%"), replicas))
    return unavailable > 0 or math.ceil(_share(rolling.get("maxSurge", "25%"), replicas)) == 0


def _share(value: object, replicas: int) -> float:
    text = str(value)
    if text.removesuffix("%").isdigit():
        return int(text[:-1]) * replicas / 100 if text.endswith("%") else int(text)
    return 0


def _single_owners(resource: Resource, build: Build) -> Iterator[tuple[Severity, str, Related]]:
    """What an update of a Deployment waits for, the surest first."""
    for pod in pods(resource):
        claims = []
        for _, volume in items(pod.spec.get("volumes"), ()):
            name = get(volume, ("persistentVolumeClaim", "claimName"))
            claim = find(build, "PersistentVolumeClaim", resource.namespace, str(name))
            modes = strings(get(claim.manifest, ("spec", "accessModes"))) if claim else []
            claims.append(
                (modes, Related(("spec", "accessModes"), f"the claim '{name}' is declared here", claim))
            )
        for modes, related in claims:
            if modes == ["ReadWriteOncePod"]:
                why = "the new pod starts before the old one gives up its ReadWriteOncePod claim"
                yield Severity.ERROR, f"an update never finishes: {why}", related
        for modes, related in claims:
            if modes == ["ReadWriteOnce"]:
                why = "the old one still holds its ReadWriteOnce claim"
                yield (
                    Severity.WARNING,
                    f"an update hangs where the new pod lands on another node: {why}",
                    related,
                )
        for container in pod.containers:
            for gpu in gpus(mapping(get(container.spec, ("resources", "limits")))):
                path: FieldPath = (*container.path, "resources", "limits", gpu)
                message = f"an update hangs unless another {gpu} is free or an autoscaler adds a node"
                yield Severity.INFO, message, Related(path, "the GPU is asked for here")
