"""Resource names and amounts: what containers, pods, quotas and limit ranges may ask for.

Rules of pkg/apis/core/validation (ValidateContainerResourceRequirements and what it calls).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vllm_kustomize.apiserver.framework.combinators import Family, Fault, Scope, structs, warning
from vllm_kustomize.kubernetes import names, quantity
from vllm_kustomize.kubernetes.fields import is_set, mapping, text

api = Family("quantity")

HUGE_PAGES = "hugepages-"
CONTAINER_RESOURCES = frozenset({"cpu", "memory", "ephemeral-storage"})
QUOTA_COUNTS = frozenset(
    {
        "pods",
        "services",
        "replicationcontrollers",
        "resourcequotas",
        "secrets",
        "configmaps",
        "persistentvolumeclaims",
        "services.nodeports",
        "services.loadbalancers",
    }
)
STANDARD_RESOURCES = (
    CONTAINER_RESOURCES
    | QUOTA_COUNTS
    | {
        "storage",
        "requests.cpu",
        "requests.memory",
        "requests.storage",
        "requests.ephemeral-storage",
        "limits.cpu",
        "limits.memory",
        "limits.ephemeral-storage",
    }
)
BYTES = frozenset({"memory", "ephemeral-storage", "storage"})


def is_native(name: str) -> bool:
    """Whether Kubernetes itself defines the resource."""
    return "/" not in name or "kubernetes.io/" in name


def is_extended(name: str) -> bool:
    """Whether the name is that of a device plugin's resource, such as nvidia.com/gpu."""
    return (
        not is_native(name)
        and not name.startswith("requests.")
        and not names.qualified_name("requests." + name)
    )


def may_overcommit(name: str) -> bool:
    """Whether a request may be lower than the limit."""
    return is_native(name) and not name.startswith(HUGE_PAGES)


def resource_name(name: str) -> str:
    """A resource that any object may name."""
    if message := names.qualified_name(name):
        return message
    if "/" not in name and name not in STANDARD_RESOURCES and not name.startswith(HUGE_PAGES):
        return f'"{name}" is not a standard resource; other resources have a domain, as in nvidia.com/gpu'
    return ""


def container_resource_name(name: str) -> str:
    """A resource that a container can ask for."""
    if message := resource_name(name):
        return message
    if "/" not in name:
        if name not in CONTAINER_RESOURCES and not name.startswith(HUGE_PAGES):
            return f'"{name}" is not a resource of containers'
    elif not is_native(name) and not is_extended(name):
        return f'"{name}" is not the name of an extended resource'
    return ""


def plain_amount(name: str, value: Any) -> str:
    """What is wrong with a resource's amount anywhere, or an empty string."""
    parsed = quantity.of(value)
    if parsed is None:
        if isinstance(value, (str, int, float)) and not isinstance(value, bool):
            return f'"{str(value)[:60]}" {quantity.MALFORMED}'
        return ""
    if parsed < 0:
        return f"{name} is {value}, but may not be negative"
    if (is_extended(name) or name in QUOTA_COUNTS) and not quantity.is_whole(parsed):
        return f"{name} is {value}, but must be a whole number"
    return ""


def amount(name: str, value: Any) -> str:
    """What is wrong with a resource's amount in a pod, or an empty string."""
    if (message := plain_amount(name, value)) or not name.startswith(HUGE_PAGES):
        return message
    parsed = quantity.of(value)
    return "" if parsed is None else _huge_pages(name, parsed)


def _huge_pages(name: str, parsed: Any) -> str:
    page = quantity.of(name.removeprefix(HUGE_PAGES))
    if page is None or not page:
        return f"{name} names no page size"
    if not quantity.is_whole(parsed) or parsed % page:
        return f"{name} must be a multiple of the page size {name.removeprefix(HUGE_PAGES)}"
    return ""


def requirements(value: Any, scope: Scope) -> Iterator[Fault]:
    """Names and amounts of limits and requests, and how the two fit."""
    limits, requests = mapping(value, "limits"), mapping(value, "requests")
    for field, amounts in (("limits", limits), ("requests", requests)):
        for name, given in amounts.items():
            path = (field, str(name))
            if message := container_resource_name(str(name)):
                yield Fault(path, message)
            if message := amount(str(name), given):
                yield Fault(path, message)
            elif name in BYTES and not quantity.is_whole(quantity.of(given) or quantity.NANO * 0):
                yield warning(
                    path, f"{name} is {given}, a fraction of a byte; write whole bytes, or Mi and Gi"
                )
    yield from _requests_fit(limits, requests)
    named = [str(name) for name in (*limits, *requests)]
    if any(name.startswith(HUGE_PAGES) for name in named) and not {"cpu", "memory"} & set(named):
        yield Fault((), "hugepages need cpu or memory beside them")


def _requests_fit(limits: Mapping[Any, Any], requests: Mapping[Any, Any]) -> Iterator[Fault]:
    for name, given in requests.items():
        name = str(name)
        if name not in limits:
            if not may_overcommit(name):
                yield Fault(("limits",), f"{name} is requested, so it needs a limit of the same amount")
            continue
        request, limit = quantity.of(given), quantity.of(limits[name])
        if request is None or limit is None:
            continue
        if request != limit and not may_overcommit(name):
            message = f"{name}: request {given} and limit {limits[name]} differ, but must be equal"
            yield Fault(("requests",), message, at=("requests", name))
        elif request > limit:
            message = f"{name}: request {given} is more than the limit {limits[name] or 0}"
            yield Fault(("requests",), message, at=("requests", name))


def claims_unique(value: Any, scope: Scope) -> Iterator[Fault]:
    """Each resource claim is named, and used once: as a whole, or each of its requests."""
    whole: set[str] = set()
    requests: dict[str, set[str]] = {}
    for index, claim in structs(value, "claims"):
        name, request = text(claim, "name"), text(claim, "request")
        if not name:
            yield Fault(("claims", index), "needs the name of one of the pod's resourceClaims")
            continue
        if request and (message := names.dns_label(request)):
            yield Fault(("claims", index, "request"), message)
        used = requests.setdefault(name, set())
        if name in whole or request in used or (used and not request):
            yield Fault(("claims", index), f'claim "{name}" is there twice')
        if request:
            used.add(request)
        else:
            whole.add(name)


RESOURCES = api.struct({}, requirements, claims_unique)


def overhead(value: Any, scope: Scope) -> Iterator[Fault]:
    """A pod's overhead is checked as if it were limits."""
    for fault in requirements({"limits": value}, scope):
        yield fault._replace(path=("limits", *fault.path[1:]) if fault.path else ())


OVERHEAD = api.value(overhead, accepts=dict, zero={})


def pod_requirements(value: Any, scope: Scope) -> Iterator[Fault]:
    """Resources of a whole pod: cpu, memory and hugepages only, without claims."""
    for field in ("limits", "requests"):
        for name in mapping(value, field):
            if str(name) not in ("cpu", "memory") and not str(name).startswith(HUGE_PAGES):
                yield Fault((field, str(name)), "a pod as a whole has only cpu, memory and hugepages")
    if is_set(value, "claims") and value["claims"]:
        yield Fault(("claims",), "a pod as a whole has no claims here; they belong to its containers")
    yield from requirements(value, scope)


POD_RESOURCES = api.struct({}, pod_requirements)
