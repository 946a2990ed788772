"""Find the line that makes a build fail; the engine's message names a file at best."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vllm_kustomize.kustomize.document import Node
from vllm_kustomize.kustomize.source import Kustomization, SourceGraph, Step
from vllm_kustomize.model import Location

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


def find_failure(graph: SourceGraph) -> Location | None:
    """Return the first place that the engine cannot accept, or None where none is known."""
    return next(_failures(graph), None)


def unknown_fields(kustomization: Kustomization) -> Iterator[tuple[str, Node, frozenset[str]]]:
    """Yield each field that the engine does not know, with its value and the ones it knows there."""
    yield from _unknown(kustomization.root, KNOWN_FIELDS)


def _failures(graph: SourceGraph) -> Iterator[Location]:
    yield from (place for place in graph.incomplete if "engine alone" not in place.note)
    for kustomization in graph.kustomizations:
        for _, node, _ in unknown_fields(kustomization):
            yield node.key_location(note="this field is not known")
        for pairs in _string_maps(kustomization.root):
            for node in pairs.value.values() if isinstance(pairs.value, dict) else ():
                if isinstance(node.value, bool):
                    yield node.location(note="this is a boolean; quote it")
    for step in graph.steps:
        yield from _failed(step)
    for index, source in enumerate(graph.objects):
        if any(source.id.same(earlier.id) for earlier in graph.objects[:index]):
            yield source.root.location(note=f"{source} is there twice")


def _failed(step: Step) -> Iterator[Location]:
    if step.patch is not None:
        if step.problem:
            yield step.patch.body.location(note=step.problem)
        elif step.patch.target is None and not step.changes:
            name, _ = step.patch.body.find(("metadata", "name"))
            yield name.location(note="no object has this name and kind")
    elif step.setting == "replicas":
        wanted = step.entry.text("name")
        if not any(identity.name == wanted for source in step.objects for identity in source.ids):
            yield step.entry.location(note="no object that scales has this name")


def _string_maps(root: Node) -> Iterator[Node]:
    for entry in root.items("labels"):
        if pairs := entry.get("pairs"):
            yield pairs
    for name in ("commonLabels", "commonAnnotations"):
        if pairs := root.get(name):
            yield pairs


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
