"""ResourceQuotas and LimitRanges.

Rules of pkg/apis/core/validation (ValidateResourceQuota, ValidateLimitRange).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vllm_kustomize.apiserver import names, quantity
from vllm_kustomize.apiserver.combinators import (
    Fault,
    Items,
    Scope,
    Struct,
    always,
    is_set,
    items,
    shorten,
    struct,
    structs,
    text,
)
from vllm_kustomize.apiserver.metadata import object_meta
from vllm_kustomize.apiserver.resources import (
    CONTAINER_RESOURCES,
    HUGE_PAGES,
    STANDARD_RESOURCES,
    amount,
    resource_name,
)

FAMILY = "quota"

SCOPES = (
    "Terminating",
    "NotTerminating",
    "BestEffort",
    "NotBestEffort",
    "PriorityClass",
    "CrossNamespacePodAffinity",
    "VolumeAttributesClass",
)
EXISTS_ONLY = frozenset(SCOPES) - {"PriorityClass", "VolumeAttributesClass"}
COMPUTE = frozenset(
    {
        "cpu",
        "memory",
        "ephemeral-storage",
        "requests.cpu",
        "requests.memory",
        "requests.ephemeral-storage",
        "limits.cpu",
        "limits.memory",
        "limits.ephemeral-storage",
        "pods",
    }
)
CONFLICTS = ({"BestEffort", "NotBestEffort"}, {"Terminating", "NotTerminating"})


def quota_resource(name: str) -> str:
    """A resource that a quota can limit."""
    unknown = "is no resource that a quota can limit"
    if "/" in name:
        return names.qualified_name(name)
    if name.startswith(("requests." + HUGE_PAGES, HUGE_PAGES)):
        return names.qualified_name(name)
    if message := resource_name(name):
        return message
    return "" if name in STANDARD_RESOURCES - {"storage"} else f'"{name}" {unknown}'


def hard(value: Any, scope: Scope) -> Iterator[Fault]:
    """Names and amounts of a quota."""
    for name, given in struct(value, "hard").items():
        path = ("hard", str(name))
        if message := quota_resource(str(name)):
            yield Fault(path, message)
        if message := amount(
            str(name).removeprefix("requests.") if "/" not in str(name) else str(name), given
        ):
            yield Fault(path, message)


def scopes(value: Any, scope: Scope) -> Iterator[Fault]:
    """Scopes are known, fit the resources, and each other."""
    named = [item for item in items(value, "scopes") if isinstance(item, (str, type(None)))]
    yield from _scopes(value, [item or "" for item in named], ("scopes",))
    selector = value.get("scopeSelector")
    if not isinstance(selector, Mapping):
        return
    path = ("scopeSelector", "matchExpressions")
    expressions = list(structs(selector, "matchExpressions"))
    yield from _scopes(value, [text(item, "scopeName") for _, item in expressions], path)
    for _, expression in expressions:
        yield from _scope_expression(expression)


def _scopes(value: Any, named: list[str], path: tuple[str, ...]) -> Iterator[Fault]:
    for name in named:
        if name not in SCOPES:
            where = (*path, "scopeName") if len(path) > 1 else path
            yield Fault(where, f"{shorten(name)} is not a scope; use one of {', '.join(SCOPES)}")
        for resource in struct(value, "hard"):
            if name in SCOPES and not _fits(name, str(resource)):
                yield Fault(path, f"scope {name} cannot apply to {shorten(resource)}")
    for pair in CONFLICTS:
        if pair <= set(named):
            yield Fault(path, f"{' and '.join(sorted(pair))} exclude each other")


def _fits(scope: str, resource: str) -> bool:
    if scope == "BestEffort":
        return resource == "pods"
    if scope == "VolumeAttributesClass":
        return resource in ("requests.storage", "persistentvolumeclaims") or ".storageclass." in resource
    extended = "/" in resource or resource.startswith((HUGE_PAGES, "requests." + HUGE_PAGES))
    return resource in COMPUTE or extended


def _scope_expression(expression: Mapping[Any, Any]) -> Iterator[Fault]:
    base = ("scopeSelector", "matchExpressions")
    operator, name, values = (
        text(expression, "operator"),
        text(expression, "scopeName"),
        items(expression, "values"),
    )
    if name in EXISTS_ONLY and operator != "Exists":
        yield Fault((*base, "operator"), f"must be Exists for scope {name}")
    elif operator not in ("In", "NotIn", "Exists", "DoesNotExist"):
        yield Fault((*base, "operator"), f"{shorten(operator)} is not an operator")
    if operator in ("In", "NotIn") and not values:
        yield Fault((*base, "values"), f"must hold at least one value for operator {operator}")
    if operator in ("Exists", "DoesNotExist") and values:
        yield Fault((*base, "values"), f"may not be set for operator {operator}")


LIMIT_TYPES = ("Pod", "Container", "PersistentVolumeClaim")
BOUNDS = ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")


def limit_resource(kind: str, name: str) -> str:
    """A resource that a limit of some type can bound."""
    if message := resource_name(name):
        return message
    of_containers = "/" in name or name in CONTAINER_RESOURCES or name.startswith(HUGE_PAGES)
    if kind in ("Pod", "Container") and not of_containers:
        return f'"{name}" is no resource of containers'
    return ""


def limit(value: Any, scope: Scope) -> Iterator[Fault]:
    """Bounds of one type: min ≤ defaultRequest ≤ default ≤ max."""
    kind = value.get("type") or ""
    if not isinstance(kind, str):
        return
    if message := names.qualified_name(kind):
        yield Fault(("type",), message)
    elif "/" not in kind and kind not in LIMIT_TYPES:
        yield Fault(("type",), f"{shorten(kind)} is not supported; use one of {', '.join(LIMIT_TYPES)}")
    bounds = {field: struct(value, field) for field in BOUNDS}
    if kind == "Pod":
        for field in ("default", "defaultRequest"):
            if bounds[field]:
                yield Fault((field,), "may not be set where type is Pod")
    if kind == "PersistentVolumeClaim" and not ({"storage"} & {*bounds["min"], *bounds["max"]}):
        for field in ("min", "max"):
            if is_set(value, field) or not (bounds["min"] or bounds["max"]):
                yield Fault((), "needs a minimum or maximum of storage")
                break
    for field, amounts in bounds.items():
        for name, given in amounts.items():
            if message := limit_resource(kind, str(name)):
                yield Fault((field, str(name)), message)
            if quantity.of(given) is None and isinstance(given, str):
                yield Fault((field, str(name)), f"{shorten(given)} {quantity.MALFORMED}")
    effective = _with_defaults(kind, bounds)
    for name in {str(name) for amounts in bounds.values() for name in amounts}:
        yield from _ordered(name, kind, effective)


def _with_defaults(kind: str, bounds: Mapping[str, Mapping[Any, Any]]) -> Mapping[str, Mapping[Any, Any]]:
    """What the server fills in for containers: a default from max, a default request from default or min."""
    if kind != "Container":
        return bounds
    default = {**bounds["max"], **bounds["default"]}
    request = {**default, **bounds["min"], **bounds["defaultRequest"]}
    for name in default:
        if name not in bounds["defaultRequest"]:
            request[name] = bounds["default"].get(name, bounds["min"].get(name, default[name]))
    return {**bounds, "default": default, "defaultRequest": request}


ORDER = (
    ("min", "max", ("min",)),
    ("min", "default", ("default",)),
    ("min", "defaultRequest", ("defaultRequest",)),
    ("defaultRequest", "max", ("defaultRequest",)),
    ("defaultRequest", "default", ("defaultRequest",)),
    ("default", "max", ("default",)),
)


def _ordered(name: str, kind: str, bounds: Mapping[str, Mapping[Any, Any]]) -> Iterator[Fault]:
    amounts = {field: quantity.of(found[name]) for field, found in bounds.items() if name in found}
    for low, high, path in ORDER:
        lower, upper = amounts.get(low), amounts.get(high)
        if kind == "Pod" and {low, high} & {"default", "defaultRequest"}:
            continue
        if lower is not None and upper is not None and lower > upper:
            yield Fault((*path, name), f"{low} {bounds[low][name]} is more than {high} {bounds[high][name]}")
    ratio, least, most = amounts.get("maxLimitRequestRatio"), amounts.get("min"), amounts.get("max")
    at = ("maxLimitRequestRatio", name)
    if ratio is not None and ratio < 1:
        yield Fault(at, f"is {bounds['maxLimitRequestRatio'][name]}, but must be at least 1")
    if ratio is not None and least and most is not None and ratio > most / least:
        yield Fault(at, "is more than max divided by min")
    if ratio is not None and ratio > 1 and (least is None or most is None) and name not in ("cpu", "memory"):
        return
    default, request = amounts.get("default"), amounts.get("defaultRequest")
    overcommit = "/" not in name or "kubernetes.io/" in name
    if not overcommit and default is not None and request is not None and default != request:
        yield Fault(("defaultRequest", name), f"must equal the default of {name}")


def types_unique(value: Any, scope: Scope) -> Iterator[Fault]:
    """One entry a type."""
    seen: set[str] = set()
    for index, entry in enumerate(value):
        kind = text(entry, "type")
        if kind and kind in seen:
            yield Fault((index, "type"), f"{shorten(kind)} is there twice")
        seen.add(kind)


KINDS: Mapping[str, Struct] = {
    "ResourceQuota": Struct(
        FAMILY,
        {"metadata": always(object_meta()), "spec": Struct(FAMILY, {}, hard, scopes)},
    ),
    "LimitRange": Struct(
        FAMILY,
        {
            "metadata": object_meta(generated=True),
            "spec": Struct(FAMILY, {"limits": Items(FAMILY, Struct(FAMILY, {}, limit), types_unique)}),
        },
    ),
}
