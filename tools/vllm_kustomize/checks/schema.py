"""Types, required and unknown fields of every object, from the schemas that kubernetes-validate ships.

Each Kubernetes release publishes the fields of its kinds and their types. A misspelt field is dropped or
refused by the API server, a wrong type is always refused.

Bad:   replicas: "one"
Good:  replicas: 1
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

from vllm_kustomize.apiserver import covers
from vllm_kustomize.model import Error, FieldPath, KubernetesVersion, Manifest, Problem, Resource
from vllm_kustomize.wording import join

RULE = "schema"
_DEFINITIONS = "/api/_definitions.json#/$defs/"
_DEEPEST = 100
"""Levels of nesting that are looked at; the fields of Kubernetes' own kinds end before."""

_INTEGERS = {"int32": 31, "int64": 63}
_OWN_DEFINITIONS: dict[str, Any] = {
    # Both are written as one of two types in the published schemas, which null then fits twice.
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {"type": ["string", "number", "null"]},
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {
        "type": ["string", "integer", "null"],
        "minimum": -(2**31),
        "maximum": 2**31 - 1,
    },
}


@cache
def known_versions() -> tuple[KubernetesVersion, ...]:
    """The Kubernetes versions whose schemas are installed, oldest first."""
    folders = (folder.name.split("-")[0] for folder in _schemas().glob("v*-local-strict"))
    return tuple(sorted((int(major[1:]), int(minor)) for major, minor, _ in (f.split(".") for f in folders)))


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
    if isinstance(value, Mapping):
        if not depth:
            return {}
        return {
            key if isinstance(key, str) else _key(key): without_nulls(item, depth - 1)
            for key, item in value.items()
            if item is not None
        }
    if isinstance(value, list):
        return [without_nulls(item, depth - 1) for item in value] if depth else []
    if isinstance(value, str):
        # Half of a surrogate pair cannot be written as UTF-8; the server reads it as a replacement character.
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
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
    group, _, api = api_version.rpartition("/")
    # Files are named by the first label of the group, so another group's kind can have the same name.
    name = "-".join(part for part in (kind, group.split(".")[0], api) if part).lower()
    folder = _schemas() / f"v{version[0]}.{version[1]}.0-local-strict"
    try:
        schema = json.loads((folder / f"{name}.json").read_bytes())
    except (OSError, ValueError):
        return None
    if api_version not in schema.get("properties", {}).get("apiVersion", {}).get("enum", ()):
        return None
    # What must be set is known exactly for the kinds that the API-server checks cover.
    complete = _with_definitions(schema, _definitions(folder))
    return jsonschema_rs.Draft7Validator(_as_decoded(complete, keep_required=not covers(api_version, kind)))


@cache
def _definitions(folder: Path) -> dict[str, Any]:
    text = (folder / "_definitions.json").read_text(encoding="utf-8")
    definitions: dict[str, Any] = json.loads(text.replace(_DEFINITIONS, "#/$defs/"))["$defs"]
    return {**definitions, **_OWN_DEFINITIONS}


def _with_definitions(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """A schema with only the definitions that it leads to: compiling all takes longer than a build."""
    schema = json.loads(json.dumps(schema).replace(_DEFINITIONS, "#/$defs/"))
    needed: dict[str, Any] = {}
    waiting = list(_references(schema))
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed[name] = definitions[name]
            waiting.extend(_references(definitions[name]))
    return {**schema, "$defs": needed}


def _as_decoded(schema: Any, *, keep_required: bool) -> Any:
    """A schema that accepts what the API server's decoder accepts.

    Go drops null wherever it stands, takes a list of numbers for bytes (they are published as strings), and
    has integers of 32 and 64 bits.
    """
    if isinstance(schema, list):
        return [_as_decoded(item, keep_required=keep_required) for item in schema]
    if not isinstance(schema, dict):
        return schema
    # A name that leads to a mapping is a field's or a definition's, and no keyword of the schema.
    unwanted = {"description", "format"} if keep_required else {"description", "format", "required"}
    decoded = {
        key: _as_decoded(item, keep_required=keep_required)
        for key, item in schema.items()
        if key not in unwanted or isinstance(item, dict)
    }
    kind, form = schema.get("type"), schema.get("format")
    if isinstance(kind, (str, list)):
        types = {kind} if isinstance(kind, str) else set(kind)
        decoded["type"] = sorted(types | {"null"} | ({"array"} if form == "byte" else set()))
    if isinstance(form, str) and form in _INTEGERS:
        decoded["minimum"], decoded["maximum"] = -(2 ** _INTEGERS[form]), 2 ** _INTEGERS[form] - 1
    return decoded


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        reference = schema.get("$ref")
        if isinstance(reference, str):
            yield reference.removeprefix("#/$defs/")
        for value in schema.values():
            yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)


@cache
def _schemas() -> Path:
    from importlib.util import find_spec

    spec = find_spec("kubernetes_validate")
    if spec is None or spec.origin is None:
        raise Error("kubernetes-validate is not installed: run `pip install kubernetes-validate`")
    return Path(spec.origin).parent / "kubernetes-json-schema"
