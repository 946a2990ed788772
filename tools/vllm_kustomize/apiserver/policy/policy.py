"""PodDisruptionBudgets and PriorityClasses.

Rules of pkg/apis/policy/validation and pkg/apis/scheduling/validation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vllm_kustomize.apiserver.apps.workloads import AT_MOST_ALL
from vllm_kustomize.apiserver.framework.combinators import Family, Fault, Scope, Struct, always
from vllm_kustomize.apiserver.framework.metadata import object_meta
from vllm_kustomize.apiserver.framework.selectors import SELECTOR
from vllm_kustomize.kubernetes import names
from vllm_kustomize.kubernetes.fields import is_set

api = Family("policy")
API_VERSION = "policy/v1"


def one_bound(value: Any, scope: Scope) -> Iterator[Fault]:
    """A budget says how many must stay, or how many may go."""
    if is_set(value, "minAvailable") and is_set(value, "maxUnavailable"):
        yield Fault((), "minAvailable and maxUnavailable exclude each other", at=("maxUnavailable",))


BUDGET = api.struct(
    {
        "minAvailable": AT_MOST_ALL,
        "maxUnavailable": AT_MOST_ALL,
        "unhealthyPodEvictionPolicy": api.one_of("AlwaysAllow", "IfHealthyBudget", empty=True),
        "selector": SELECTOR,
    },
    one_bound,
)


KINDS: Mapping[str, Struct] = {
    "PodDisruptionBudget": api.struct(
        {"metadata": always(object_meta(names.path_segment, custom=True)), "spec": BUDGET}
    ),
}
