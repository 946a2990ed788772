"""A field has the wrong type, is missing, or is unknown to the schemas that Kubernetes publishes.

Each Kubernetes release publishes the fields of its kinds and their types. A misspelt field is dropped or
refused by the API server, a wrong type is always refused.

Bad:   replicas: "one"
Good:  replicas: 1
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema_rs

from vllm_kustomize.checks.published import TIME, schema_of
from vllm_kustomize.model import FieldPath, KubernetesVersion, Manifest, Problem, Resource
from vllm_kustomize.wording import join, quote

RULE = "schema"
_DEEPEST = 100
"""Levels of nesting that are looked at; the fields of Kubernetes' own kinds end before."""


def check(resource: Resource, version: KubernetesVersion) -> Iterator[Problem] | None:
    """Yield every type error, missing required field and unknown field; None where there is no schema."""
    validator = _validator(resource.api_version, resource.kind, version)
    return None if validator is None else schema_problems(validator, resource.manifest)


def schema_problems(validator: jsonschema_rs.Draft7Validator, manifest: Manifest) -> Iterator[Problem]:
    """Yield one problem for each error that a compiled schema finds in an object."""
    for error in validator.iter_errors(without_nulls(manifest)):
        yield from _problems(error)


def without_nulls(value: Any, depth: int = _DEEPEST) -> Any:
    """Drop null from mappings, as the API server's decoder does, and what is nested too deep to matter."""
    if isinstance(value, str):
        # Half of a surrogate pair cannot be written as UTF-8; the server reads it as a replacement character.
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        if not depth:
            return {}
        return {
            key if isinstance(key, str) else _key(key): without_nulls(item, depth - 1)
            for key, item in value.items()
            if item is not None
        }
    if isinstance(value, list):
        return [without_nulls(item, depth - 1) for item in value] if depth else []
    return value if isinstance(value, (int, float, type(None))) else str(value)


def _key(key: object) -> str:
    """A mapping's key as it is written in JSON."""
    return {True: "true", False: "false", None: "null"}[key] if key in (True, False, None) else str(key)


def _problems(error: jsonschema_rs.ValidationError) -> Iterator[Problem]:
    path: FieldPath = tuple(error.instance_path)
    kind = error.kind
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.AdditionalProperties):
        for name in kind.unexpected:
            yield Problem((*path, name), "unknown field", RULE)
    elif isinstance(kind, jsonschema_rs.ValidationErrorKind.Required):
        yield Problem(path, f"the required field '{kind.property}' is missing", RULE)
    elif isinstance(kind, jsonschema_rs.ValidationErrorKind.Type):
        wanted = join([name for name in kind.types if name != "null"], "or")
        yield Problem(path, f"must be of type {wanted}, but is {_type_name(error.instance)}", RULE)
    elif isinstance(kind, jsonschema_rs.ValidationErrorKind.Pattern) and kind.pattern == TIME:
        yield Problem(path, f"{quote(error.instance)} is not a time such as 2026-01-31T12:00:00Z", RULE)
    elif isinstance(
        kind, (jsonschema_rs.ValidationErrorKind.Minimum, jsonschema_rs.ValidationErrorKind.Maximum)
    ):
        yield Problem(path, f"is {error.instance}, beyond {kind.limit}, the last number that fits", RULE)
    else:
        yield Problem(path, _without_value(error), RULE)


def _without_value(error: jsonschema_rs.ValidationError) -> str:
    """The library's sentence, less the value that it begins with: that may be a secret."""
    return f"does not fit the schema ({error.kind.name})"


def _type_name(value: object) -> str:
    names = {bool: "a boolean", int: "an integer", float: "a number", str: "a string", list: "a list"}
    return names.get(type(value), "a mapping")


@cache
def _validator(
    api_version: str, kind: str, version: KubernetesVersion
) -> jsonschema_rs.Draft7Validator | None:
    schema = schema_of(api_version, kind, version)
    return None if schema is None else jsonschema_rs.Draft7Validator(schema)
