"""What the server makes of an object before it judges it: unknown fields, null and defaults.

The steps and their order are those of k8s.io/apiextensions-apiserver
(pkg/apiserver/customresource_handler.go, schema/pruning, schema/defaulting): a field that the schema does not
know is refused under strict field validation, null where the schema does not allow it is dropped, and only
then are defaults filled in.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from vllm_kustomize.apiserver.custom.schema import NOTHING, Schema
from vllm_kustomize.model import FieldPath

DEEPEST = 100
"""Levels of nesting that are looked at; below, an object counts as empty."""

META = ("apiVersion", "kind", "metadata")
"""The fields that every object may have, whatever its schema says."""

_INT64 = 2**63


def decode(
    manifest: Mapping[Any, Any], schema: Schema, *, root: bool = True, defaults: bool = True
) -> tuple[dict[str, Any], list[FieldPath]]:
    """The object as it comes to be judged, in new containers, and the paths of its unknown fields.

    `root` is whether it is an object with `apiVersion`, `kind` and `metadata`; without `defaults` it is as it
    was sent.
    """
    unknown: list[FieldPath] = []
    decoded = _read(manifest, schema, (), unknown, root=root)
    _drop_nulls(decoded, schema)
    if defaults:
        fill_defaults(decoded, schema)
    return decoded, unknown


def _read(
    value: Any,
    schema: Schema | None,
    path: FieldPath,
    unknown: list[FieldPath],
    *,
    root: bool = False,
    kept: bool = False,
) -> Any:
    """Copy a value as JSON has it, without the fields that a schema does not know.

    `kept` is set for the items of a list that preserves unknown fields: they do so too.
    """
    if isinstance(value, Mapping):
        if len(path) >= DEEPEST:
            return {}
        kept = kept or (schema is not None and schema.preserve)
        return _read_fields(value, schema, path, unknown, root, kept)
    if isinstance(value, list):
        if len(path) >= DEEPEST:
            return []
        kept = schema is not None and schema.preserve
        items = schema.items if schema else None
        if kept and items is None:
            items = _ANYTHING
        return [_read(item, items, (*path, index), unknown, kept=kept) for index, item in enumerate(value)]
    return _scalar(value)


_ANYTHING = Schema(preserve=True)
"""Where nothing is unknown: below a field that preserves what the schema does not say."""


def _read_fields(
    value: Mapping[Any, Any],
    schema: Schema | None,
    path: FieldPath,
    unknown: list[FieldPath],
    root: bool,
    kept: bool,
) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, item in value.items():
        name = key if isinstance(key, str) else _key(key)
        below = _schema_below(schema, name, root, kept)
        if below is NOTHING:
            unknown.append((*path, name))
        else:
            result[name] = _read(item, below, (*path, name), unknown)
    return result


def _schema_below(schema: Schema | None, name: str, root: bool, kept: bool) -> Schema | None:
    """The schema of a field; NOTHING where it is unknown, None where a map takes anything."""
    if schema is None:
        return NOTHING
    if (root or schema.embedded) and name in META:
        return _ANYTHING
    if name in schema.fields.raw:
        return schema.fields[name]
    if schema.additional is True:
        # The server prunes on with no schema at all: scalars stay, the fields of objects do not.
        return None
    return schema.additional or (_ANYTHING if kept else NOTHING)


def _key(key: object) -> str:
    """A mapping's key as JSON writes it."""
    return {True: "true", False: "false", None: "null"}[key] if key in (True, False, None) else str(key)


def _scalar(value: Any) -> Any:
    """A scalar as the server's JSON decoder reads it: whole numbers that fit are int64, others float64."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if -_INT64 <= value < _INT64 else _float(value)
    if isinstance(value, float):
        whole = value.is_integer() and -_INT64 <= value < _INT64
        return int(value) if whole else value
    return str(value)


def _float(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _drop_nulls(value: Any, schema: Schema | None) -> None:
    """Drop null from fields that are neither nullable nor have a default."""
    if schema is None:
        return
    if isinstance(value, dict):
        for name in tuple(value):
            child = schema.child(name)
            item = value[name]
            if item is None:
                if child is not None and not child.nullable and child.default is None:
                    del value[name]
            elif isinstance(item, (dict, list)):
                _drop_nulls(item, child)
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, (dict, list)):
                _drop_nulls(item, schema.items)


def fill_defaults(value: Any, schema: Schema | None) -> None:
    """Fill in defaults, where a field is absent or null and not nullable, in place."""
    if schema is None:
        return
    if isinstance(value, dict):
        for name, default in schema.defaults.items():
            if name not in value or (value[name] is None and not schema.fields[name].nullable):
                value[name] = deepcopy(default)
        for name, item in value.items():
            child = schema.child(name)
            if child is None:
                continue
            if item is None and name not in schema.fields.raw and not child.nullable:
                item = value[name] = deepcopy(child.default)
            if isinstance(item, (dict, list)):
                fill_defaults(item, child)
    elif isinstance(value, list) and schema.items is not None:
        for index, item in enumerate(value):
            if item is None and not schema.items.nullable:
                item = value[index] = deepcopy(schema.items.default)
            if isinstance(item, (dict, list)):
                fill_defaults(item, schema.items)
