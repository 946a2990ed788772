"""Schemas for custom resources, from a folder of CRDs or of JSON schemas that the user names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

from vllm_kustomize.kustomize.discover import display_path
from vllm_kustomize.kustomize.yaml.reader import parse_json, parse_yaml, read_bytes
from vllm_kustomize.model import Error, Resource

_YAML = (".yaml", ".yml")
_INLINE_FLAGS = re.compile(r"\(\?([imsU]+)\)(.*)", re.DOTALL)


@cache
def validator_for(
    locations: tuple[Path, ...], api_version: str, kind: str
) -> jsonschema_rs.Draft7Validator | None:
    """Find and compile the schema of a custom resource, or None where no location has one.

    A location holds CustomResourceDefinitions in YAML files (any layout), or JSON schemas named as users of
    kubeconform name them: `<kind>-<group's first label>-<version>.json`, `<group>/<kind>_<version>.json`.
    Raises `Error` where a location is no folder.
    """
    group, _, version = api_version.rpartition("/")
    for location in locations:
        schema = _from_json(location, group, version, kind) or _from_crds(location, group, version, kind)
        if schema:
            try:
                return jsonschema_rs.Draft7Validator(schema, pattern_options=jsonschema_rs.RegexOptions())
            except (jsonschema_rs.ValidationError, ValueError) as error:
                reason = str(error).partition("\n")[0]
                raise Error(f"the schema of {kind} in {display_path(location)} is broken: {reason}") from None
    return None


def is_custom(resource: Resource) -> bool:
    """Whether the object's group can only be a custom resource's: it has a dot and is not Kubernetes' own."""
    group = resource.api_version.rpartition("/")[0]
    return "." in group and not group.endswith(".k8s.io")


def _from_json(location: Path, group: str, version: str, kind: str) -> dict[str, Any] | None:
    kind = kind.lower()
    names = (f"{kind}-{group.split('.')[0]}-{version}.json", f"{group}/{kind}_{version}.json")
    for name in names:
        file = location / name
        if file.is_file():
            try:
                schema = parse_json(read_bytes(file))
            except ValueError as error:
                raise Error(f"{display_path(file)} is no JSON: {error}") from None
            return schema if isinstance(schema, dict) else None
    return None


def _from_crds(location: Path, group: str, version: str, kind: str) -> dict[str, Any] | None:
    named = re.compile(rf"^ +kind: [\"']?{re.escape(kind)}[\"']?\s*$", re.MULTILINE)
    for file, text in _crd_texts(location):
        if group not in text or not named.search(text):
            continue
        try:
            documents = parse_yaml(text)
        except ValueError as error:
            raise Error(f"{display_path(file)} is no YAML: {error}") from None
        for spec in (document.get("spec", {}) for document in documents if isinstance(document, dict)):
            if spec.get("group") == group and spec.get("names", {}).get("kind") == kind:
                for served in spec.get("versions", ()):
                    if served["name"] == version:
                        return _strict(served["schema"]["openAPIV3Schema"], root=True)
    return None


@cache
def _crd_texts(location: Path) -> tuple[tuple[Path, str], ...]:
    if not location.is_dir():
        raise Error(f"the schema location {location} is no folder")
    files = sorted(file for file in location.rglob("*") if file.suffix in _YAML and file.is_file())
    texts = ((file, read_bytes(file).decode("utf-8", "replace")) for file in files)
    return tuple((file, text) for file, text in texts if "CustomResourceDefinition" in text)


def _strict(schema: dict[str, Any], root: bool = False) -> dict[str, Any]:
    """Turn a structural schema into a JSON schema that says what the API server does with strict validation.

    Unknown fields are refused except where the schema preserves them; `x-kubernetes-int-or-string` and
    embedded resources are spelt out. Source: Kubernetes' documentation, "Specifying a structural schema".
    """
    result: dict[str, Any] = {key: value for key, value in schema.items() if not key.startswith("x-")}
    result.pop("nullable", None)  # nulls are gone before the check
    if schema.get("x-kubernetes-int-or-string"):
        result.pop("type", None)
        return {**result, "anyOf": [{"type": "integer"}, {"type": "string"}]}
    if isinstance(schema.get("pattern"), str):
        # Go, whose regular expressions the API server uses, lets a flag stand anywhere; JSON schemas do not.
        result["pattern"] = _INLINE_FLAGS.sub(r"(?\1:\2)", schema["pattern"])
    for key in ("items", "not"):
        if isinstance(schema.get(key), dict):
            result[key] = _strict(schema[key])
    for key in ("allOf", "anyOf", "oneOf"):
        if key in schema:
            result[key] = [_open(part) for part in schema[key]]
    if isinstance(schema.get("additionalProperties"), dict):
        result["additionalProperties"] = _strict(schema["additionalProperties"])
    if "properties" in schema:
        result["properties"] = {name: _strict(part) for name, part in schema["properties"].items()}
        for name in _implied(schema, root):
            result["properties"][name] = {"type": "object" if name == "metadata" else "string"}
        if not schema.get("x-kubernetes-preserve-unknown-fields") and "additionalProperties" not in schema:
            result["additionalProperties"] = False
    return result


def _open(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema inside allOf, anyOf, oneOf: it only adds conditions, the fields are declared outside it."""
    return {key: value for key, value in schema.items() if not key.startswith("x-")}


def _implied(schema: dict[str, Any], root: bool) -> Iterator[str]:
    if root or schema.get("x-kubernetes-embedded-resource"):
        yield from ("apiVersion", "kind", "metadata")
