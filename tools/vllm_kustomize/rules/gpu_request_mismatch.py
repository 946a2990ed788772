"""A GPU is asked for in whole numbers, the same as request and as limit.

A device belongs to one container: Kubernetes cannot hand out a part of it and does not overcommit it, so
the API server refuses a request that differs from the limit.

Bad:   {requests: {nvidia.com/gpu: "1"}, limits: {nvidia.com/gpu: "2"}}
Good:  {requests: {nvidia.com/gpu: "2"}, limits: {nvidia.com/gpu: "2"}}

Source: https://kubernetes.io/docs/tasks/manage-gpus/scheduling-gpus/
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.apiserver import quantity
from vllm_kustomize.model import FieldPath, Manifest, Problem, Related, Resource, Severity
from vllm_kustomize.workload import Container, mapping, pods

SEVERITY = Severity.ERROR
HELP = "Write the same whole number under requests and limits, or leave it out of requests."


def check(resource: Resource) -> Iterator[Problem]:
    """Yield GPUs in fractions, requests without a limit, and requests that differ from it."""
    for pod in pods(resource):
        for container in pod.all_containers:
            resources = mapping(container.spec.get("resources"))
            yield from _check(container, resources)


def gpus(resources: Manifest) -> list[str]:
    """The GPU resources that a list of requests or limits names, MIG slices included."""
    return [name for name in resources if isinstance(name, str) and is_gpu(name)]


def is_gpu(name: str) -> bool:
    """Whether a resource is a GPU, such as `nvidia.com/gpu`, `nvidia.com/mig-1g.10gb`, `gpu.intel.com/xe`."""
    domain, _, device = name.partition("/")
    return bool(device) and (device.startswith(("gpu", "mig-")) or domain.startswith("gpu."))


def _check(container: Container, resources: Manifest) -> Iterator[Problem]:
    limits, requests = mapping(resources.get("limits")), mapping(resources.get("requests"))
    base: FieldPath = (*container.path, "resources")
    for key, values in (("limits", limits), ("requests", requests)):
        for name in gpus(values):
            amount = quantity.of(values[name])
            if amount is not None and amount.denominator != 1:
                yield Problem(
                    (*base, key, name), f"{container} asks for {values[name]} {name}: not a whole number"
                )
    for name in gpus(requests):
        path = (*base, "requests", name)
        if name not in limits:
            yield Problem(path, f"{container} requests {name} without a limit")
        elif quantity.of(requests[name]) != quantity.of(limits[name]):
            message = f"{container} requests {requests[name]} {name}, but its limit is {limits[name]}"
            yield Problem(path, message, related=(Related((*base, "limits", name), "the limit is set here"),))
