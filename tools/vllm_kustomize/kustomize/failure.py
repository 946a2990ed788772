"""Find the line that makes a build fail; the engine's message names a file at best."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path

from vllm_kustomize.kustomize.discover import display_path
from vllm_kustomize.kustomize.replay.graph import Kustomization, SourceGraph, Step
from vllm_kustomize.kustomize.yaml.nodes import Document, DocumentError, Node, read_documents
from vllm_kustomize.kustomize.yaml.reader import read_text
from vllm_kustomize.model import Location

_UNMARSHAL = re.compile(
    r"cannot unmarshal (?P<kind>\w+) .*into Go struct field \w+\.(?P<fields>[\w.]+) of type"
)
_UNKNOWN = re.compile(r'unknown field "(?P<field>[^"]+)"')
_TWICE = re.compile(r"line (?P<line>\d+): mapping key \"(?P<key>[^\"]*)\" already defined")
_FROM = re.compile(r"(?:accumulating|merging) resources from '(?P<file>[^']+)': (?!accumul)")
_JSON_TYPES: dict[str, type | tuple[type, ...]] = {
    "bool": bool,
    "string": str,
    "number": (int, float),
    "object": dict,
    "array": list,
}
_TARGET = frozenset(["group", "version", "kind", "name", "namespace", "labelSelector", "annotationSelector"])
_GENERATOR_OPTIONS = frozenset(["labels", "annotations", "disableNameSuffixHash", "immutable"])
_GENERATOR = frozenset(["name", "namespace", "behavior", "literals", "files", "envs", "env", "options"])
_PATCH = {
    "path": None,
    "patch": None,
    "target": _TARGET,
    "options": frozenset({"allowNameChange", "allowKindChange"}),
}

Known = Mapping[str, "Known | frozenset[str] | None"]

KNOWN_FIELDS: Known = {
    **dict.fromkeys(
        [
            "apiVersion",
            "kind",
            "metadata",
            "openapi",
            "namePrefix",
            "nameSuffix",
            "namespace",
            "commonLabels",
            "commonAnnotations",
            "patchesStrategicMerge",
            "replacements",
            "vars",
            "sortOptions",
            "resources",
            "components",
            "crds",
            "bases",
            "helmGlobals",
            "helmCharts",
            "helmChartInflationGenerator",
            "configurations",
            "generators",
            "transformers",
            "validators",
            "buildMetadata",
        ]
    ),
    "labels": {
        "pairs": None,
        "includeSelectors": None,
        "includeTemplates": None,
        "includeVolumeClaimTemplates": None,
        "fields": frozenset({"path", "group", "version", "kind", "create"}),
    },
    "patches": _PATCH,
    "patchesJson6902": _PATCH,
    "images": frozenset(["name", "newName", "newTag", "digest", "tagSuffix"]),
    "imageTags": frozenset(["name", "newName", "newTag", "digest", "tagSuffix"]),
    "replicas": frozenset({"name", "count"}),
    "configMapGenerator": {**dict.fromkeys(_GENERATOR), "options": _GENERATOR_OPTIONS},
    "secretGenerator": {**dict.fromkeys(_GENERATOR), "type": None, "options": _GENERATOR_OPTIONS},
    "generatorOptions": _GENERATOR_OPTIONS,
}
"""The fields of a kustomization, and of what stands below them; None where anything may.

From api/types/kustomization.go and its neighbours; the engine refuses every other field.
"""


def find_failure(graph: SourceGraph, message: str = "") -> Location | None:
    """Return the first place that the engine cannot accept, or None where none is known.

    `message` is what the engine says.
    """
    named = (
        _mistyped(message, graph),
        _named(message, graph),
        _twice(message, graph),
        _failures(graph),
        _in_file(message, graph),
    )
    return next(chain.from_iterable(named), None)


def unknown_fields(kustomization: Kustomization) -> Iterator[tuple[str, Node, frozenset[str]]]:
    """Yield each field that the engine does not know, with its value and the ones it knows there."""
    yield from _unknown(kustomization.root, KNOWN_FIELDS)


def _failures(graph: SourceGraph) -> Iterator[Location]:
    yield from (place for place in graph.incomplete if "engine alone" not in place.note)
    for kustomization in graph.kustomizations:
        for _, node, _ in unknown_fields(kustomization):
            yield node.key_location(note="this field is not known")
    for step in graph.steps:
        yield from _failed(step)
    for index, source in enumerate(graph.objects):
        if any(source.id.same(earlier.id) for earlier in graph.objects[:index]):
            yield source.root.location(note=f"{source} is there twice")


def _failed(step: Step) -> Iterator[Location]:
    if step.patch is not None:
        name, depth = step.patch.body.find(("metadata", "name"))
        if step.problem:
            yield step.patch.body.location(note=step.problem)
        elif not step.patch.is_json and (depth < 2 or not step.patch.body.get("kind")):
            yield step.patch.body.location(note="a patch needs a kind and a metadata.name")
        elif step.patch.target is None and not step.changes:
            yield name.location(note="no object has this name and kind")
    elif step.setting == "replicas":
        wanted = step.entry.text("name")
        if not any(identity.name == wanted for source in step.objects for identity in source.ids):
            yield step.entry.location(note="no object that scales has this name")


def _unknown(node: Node, known: Known | frozenset[str] | None) -> Iterator[tuple[str, Node, frozenset[str]]]:
    if known is None:
        return
    if isinstance(node.value, list):
        for item in node.value:
            yield from _unknown(item, known)
    elif isinstance(node.value, dict):
        for name, child in node.value.items():
            if name not in known:
                yield name, child, frozenset(known)
            elif isinstance(known, Mapping):
                yield from _unknown(child, known[name])


def _mistyped(message: str, graph: SourceGraph) -> Iterator[Location]:
    """The values that an error such as `cannot unmarshal bool into Go struct field …` speaks of."""
    found = _UNMARSHAL.search(message)
    if found is None:
        return
    kind, fields = _JSON_TYPES[found["kind"]], found["fields"].split(".")
    for kustomization in graph.kustomizations:
        for node in _at(kustomization.root, fields):
            if isinstance(node.value, kind) and isinstance(node.value, bool) == (kind is bool):
                yield node.location()


def _named(message: str, graph: SourceGraph) -> Iterator[Location]:
    """The fields that an error such as `json: unknown field "resource"` speaks of."""
    found = _UNKNOWN.search(message)
    if found is None:
        return
    for kustomization in graph.kustomizations:
        yield from (node.key_location() for node in _keys(kustomization.root, found["field"]))


def _twice(message: str, graph: SourceGraph) -> Iterator[Location]:
    """The keys that `mapping key "name" already defined at line 4` speaks of; no file is named there."""
    found = _TWICE.search(message)
    if found is None:
        return
    for path in sorted(graph.files):
        for document in _documents(path):
            for duplicate in document.duplicates:
                if duplicate.location.line == int(found["line"]) and duplicate.path[-1] == found["key"]:
                    yield duplicate.location


def _in_file(message: str, graph: SourceGraph) -> Iterator[Location]:
    """The file that an error such as `accumulating resources from 'a.yaml': …` speaks of."""
    found = _FROM.search(message)
    if found is None:
        return
    for kustomization in graph.kustomizations:
        for entry in kustomization.root.items("resources"):
            if entry.value == found["file"]:
                yield entry.location()


def _documents(path: Path) -> tuple[Document, ...]:
    try:
        return read_documents(read_text(path), display_path(path))
    except (OSError, ValueError, DocumentError):
        return ()


def _keys(node: Node, name: str) -> Iterator[Node]:
    if isinstance(node.value, dict):
        yield from (child for key, child in node.value.items() if key == name)
    children = node.value.values() if isinstance(node.value, dict) else node.value
    for child in children if isinstance(node.value, dict | list) else ():
        yield from _keys(child, name)


def _at(node: Node, fields: list[str]) -> Iterator[Node]:
    """Every value at a path through mappings and lists, and what it holds."""
    if isinstance(node.value, dict) and fields:
        if child := node.get(fields[0]):
            yield from _at(child, fields[1:])
        return
    if not fields:
        yield node
    children = node.value.values() if isinstance(node.value, dict) else node.value
    for child in children if isinstance(node.value, dict | list) else ():
        yield from _at(child, fields)
