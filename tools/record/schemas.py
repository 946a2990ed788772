"""The schemas by which mutants are made: those of Kubernetes, and of custom resources."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate

Schema = Mapping[str, Any]
SchemaOf = Callable[[Mapping[str, Any]], Schema]
"""Gives the schema of an object."""


def property_of(schema: Schema, name: str) -> Schema:
    """The schema of a field."""
    found = schema.get("properties", {}).get(name) or schema.get("additionalProperties") or {}
    return resolved(found)


def resolved(schema: Any) -> Schema:
    """A part of a schema, where it may be a reference; empty where it is none."""
    if not isinstance(schema, Mapping):
        return {}
    reference = schema.get("$ref", "")
    return _definitions().get(reference.rpartition("/")[2], {}) if reference else schema


def published(manifest: Mapping[str, Any]) -> Schema:
    """The schema of an object of Kubernetes' own kinds, or an empty one."""
    group, _, version = manifest["apiVersion"].rpartition("/")
    wanted = {"group": group, "kind": manifest["kind"], "version": version}
    found = (
        schema
        for schema in _definitions().values()
        if wanted in schema.get("x-kubernetes-group-version-kind", ())
    )
    return next(found, {})


@cache
def _definitions() -> Mapping[str, Schema]:
    """The newest schemas that kubernetes-validate ships."""
    folder = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"
    files = folder.glob("v*-local-strict/_definitions.json")
    newest = max(
        files, key=lambda file: [int(part) for part in file.parent.name[1:].split("-")[0].split(".")]
    )
    definitions: Mapping[str, Schema] = json.loads(newest.read_bytes())["$defs"]
    return definitions
