"""PriorityClasses.

Rules of pkg/apis/scheduling/validation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vllm_kustomize.apiserver.framework.combinators import Family, Fault, Scope, Struct, always
from vllm_kustomize.apiserver.framework.metadata import object_meta
from vllm_kustomize.kubernetes.fields import is_integer, mapping, text

api = Family("policy")
API_VERSION = "scheduling.k8s.io/v1"
HIGHEST_PRIORITY = 1_000_000_000
SYSTEM_CLASSES = {"system-node-critical": 2_000_001_000, "system-cluster-critical": 2_000_000_000}


def priority(value: Any, scope: Scope) -> Iterator[Fault]:
    """Priorities above a thousand million are the system's own."""
    name, number = text(mapping(value, "metadata"), "name"), value.get("value", 0) or 0
    if name.startswith("system-"):
        if name not in SYSTEM_CLASSES or number != SYSTEM_CLASSES[name]:
            yield Fault(("metadata", "name"), "may not begin with system-; such classes are the system's own")
    elif is_integer(number) and number > HIGHEST_PRIORITY:
        yield Fault(("value",), f"is {number}, but must be at most {HIGHEST_PRIORITY}")


KINDS: Mapping[str, Struct] = {
    "PriorityClass": api.struct(
        {
            "metadata": always(object_meta(namespaced=False)),
            "preemptionPolicy": api.one_of("PreemptLowerPriority", "Never", empty=True),
        },
        priority,
    ),
}
