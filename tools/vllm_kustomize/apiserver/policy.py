"""PodDisruptionBudgets and PriorityClasses.

Rules of pkg/apis/policy/validation and pkg/apis/scheduling/validation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vllm_kustomize.apiserver import names
from vllm_kustomize.apiserver.combinators import (
    Fault,
    Scope,
    Struct,
    always,
    is_integer,
    is_set,
    one_of,
    struct,
    text,
)
from vllm_kustomize.apiserver.metadata import object_meta
from vllm_kustomize.apiserver.selectors import SELECTOR
from vllm_kustomize.apiserver.workloads import AT_MOST_ALL

FAMILY = "policy"
HIGHEST_PRIORITY = 1_000_000_000
SYSTEM_CLASSES = {"system-node-critical": 2_000_001_000, "system-cluster-critical": 2_000_000_000}


def one_bound(value: Any, scope: Scope) -> Iterator[Fault]:
    """A budget says how many must stay, or how many may go."""
    if is_set(value, "minAvailable") and is_set(value, "maxUnavailable"):
        yield Fault((), "minAvailable and maxUnavailable exclude each other", at=("maxUnavailable",))


BUDGET = Struct(
    FAMILY,
    {
        "minAvailable": AT_MOST_ALL,
        "maxUnavailable": AT_MOST_ALL,
        "unhealthyPodEvictionPolicy": one_of(FAMILY, "AlwaysAllow", "IfHealthyBudget", empty=True),
        "selector": SELECTOR,
    },
    one_bound,
)


def priority(value: Any, scope: Scope) -> Iterator[Fault]:
    """Priorities above a thousand million are the system's own."""
    name, number = text(struct(value, "metadata"), "name"), value.get("value", 0) or 0
    if name.startswith("system-"):
        if name not in SYSTEM_CLASSES or number != SYSTEM_CLASSES[name]:
            yield Fault(("metadata", "name"), "may not begin with system-; such classes are the system's own")
    elif is_integer(number) and number > HIGHEST_PRIORITY:
        yield Fault(("value",), f"is {number}, but must be at most {HIGHEST_PRIORITY}")


KINDS: Mapping[str, Struct] = {
    "PodDisruptionBudget": Struct(
        FAMILY, {"metadata": always(object_meta(names.path_segment, custom=True)), "spec": BUDGET}
    ),
    "PriorityClass": Struct(
        FAMILY,
        {
            "metadata": always(object_meta(namespaced=False)),
            "preemptionPolicy": one_of(FAMILY, "PreemptLowerPriority", "Never", empty=True),
        },
        priority,
    ),
}
