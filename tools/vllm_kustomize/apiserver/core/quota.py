"""ResourceQuotas and LimitRanges.

Rules of pkg/apis/core/validation (ValidateResourceQuota, ValidateLimitRange).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vllm_kustomize.apiserver.core.resources import (
    HUGE_PAGES,
    STANDARD_RESOURCES,
    container_resource_name,
    may_overcommit,
    plain_amount,
    resource_name,
)
from vllm_kustomize.apiserver.framework.combinators import Family, Fault, Scope, Struct, always, structs
from vllm_kustomize.apiserver.framework.metadata import object_meta
from vllm_kustomize.kubernetes import names, quantity
from vllm_kustomize.kubernetes.fields import mapping, sequence, text
from vllm_kustomize.wording import join, quote

api = Family("quota")
API_VERSION = "v1"

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
        "requests.cpu",
        "requests.memory",
        "limits.cpu",
        "limits.memory",
        "pods",
    }
)
CONFLICTS = ({"BestEffort", "NotBestEffort"}, {"Terminating", "NotTerminating"})


def quota_resource(name: str) -> str:
    """A resource that a quota can limit."""
    unknown = "is not a resource that a quota can limit"
    if "/" in name:
        return names.qualified_name(name)
    if name.startswith(("requests." + HUGE_PAGES, HUGE_PAGES)):
        return names.qualified_name(name)
    if message := resource_name(name):
        return message
    return "" if name in STANDARD_RESOURCES - {"storage"} else f'"{name}" {unknown}'


def hard(value: Any, scope: Scope) -> Iterator[Fault]:
    """Names and amounts of a quota."""
    for name, given in mapping(value, "hard").items():
        path = ("hard", str(name))
        if message := quota_resource(str(name)):
            yield Fault(path, message)
        if message := plain_amount(str(name), given):
            yield Fault(path, message)


def scopes(value: Any, scope: Scope) -> Iterator[Fault]:
    """Scopes are known, fit the resources, and each other."""
    named = [item for item in sequence(value, "scopes") if isinstance(item, (str, type(None)))]
    yield from _scopes(value, [item or "" for item in named], ("scopes",))
    selector = value.get("scopeSelector")
    if not isinstance(selector, dict):
        return
    path = ("scopeSelector", "matchExpressions")
    expressions = list(structs(selector, "matchExpressions"))
    yield from _scopes(value, [text(item, "scopeName") for _, item in expressions], path)
    for _, expression in expressions:
        yield from _scope_expression(expression)


def _scopes(value: Any, named: list[str], path: tuple[str, ...]) -> Iterator[Fault]:
    for name in dict.fromkeys(named):
        if name not in SCOPES:
            where = (*path, "scopeName") if len(path) > 1 else path
            yield Fault(where, f"{quote(name)} is not a scope; use one of {', '.join(SCOPES)}")
        for resource in mapping(value, "hard"):
            if name in SCOPES and not _fits(name, str(resource)):
                yield Fault(path, f"scope {name} cannot apply to {quote(resource)}")
    for pair in CONFLICTS:
        if pair <= set(named):
            yield Fault(path, f"{join(sorted(pair))} exclude each other")


def _fits(scope: str, resource: str) -> bool:
    if "/" in resource or resource not in STANDARD_RESOURCES:
        return True
    if scope == "BestEffort":
        return resource == "pods"
    if scope == "VolumeAttributesClass":
        return resource in ("requests.storage", "persistentvolumeclaims")
    return resource in COMPUTE


def _scope_expression(expression: Mapping[Any, Any]) -> Iterator[Fault]:
    base = ("scopeSelector", "matchExpressions")
    operator, name, values = (
        text(expression, "operator"),
        text(expression, "scopeName"),
        sequence(expression, "values"),
    )
    if name in EXISTS_ONLY and operator != "Exists":
        yield Fault((*base, "operator"), f"must be Exists for scope {name}")
    elif operator not in ("In", "NotIn", "Exists", "DoesNotExist"):
        yield Fault((*base, "operator"), f"{quote(operator)} is not an operator")
    if operator in ("In", "NotIn") and not values:
        yield Fault((*base, "values"), f"must hold at least one value for operator {operator}")
    if operator in ("Exists", "DoesNotExist") and values:
        yield Fault((*base, "values"), f"may not be set for operator {operator}")


LIMIT_TYPES = ("Pod", "Container", "PersistentVolumeClaim")
BOUNDS = ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")


ORDER = (
    ("min", "max", "min"),
    ("min", "defaultRequest", "defaultRequest"),
    ("defaultRequest", "max", "defaultRequest"),
    ("defaultRequest", "default", "defaultRequest"),
    ("min", "default", "default"),
    ("default", "max", "default"),
)
"""What may not be more than what, and at which of the two the server says so."""

Bounds = Mapping[str, Mapping[Any, Any]]


def limit_type(value: Any, scope: Scope) -> Iterator[Fault]:
    """A limit is for a type, and a Pod's has no defaults."""
    kind = value.get("type") or ""
    if not isinstance(kind, str):
        return
    if message := names.qualified_name(kind):
        yield Fault(("type",), message)
    elif "/" not in kind and kind not in LIMIT_TYPES:
        yield Fault(("type",), f"{quote(kind)} is not supported; use one of {', '.join(LIMIT_TYPES)}")
    if kind == "Pod":
        for field in ("default", "defaultRequest"):
            if mapping(value, field):
                yield Fault((field,), "may not be set where type is Pod")
    if kind == "PersistentVolumeClaim" and "storage" not in {
        **mapping(value, "min"),
        **mapping(value, "max"),
    }:
        yield Fault(("limits",), "needs a minimum or maximum of storage", at=("type",))


def limit(value: Any, scope: Scope) -> Iterator[Fault]:
    """Names and amounts of a limit's bounds, and their order."""
    kind = text(value, "type")
    allowed = container_resource_name if kind in ("Pod", "Container") else resource_name
    given = {field: mapping(value, field) for field in BOUNDS}
    for field, amounts in given.items():
        for name, amount in amounts.items():
            if message := allowed(str(name)):
                yield Fault((field, str(name)), message)
            if quantity.of(amount) is None and isinstance(amount, str):
                yield Fault((field, str(name)), f"{quote(amount)} {quantity.MALFORMED}")
    if kind == "Pod":
        given.update(default={}, defaultRequest={})
    bounds = with_defaults(given) if kind == "Container" else given
    for name in dict.fromkeys(str(name) for amounts in bounds.values() for name in amounts):
        yield from _ordered(name, bounds)
        yield from _ratio(name, bounds)


def with_defaults(given: Bounds) -> Bounds:
    """What the server fills in for containers: default from max, default request from default or min."""
    default = {**given["max"], **given["default"]}
    return {
        **given,
        "default": default,
        "defaultRequest": {**given["min"], **default, **given["defaultRequest"]},
    }


def _ordered(name: str, bounds: Bounds) -> Iterator[Fault]:
    amounts = {field: quantity.of(found[name]) for field, found in bounds.items() if name in found}
    for low, high, field in ORDER:
        lower, upper = amounts.get(low), amounts.get(high)
        if lower is not None and upper is not None and lower > upper:
            message = f"{low} {bounds[low][name]} is more than {high} {bounds[high][name]}"
            yield Fault((field, name), message)
    default, request = amounts.get("default"), amounts.get("defaultRequest")
    if not may_overcommit(name) and default is not None and request is not None and default != request:
        yield Fault(("defaultRequest", name), f"must equal the default of {name}")


def _ratio(name: str, bounds: Bounds) -> Iterator[Fault]:
    ratio, least, most = (
        quantity.of(bounds[field].get(name, "?")) for field in ("maxLimitRequestRatio", "min", "max")
    )
    if ratio is None:
        return
    path = ("maxLimitRequestRatio", name)
    if ratio < 1:
        yield Fault(path, f"is {bounds['maxLimitRequestRatio'][name]}, but must be at least 1")
    if least and most is not None and ratio > most / least:
        yield Fault(path, "is more than max divided by min")


def types_unique(value: Any, scope: Scope) -> Iterator[Fault]:
    """One entry a type."""
    seen: set[str] = set()
    for index, entry in enumerate(value):
        kind = text(entry, "type")
        if kind and kind in seen:
            yield Fault((index, "type"), f"{quote(kind)} is there twice")
        seen.add(kind)


KINDS: Mapping[str, Struct] = {
    "ResourceQuota": api.struct(
        {"metadata": always(object_meta(counted=False)), "spec": api.struct({}, hard, scopes)},
    ),
    "LimitRange": api.struct(
        {
            "metadata": object_meta(generated=True, counted=False),
            "spec": api.struct({"limits": api.items(api.struct({}, limit_type, limit), types_unique)}),
        },
    ),
}
