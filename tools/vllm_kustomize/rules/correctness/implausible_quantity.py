"""An amount of CPU or memory is off by its unit.

The API server takes every quantity for every resource. `4Gi` of CPU are four billion CPUs, which no node has,
so the pod stays Pending; `128` of memory are 128 bytes, with which a limit starts no process and a request
reserves nothing.

Bad:   requests: {cpu: 4Gi}, or limits: {memory: 128}
Good:  requests: {cpu: "4", memory: 4Gi}

Source: https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/, "Resource units"
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from vllm_kustomize.kubernetes import quantity
from vllm_kustomize.kubernetes.fields import get, items, mapping
from vllm_kustomize.kubernetes.pods import all_pods
from vllm_kustomize.model import FieldPath, Manifest, Problem, Resource, Severity

SEVERITY = Severity.WARNING
HELP = 'Count CPUs in whole numbers or thousandths ("4", 500m) and memory in bytes with a unit (512Mi, 16Gi).'

_MOST_CPUS = 4096
"""More than the largest machines have: a container gets no more than one node."""
_LEAST_BYTES = 1 << 20
_MOST_BYTES = 1 << 50
_BYTES = ("memory", "ephemeral-storage", "storage", "sizeLimit")


def check(resource: Resource) -> Iterator[Problem]:
    """Yield amounts in containers, pods, volumes and claims that no node can mean."""
    for path, amounts in _amounts(resource):
        for name, written in amounts.items():
            amount = None if written is None else quantity.of(written)
            why = _implausible(name, amount) if amount else ""
            if why:
                yield Problem((*path, str(name)), f"{name}: {written} {why}")


def _implausible(name: object, amount: Fraction) -> str:
    if name == "cpu" and amount > _MOST_CPUS:
        return f"is {int(amount)} CPUs, more than any node has"
    if name in _BYTES and 0 < amount < _LEAST_BYTES:
        size = f"{int(amount)} bytes" if amount >= 1 else "less than a byte"
        return f"is {size}: a unit such as Mi is missing"
    if name == "memory" and amount > _MOST_BYTES:
        return f"is {int(amount / (1 << 40))} TiB, more than any node has"
    return ""


def _amounts(resource: Resource) -> Iterator[tuple[FieldPath, Manifest]]:
    """Every mapping of resources to amounts, with its place."""
    for pod in all_pods(resource):
        holders = [(pod.spec_path, pod.spec), *((each.path, each.spec) for each in pod.all_containers)]
        for path, holder in holders:
            yield from _requested(path, holder)
        for path, volume in items(pod.spec.get("volumes"), (*pod.spec_path, "volumes")):
            limit = mapping(volume, "emptyDir")
            if "sizeLimit" in limit:
                yield (*path, "emptyDir"), {"sizeLimit": limit["sizeLimit"]}
    if resource.kind == "PersistentVolumeClaim":
        yield from _requested(("spec",), mapping(resource.manifest, "spec"))
    templates: FieldPath = ("spec", "volumeClaimTemplates")
    for path, claim in items(get(resource.manifest, templates), templates):
        yield from _requested((*path, "spec"), mapping(claim, "spec"))


def _requested(path: FieldPath, holder: Manifest) -> Iterator[tuple[FieldPath, Manifest]]:
    for key in ("requests", "limits"):
        yield (*path, "resources", key), mapping(holder, "resources", key)
