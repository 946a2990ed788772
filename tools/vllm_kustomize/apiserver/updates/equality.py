"""Whether two values are the same to the API server, and where they first differ.

Its comparison (apiequality.Semantic.DeepEqual) is one of Go values: nothing, null, an empty text, list or map
and, in fields that are not pointers, zero are one; quantities are compared by what they amount to.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from vllm_kustomize.kubernetes import quantity
from vllm_kustomize.model import FieldPath

_MAPS = frozenset(
    {
        "annotations",
        "binaryData",
        "capacity",
        "data",
        "labels",
        "limits",
        "matchLabels",
        "metadata",
        "nodeSelector",
        "overhead",
        "parameters",
        "requests",
        "resources",
    }
)
"""Fields that are maps, or structs without a pointer: empty and absent are one."""

_STRUCTS = frozenset({"metadata", "resources"})
"""Structs without a pointer: one is as good as absent where all its fields are."""

_POINTERS = frozenset({"apiGroup", "storageClassName", "volumeAttributesClassName"})
"""Texts whose emptiness says something."""

_NUMBERS = frozenset(
    {
        "containerPort",
        "failureThreshold",
        "generation",
        "globalDefault",
        "healthCheckNodePort",
        "hostIPC",
        "hostNetwork",
        "hostPID",
        "hostPort",
        "initialDelaySeconds",
        "maxSkew",
        "nodePort",
        "periodSeconds",
        "publishNotReadyAddresses",
        "readOnly",
        "seconds",
        "stdin",
        "stdinOnce",
        "successThreshold",
        "tty",
        "weight",
    }
)
"""Numbers and booleans that are not pointers (k8s.io/api/core/v1/types.go): zero and absent are one."""

_QUANTITIES = frozenset({"capacity", "limits", "overhead", "requests", "sizeLimit", "divisor"})
"""Maps of quantities, and fields that are one."""


class Change(NamedTuple):
    """A field that is not what it was; None stands for absent."""

    path: FieldPath
    old: Any
    new: Any


def changes(old: Any, new: Any, path: FieldPath = ()) -> Iterator[Change]:
    """Yield the fields, as deep down as possible, in which two values differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in dict.fromkeys((*old, *new)):
            before, after = _seen(name, old.get(name)), _seen(name, new.get(name))
            yield from changes(before, after, (*path, name))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from changes(before, after, (*path, index))
    elif not _same(old, new, path):
        yield Change(path, old, new)


def is_same(old: Any, new: Any, name: str = "") -> bool:
    """Whether two values of a field are the same to the API server."""
    return next(changes(_seen(name, old), _seen(name, new), (name,)), None) is None


def _seen(name: object, value: Any) -> Any:
    """The value as Go sees it: None where it is as good as absent."""
    if value is None or value == [] or (value == "" and name not in _POINTERS):
        return None
    if isinstance(value, dict):
        empty = not value or (name in _STRUCTS and all(_seen(*item) is None for item in value.items()))
        return None if empty and name in _MAPS else value
    if name in _NUMBERS and (value is False or value == 0):
        return None
    return value


def _same(old: Any, new: Any, path: FieldPath) -> bool:
    if type(old) is bool or type(new) is bool:
        return old is new
    if old == new:
        return True
    if old is None or new is None or not any(step in _QUANTITIES for step in path[-2:]):
        return False
    before, after = quantity.of(_trimmed(old)), quantity.of(_trimmed(new))
    return before is not None and before == after


def _trimmed(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value
