"""HorizontalPodAutoscalers, autoscaling/v2.

Rules of pkg/apis/autoscaling/validation, after the defaults of pkg/apis/autoscaling/v2/defaults.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vllm_kustomize.apiserver.framework.combinators import (
    AllOf,
    Family,
    Fault,
    Scope,
    Struct,
    always,
    required,
)
from vllm_kustomize.apiserver.framework.metadata import object_meta
from vllm_kustomize.apiserver.framework.quantity import QUANTITY, well_formed
from vllm_kustomize.kubernetes import names, quantity
from vllm_kustomize.kubernetes.fields import is_integer, is_set, mapping, number, sequence, text
from vllm_kustomize.model import Severity
from vllm_kustomize.wording import quote

api = Family("autoscaling")
API_VERSION = "autoscaling/v2"
WINDOW_LIMIT = 3600
PERIOD_LIMIT = 1800

SEGMENT = api.text(names.path_segment)


def parses(value: Any, scope: Scope) -> Iterator[Fault]:
    """An apiVersion is a version, or a group and a version; Kubernetes 1.34 began to look."""
    found = text(value, "apiVersion")
    if found.count("/") > 1:
        yield _unusable(scope, f"{quote(found)} is not an apiVersion such as apps/v1")


def names_group(value: Any, scope: Scope) -> Iterator[Fault]:
    """What can be scaled has a group, but for ReplicationControllers."""
    found = value.get("apiVersion") or ""
    if isinstance(found, str) and text(value, "kind") != "ReplicationController":
        group, slash, _ = found.partition("/")
        if not slash or not group:
            yield _unusable(scope, "needs a group and a version, such as apps/v1")


def _unusable(scope: Scope, message: str) -> Fault:
    severity = Severity.ERROR if scope.stricter_since((1, 34)) else Severity.WARNING
    return Fault(("apiVersion",), message, severity)


REFERENCE = api.struct({"kind": required(SEGMENT), "name": required(SEGMENT)}, parses)
TARGET_REFERENCE = AllOf(REFERENCE, api.struct({}, names_group))
METRIC = api.struct({"name": required(SEGMENT, "needs the metric's name")})

SOURCES: Mapping[str, str] = {
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
    "ContainerResource": "containerResource",
    "External": "external",
}
TARGET_TYPES = ("Utilization", "Value", "AverageValue")


def target(value: Any, scope: Scope) -> Iterator[Fault]:
    """A target has a type, and no value of zero or less."""
    kind = value.get("type") or ""
    if isinstance(kind, str) and kind not in TARGET_TYPES:
        message = f"{quote(kind)} is not supported; use one of {', '.join(TARGET_TYPES)}"
        yield Fault(("type",), message if kind else f"is required: one of {', '.join(TARGET_TYPES)}")
    for field in ("value", "averageValue"):
        amount = quantity.of(value.get(field))
        if is_set(value, field) and amount is not None and amount <= 0:
            yield Fault((field,), "must be greater than 0")
    utilization = value.get("averageUtilization")
    if is_integer(utilization) and utilization < 1:
        yield Fault(("averageUtilization",), "must be greater than 0")


TARGET = api.struct({"value": QUANTITY, "averageValue": QUANTITY}, target)


def needs(*fields: str, named: str) -> Any:
    """A rule: the target has one of the fields; the server asks for `named` where it has none."""

    def rule(value: Any, scope: Scope) -> Iterator[Fault]:
        found = value.get("target")
        if isinstance(found, (dict, type(None))) and not any(is_set(found, field) for field in fields):
            yield Fault(("target", named), f"is required, or one of {', '.join(fields)}")

    return rule


def not_both(value: Any, scope: Scope) -> Iterator[Fault]:
    """A resource is measured against a share or an amount."""
    found = mapping(value, "target")
    if is_set(found, "averageUtilization") and is_set(found, "averageValue"):
        yield Fault(("target", "averageValue"), "averageValue and averageUtilization exclude each other")


def not_both_values(value: Any, scope: Scope) -> Iterator[Fault]:
    """An external metric is measured in all or per pod."""
    found = mapping(value, "target")
    if is_set(found, "value") and is_set(found, "averageValue"):
        yield Fault(("target", "value"), "value and averageValue exclude each other")


RESOURCE_NAME = required(api.text(), "needs the resource's name")
METRIC_FIELDS = {"metric": always(METRIC), "target": always(TARGET)}
METRICS = {
    "object": api.struct(
        {**METRIC_FIELDS, "describedObject": always(REFERENCE)},
        needs("value", "averageValue", named="averageValue"),
    ),
    "pods": api.struct(METRIC_FIELDS, needs("averageValue", named="averageValue")),
    "resource": api.struct(
        {"name": RESOURCE_NAME, "target": always(TARGET)},
        needs("averageUtilization", "averageValue", named="averageUtilization"),
        not_both,
    ),
    "containerResource": api.struct(
        {"name": RESOURCE_NAME, "container": required(api.text()), "target": always(TARGET)},
        needs("averageUtilization", "averageValue", named="averageUtilization"),
        not_both,
    ),
    "external": api.struct(
        METRIC_FIELDS, needs("value", "averageValue", named="averageValue"), not_both_values
    ),
}


def metric_type(value: Any, scope: Scope) -> Iterator[Fault]:
    """A metric has one source, the one that its type names."""
    kind = value.get("type") or ""
    if not isinstance(kind, str):
        return
    expected = SOURCES.get(kind)
    if expected is None:
        yield Fault(("type",), f"{quote(kind)} is not supported; use one of {', '.join(sorted(SOURCES))}")
    for source in SOURCES.values():
        if source == expected and not is_set(value, source):
            yield Fault((source,), f"is required where type is {kind}")
        elif source != expected and is_set(value, source):
            yield Fault((source,), f"may not be set where type is {quote(kind)}")


POLICY = api.struct(
    {
        "type": always(api.one_of("Pods", "Percent", empty=True)),
        "value": always(api.number(1)),
        "periodSeconds": always(api.number(1, PERIOD_LIMIT)),
    },
)


def some_policies(value: Any, scope: Scope) -> Iterator[Fault]:
    """Rules without policies could not scale; where the list is absent the server fills it."""
    if value.get("policies") == []:
        yield Fault(("policies",), "needs at least one policy; leave it out for the default ones")


def not_negative(value: Any, scope: Scope) -> Iterator[Fault]:
    """How far off a metric may be is a size."""
    tolerance = quantity.of(value)
    if tolerance is not None and tolerance < 0 and scope.stricter_since((1, 35)):
        yield Fault((), "may not be negative")


TOLERANCE = api.value(well_formed, not_negative)
SCALING_RULES = api.struct(
    {
        "stabilizationWindowSeconds": api.number(0, WINDOW_LIMIT),
        "selectPolicy": api.one_of("Max", "Min", "Disabled", empty=True),
        "policies": api.items(POLICY),
        "tolerance": TOLERANCE,
    },
    some_policies,
)


def replicas(value: Any, scope: Scope) -> Iterator[Fault]:
    """There is a range to scale in."""
    least, most = value.get("minReplicas"), number(value, "maxReplicas")
    if is_integer(least) and least < 1:
        external = any(
            text(metric, "type") in ("Object", "External") for metric in sequence(value, "metrics")
        )
        if least < 0 or (scope.known and not _may_scale_to_zero(scope)):
            yield Fault(("minReplicas",), f"is {least}, but must be at least 1")
        elif not external:
            yield Fault(("metrics",), "needs an Object or External metric to scale to 0 replicas")
    found = value.get("maxReplicas")
    if found is not None and not is_integer(found):
        return
    if most < 1:
        yield Fault(("maxReplicas",), "is required, and must be at least 1")
    elif is_integer(least) and most < least:
        yield Fault(("maxReplicas",), f"is {most}, but must be at least minReplicas, {least}")


def _may_scale_to_zero(scope: Scope) -> bool:
    """Whether the HPAScaleToZero feature is on by default."""
    return not scope.stricter_before((1, 37))


SPEC = api.struct(
    {
        "scaleTargetRef": always(TARGET_REFERENCE),
        "metrics": api.items(api.struct(METRICS, metric_type)),
        "behavior": api.struct({"scaleUp": SCALING_RULES, "scaleDown": SCALING_RULES}),
    },
    replicas,
)
KINDS: Mapping[str, Struct] = {
    "HorizontalPodAutoscaler": api.struct({"metadata": always(object_meta()), "spec": always(SPEC)})
}
