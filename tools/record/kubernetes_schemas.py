"""Write the bundled schemas, from those that kubernetes-validate publishes (`make schemas`).

They are changed to accept what the API server's decoder accepts, and hold no descriptions.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from vllm_kustomize.apiserver import covers
from vllm_kustomize.checks.published import FILE, OFFSET_BYTES, TIME, Index
from vllm_kustomize.model import KubernetesVersion

_DEFINITIONS = "/api/_definitions.json#/$defs/"
_CONTENT = {"properties", "additionalProperties"}
_OPEN = {
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1",
    "io.k8s.apimachinery.pkg.runtime.RawExtension",
}
"""Definitions without fields that may hold any."""
_INTEGERS = {"int32": 31, "int64": 63}
_OWN_DEFINITIONS: dict[str, Any] = {
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": {"type": ["string", "null"], "pattern": TIME},
    # Both are written as one of two types in the published schemas, which null then fits twice.
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {"type": ["string", "number", "null"]},
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {
        "type": ["string", "integer", "null"],
        "minimum": -(2**31),
        "maximum": 2**31 - 1,
    },
}


def main() -> None:
    """Write the file of the package."""
    FILE.write_bytes(pack({version: dict(schemas(version)) for version in published_versions()}))


def published_versions() -> tuple[KubernetesVersion, ...]:
    """The versions that the installed kubernetes-validate has schemas of, oldest first."""
    folders = (folder.name.split("-")[0] for folder in _published().glob("v*-local-strict"))
    return tuple(sorted((int(major[1:]), int(minor)) for major, minor, _ in (f.split(".") for f in folders)))


def schemas(version: KubernetesVersion) -> Iterator[tuple[str, dict[str, Any]]]:
    """The schema of each `apiVersion kind` of a version, with all the definitions that it leads to."""
    folder = _published() / f"v{version[0]}.{version[1]}.0-local-strict"
    text = (folder / "_definitions.json").read_text(encoding="utf-8")
    published = json.loads(text.replace(_DEFINITIONS, "#/$defs/"))["$defs"]
    definitions = {name: _closed(name, each) for name, each in published.items()} | _OWN_DEFINITIONS
    for file in sorted(folder.glob("*.json")):
        schema = json.loads(file.read_text(encoding="utf-8").replace(_DEFINITIONS, "#/$defs/"))
        fields = schema.get("properties", {})
        for api_version in fields.get("apiVersion", {}).get("enum", ()):
            for kind in fields.get("kind", {}).get("enum", ()):
                # What must be set is known exactly for the kinds that the API-server checks cover.
                keep_required = not covers(api_version, kind)
                complete = _with_definitions(schema, definitions)
                yield f"{api_version} {kind}", _as_decoded(complete, keep_required=keep_required)


def pack(versions: dict[KubernetesVersion, dict[str, dict[str, Any]]]) -> bytes:
    """The bytes of the file, in the form that `checks.published` describes."""
    places: dict[bytes, tuple[int, int]] = {}
    found: dict[str, dict[bytes, list[int]]] = {}
    content = bytearray()
    for (_, minor), kinds in versions.items():
        for name, schema in kinds.items():
            text = json.dumps(schema, separators=(",", ":"), sort_keys=True).encode()
            if text not in places:
                begin = len(content)
                content += zlib.compress(text, 9)
                places[text] = (begin, len(content))
            found.setdefault(name, {}).setdefault(text, []).append(minor)
    index: Index = {
        name: [(*places[text], minors) for text, minors in schemas_of.items()]
        for name, schemas_of in sorted(found.items())
    }
    offset = len(content).to_bytes(OFFSET_BYTES, "big")
    return bytes(content) + zlib.compress(json.dumps(index, separators=(",", ":")).encode(), 9) + offset


def _closed(name: str, definition: dict[str, Any]) -> dict[str, Any]:
    """A definition that knows its fields, where it has none: `{}` chooses something, and is all there is."""
    is_empty = "object" in definition.get("type", ()) and not definition.keys() & _CONTENT
    return {**definition, "additionalProperties": False} if is_empty and name not in _OPEN else definition


def _with_definitions(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """A schema with only the definitions that it leads to: compiling all takes longer than a build."""
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

    Go drops null wherever it stands, takes a list of numbers for bytes (they are published as strings), has
    integers of 32 and 64 bits, and reads no apiVersion or kind inside of an object: the only enumerations.
    """
    if isinstance(schema, list):
        return [_as_decoded(item, keep_required=keep_required) for item in schema]
    if not isinstance(schema, dict):
        return schema
    # A name that leads to a mapping is a field's or a definition's, and no keyword of the schema.
    unwanted = {"description", "enum", "format"} | (set() if keep_required else {"required"})
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


def _published() -> Path:
    spec = find_spec("kubernetes_validate")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "kubernetes-json-schema"


if __name__ == "__main__":
    main()
