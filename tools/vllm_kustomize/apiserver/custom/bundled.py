"""The bundled definitions: those of the kinds that this repository and its readers use.

`definitions.json.gz` is written by `make record-crds`, never by hand: types, bounds, patterns and rules of
other projects' definitions, each equal node once, with our own words for each rule.
tools/record/custom_resources says which project, version and checksum each comes from.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from vllm_kustomize.apiserver.custom.definitions import Definition, read_documents

_DATA = Path(__file__).with_name("definitions.json.gz")


@cache
def definitions() -> Mapping[tuple[str, str], Definition]:
    """Every definition by the `apiVersion` and `kind` of its objects."""
    data = json.loads(gzip.decompress(_DATA.read_bytes()))
    nodes: list[dict[str, Any]] = data["nodes"]
    for node in nodes:  # children come before their parents
        _join(node, nodes)
    found: dict[tuple[str, str], Definition] = {}
    for document in data["definitions"]:
        source = data["sources"][document["source"]]
        for version in document["spec"]["versions"]:
            schema = version["schema"]
            schema["openAPIV3Schema"] = nodes[schema["openAPIV3Schema"]]
        reading = read_documents([document], f"{source['project']} {source['version']}")
        found.update(((each.api_version, each.kind), each) for each in reading.definitions)
    return found


def _join(node: dict[str, Any], nodes: list[dict[str, Any]]) -> None:
    """Put nodes instead of their indexes."""
    if "properties" in node:
        node["properties"] = {name: nodes[index] for name, index in node["properties"].items()}
    for key in ("items", "not", "additionalProperties"):
        if key in node and node[key] is not True:
            node[key] = nodes[node[key]]
    for key in ("allOf", "anyOf", "oneOf"):
        if key in node:
            node[key] = [nodes[index] for index in node[key]]


def projects() -> Iterator[str]:
    """The projects whose kinds are known, with the version that is."""
    yield from dict.fromkeys(definition.origin for definition in definitions().values())
