"""Write `definitions.json.gz`: the definitions of other projects' kinds, from git checkouts of theirs.

    python -m record.custom_resources CHECKOUTS

CHECKOUTS holds a clone of each repository in sources.yaml, named like the last part of its address. Of each
definition the types, bounds, patterns and rules are kept, of all served versions; texts are not. A rule's
message is our own, from messages.yaml; one that is missing there ends the run. Nodes that are equal are
stored once. The checksums in sources.yaml are those of the files as they are at `revision`; with --update
they are rewritten, and otherwise compared.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
SOURCES = HERE / "sources.yaml"
MESSAGES = HERE / "messages.yaml"
DATA = HERE.parents[1] / "vllm_kustomize/apiserver/custom/definitions.json.gz"

SCALARS = (
    *("type", "format", "nullable", "default", "enum", "required", "pattern"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    *("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"),
    *("x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource", "x-kubernetes-int-or-string"),
    *("x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type"),
)
"""What is kept of a node besides its children and its rules."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Nodes:
    """Schema nodes, each once; children are named by their index, and come before their parents."""

    def __init__(self, messages: Mapping[str, Any]) -> None:
        self.messages = messages
        self.used: set[str] = set()
        self.indexes: dict[str, int] = {}
        self.all: list[dict[str, Any]] = []

    def add(self, schema: Mapping[str, Any]) -> int:
        """The index of a node."""
        node = {key: schema[key] for key in SCALARS if key in schema}
        if schema.get("properties"):
            node["properties"] = {name: self.add(part) for name, part in schema["properties"].items()}
        for key in ("items", "not", "additionalProperties"):
            if isinstance(schema.get(key), dict):
                node[key] = self.add(schema[key])
        if schema.get("additionalProperties") is True:
            node["additionalProperties"] = True
        for key in ("allOf", "anyOf", "oneOf"):
            if schema.get(key):
                node[key] = [self.add(part) for part in schema[key]]
        if schema.get("x-kubernetes-validations"):
            node["x-kubernetes-validations"] = [
                self._rule(rule) for rule in schema["x-kubernetes-validations"]
            ]
        text = json.dumps(node, sort_keys=True)
        if text not in self.indexes:
            self.indexes[text] = len(self.all)
            self.all.append(node)
        return self.indexes[text]

    def _rule(self, rule: Mapping[str, Any]) -> dict[str, Any]:
        expression = " ".join(rule["rule"].split())
        if expression not in self.messages:
            sys.exit(f"messages.yaml has no line for the rule {expression}")
        self.used.add(expression)
        ours = self.messages[expression]
        kept = {key: rule[key] for key in ("rule", "fieldPath", "optionalOldSelf") if key in rule}
        return {**kept, **({"message": ours} if isinstance(ours, str) else ours)}


def checkout_file(checkouts: Path, source: Mapping[str, Any], path: str) -> bytes:
    """A file of a repository as it is at the source's revision."""
    folder = checkouts / source["repository"].rpartition("/")[2]
    command = ["git", "-C", str(folder), "show", f"{source['revision']}:{path}"]
    return subprocess.run(command, check=True, capture_output=True).stdout


def checked(source: Mapping[str, Any], path: str, content: bytes) -> None:
    """End the run where a file is not the one whose checksum is known."""
    digest = hashlib.sha256(content).hexdigest()
    if source["files"][path] != digest:
        sys.exit(f"{path} of {source['project']} has the checksum {digest}, not {source['files'][path]}")


def definition(document: Mapping[str, Any], source: int, nodes: Nodes) -> dict[str, Any]:
    """What is kept of a CustomResourceDefinition."""
    spec = document["spec"]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "source": source,
        "metadata": {"name": document["metadata"]["name"]},
        "spec": {
            "group": spec["group"],
            "names": {"kind": spec["names"]["kind"]},
            "scope": spec["scope"],
            "versions": [
                {
                    "name": version["name"],
                    **({"deprecated": True} if version.get("deprecated") else {}),
                    **({"subresources": version["subresources"]} if version.get("subresources") else {}),
                    "schema": {"openAPIV3Schema": nodes.add(version["schema"]["openAPIV3Schema"])},
                }
                for version in spec["versions"]
                if version.get("served", True)
            ],
        },
    }


def definitions(content: bytes) -> Iterator[Mapping[str, Any]]:
    """The CustomResourceDefinitions of a file."""
    for document in yaml.load_all(content, _LOADER):
        if document and document["kind"] == "CustomResourceDefinition":
            yield document


def main() -> None:
    """Read the sources and write the data."""
    checkouts = Path(next(argument for argument in sys.argv[1:] if not argument.startswith("--")))
    update = "--update" in sys.argv
    sources = yaml.safe_load(SOURCES.read_text(encoding="utf-8"))
    messages = yaml.safe_load(MESSAGES.read_text(encoding="utf-8"))
    nodes = Nodes(messages)
    found: list[dict[str, Any]] = []
    for index, source in enumerate(sources):
        for path in source["files"]:
            content = checkout_file(checkouts, source, path)
            if update:
                source["files"][path] = hashlib.sha256(content).hexdigest()
            checked(source, path, content)
            found.extend(definition(document, index, nodes) for document in definitions(content))
    if unused := messages.keys() - nodes.used:
        sys.exit(f"messages.yaml has lines for rules that no definition has: {sorted(unused)}")
    names = [{key: source[key] for key in ("project", "version")} for source in sources]
    text = json.dumps({"sources": names, "definitions": found, "nodes": nodes.all}, separators=(",", ":"))
    DATA.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    if update:
        SOURCES.write_text(yaml.safe_dump(sources, sort_keys=False, width=200), encoding="utf-8")
    print(f"{DATA.name}: {len(found)} definitions, {len(nodes.all)} nodes, {DATA.stat().st_size} bytes")


if __name__ == "__main__":
    main()
