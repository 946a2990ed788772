"""Cut the OpenAPI document that Kustomize carries down to what a strategic merge asks of it.

`make openapi` runs it; it needs Go, and the module of kyaml that `go.mod` pins. A merge only asks which lists
are merged and by which keys (kyaml/openapi `PatchStrategyAndKeyList`), of the kind's own definition. What
leads to no such list becomes `any`, a definition that answers "no" however deep it is asked.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vllm_kustomize.kustomize.shortcut import SCHEMA

Definitions = dict[str, Any]

KIND = "x-kubernetes-group-version-kind"
STRATEGY = "x-kubernetes-patch-strategy"
KEYS = ("x-kubernetes-patch-merge-key", "x-kubernetes-list-map-keys")
PREFIX = "#/definitions/"
ANY = {"$ref": f"{PREFIX}any"}
ANYTHING = {"type": ["array"], "items": ANY, "additionalProperties": ANY}


def main() -> None:
    """Write the schema file of the package."""
    printed = subprocess.run(["go", "run", "."], cwd=Path(__file__).parent, check=True, capture_output=True)
    schema = {"swagger": "2.0", "definitions": cut(json.loads(printed.stdout))}
    SCHEMA.write_text(json.dumps(schema, separators=(",", ":"), sort_keys=True) + "\n", encoding="utf-8")


def cut(definitions: Definitions) -> Definitions:
    """The definitions of all kinds, and of what they lead to, without what no merge asks for."""
    merged = _merged(definitions)
    found: Definitions = {"any": ANYTHING}
    waiting = [name for name, schema in definitions.items() if len(schema.get(KIND, ())) == 1]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        schema = definitions[name]
        kind = {KIND: schema[KIND]} if KIND in schema else {}
        found[name] = {**_cut(schema, merged), **kind}
        waiting.extend(reference for reference in _references(found[name]) if reference != "any")
    return found


def _merged(definitions: Definitions) -> frozenset[str]:
    """The definitions that lead to a list that is merged."""
    found = {name for name, schema in definitions.items() if _has_strategy(schema)}
    while more := {
        name
        for name, schema in definitions.items()
        if name not in found and not found.isdisjoint(_references(schema))
    }:
        found |= more
    return frozenset(found)


def _cut(schema: Any, merged: frozenset[str]) -> Any:
    if not _has_strategy(schema) and merged.isdisjoint(_references(schema)):
        return ANY
    kept = {key: schema[key] for key in ("$ref", "type", STRATEGY, *KEYS) if key in schema}
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            kept[key] = _cut(schema[key], merged)
    if "properties" in schema:
        kept["properties"] = {name: _cut(field, merged) for name, field in schema["properties"].items()}
    return kept


def _has_strategy(schema: Any) -> bool:
    if isinstance(schema, dict):
        return STRATEGY in schema or any(map(_has_strategy, schema.values()))
    return isinstance(schema, list) and any(map(_has_strategy, schema))


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(reference := schema.get("$ref"), str):  # a field of JSON schemas has the name too
            yield reference.removeprefix(PREFIX)
        for value in schema.values():
            yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)


if __name__ == "__main__":
    main()
