"""StorageClasses, and what claims and volumes have to satisfy.

Rules of pkg/apis/storage/validation and, for claims and volumes, of pkg/apis/core/validation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vllm_kustomize.apiserver.framework.combinators import (
    Family,
    Fault,
    Scope,
    Struct,
    always,
    duplicates,
    required,
    structs,
)
from vllm_kustomize.apiserver.framework.metadata import byte_length, object_meta
from vllm_kustomize.kubernetes import names
from vllm_kustomize.kubernetes.fields import sequence
from vllm_kustomize.wording import quote

api = Family("storage")
API_VERSION = "storage.k8s.io/v1"


def provisioner(value: str) -> str:
    """The name of what makes volumes, in any case."""
    return names.qualified_name(value.lower())


def parameters(value: Any, scope: Scope) -> Iterator[Fault]:
    """Parameters have limits in number and size."""
    if len(value) > 512:
        yield Fault((), f"hold {len(value)} entries, but may hold at most 512")
    size = 0
    for key, content in value.items():
        if key == "":
            yield Fault((), "may not have an empty key")
        size += byte_length(str(key)) + (byte_length(content) if isinstance(content, str) else 0)
    if size > 256 * 1024:
        yield Fault((), f"hold {size} bytes, but may hold at most 262144")


def topologies(value: Any, scope: Scope) -> Iterator[Fault]:
    """Topology terms name labels and values, each once."""
    seen: set[Any] = set()
    for index, term in structs({"terms": value}, "terms"):
        keys: dict[str, frozenset[str]] = {}
        for place, expression in structs(term, "matchLabelExpressions"):
            base = (index, "matchLabelExpressions", place)
            key, values = expression.get("key") or "", sequence(expression, "values")
            if not values:
                yield Fault((*base, "values"), "is required")
            for fault in duplicates(values, ""):
                yield Fault((*base, "values", *fault.path), fault.message)
            if isinstance(key, str) and (message := names.qualified_name(key)):
                yield Fault((*base, "key"), message)
            if key in keys:
                yield Fault((*base, "key"), f"{quote(key)} is there twice")
            keys[str(key)] = frozenset(map(str, values))
        same = frozenset(keys.items())
        if same in seen:
            yield Fault((index, "matchLabelExpressions"), "the term is there twice")
        seen.add(same)


KINDS: Mapping[str, Struct] = {
    "StorageClass": api.struct(
        {
            "metadata": always(object_meta(namespaced=False, counted=False)),
            "provisioner": required(api.text(provisioner)),
            "parameters": api.value(parameters, accepts=dict, zero={}),
            "reclaimPolicy": api.one_of("Delete", "Retain"),
            "volumeBindingMode": api.one_of("Immediate", "WaitForFirstConsumer", empty=True),
            "allowedTopologies": api.value(topologies, accepts=list, zero=()),
        },
    ),
}
