"""The CEL rules of a schema, `x-kubernetes-validations`: which of them an object has to satisfy, and where.

Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/validation.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from vllm_kustomize.apiserver.custom.correlation import ABSENT, of_field, of_item, same
from vllm_kustomize.apiserver.custom.schema import Rule, Schema
from vllm_kustomize.model import FieldPath


class Due(NamedTuple):
    """A rule, the value that it is about and the old one (ABSENT where there is none).

    `root` is whether the value is a whole resource; `unchanged` whether it, or something around it, is as it
    was.
    """

    rule: Rule
    value: Any
    schema: Schema
    path: FieldPath
    root: bool
    old: Any
    unchanged: bool


def due(value: Any, schema: Schema, old: Any = ABSENT) -> Iterator[Due]:
    """Yield every rule that an object has to satisfy, against the object that it replaces if there is one."""
    return _due(value, schema, (), True, old, old is not ABSENT and same(value, old))


def _due(value: Any, schema: Schema, path: FieldPath, root: bool, old: Any, unchanged: bool) -> Iterator[Due]:
    if value is None:
        return
    for rule in schema.rules:
        yield Due(rule, value, schema, path, root, old, unchanged)
    for part in schema.all_of:
        for rule in part.rules:
            yield Due(rule, value, schema, path, root, old, unchanged)
    if isinstance(value, dict):
        for name, item in value.items():
            child = schema.child(name)
            if child is not None:
                before = of_field(old, name)
                still = unchanged or (before is not ABSENT and same(item, before))
                yield from _due(item, child, (*path, name), child.embedded, before, still)
    elif isinstance(value, list) and schema.items is not None:
        for index, item in enumerate(value):
            before = of_item(old, item, schema)
            still = unchanged or (before is not ABSENT and same(item, before))
            yield from _due(item, schema.items, (*path, index), schema.items.embedded, before, still)
