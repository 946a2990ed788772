"""A custom resource calls an object by a name that it does not have any more.

`namePrefix`, `nameSuffix` and the hash of a generated ConfigMap or Secret rename objects and, in built-in
kinds, what refers to them. Kustomize does not know the fields of custom resources: a ScaledObject or
HTTPRoute keeps the old name and points at nothing.

Bad:   namePrefix: dev-, and a ScaledObject whose scaleTargetRef.name is vllm-server
Good:  the same, and `configurations:` with a nameReference for ScaledObject
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kustomize.replay.graph import SourceGraph
from vllm_kustomize.kustomize.replay.objects import Source
from vllm_kustomize.kustomize.yaml.nodes import Node
from vllm_kustomize.model import FieldPath, Location, Severity, SourceProblem, format_path

SEVERITY = Severity.ERROR
HELP = (
    "Add a nameReference for this field in a file under configurations:, or give the object a fixed name "
    "(disableNameSuffixHash: true for a generated one)."
)


_KINDS = {
    "secretName": "Secret",
    "configMapName": "ConfigMap",
    "serviceName": "Service",
    "serviceAccountName": "ServiceAccount",
    "claimName": "PersistentVolumeClaim",
    "secretRef": "Secret",
    "configMapRef": "ConfigMap",
}
"""Fields that hold a bare name, and of what."""


def check_source(graph: SourceGraph) -> Iterator[SourceProblem]:
    """Yield each field of a custom resource that holds the old name of a renamed object."""
    renamed = [source for source in graph.objects if source.original.name != source.id.name or source.hashed]
    if not renamed or any(kustomization.root.get("crds") for kustomization in graph.kustomizations):
        return
    present = {source.id.name for source in graph.objects if not source.hashed}
    for source in graph.objects:
        if "." not in source.id.group or (source.id.group.endswith(".k8s.io") and not _is_custom(source)):
            continue
        for path, node, kind in _references(source.root, ()):
            target = _target(renamed, source, kind, node.value)
            if target is None or node.value in present or _is_configured(graph, source, path):
                continue
            yield SourceProblem(
                node.location(),
                f"{source} calls {target} '{node.value}' in {format_path(path)}",
                tuple(_renames(target)),
            )


def _is_custom(source: Source) -> bool:
    """Whether a group below k8s.io is one of custom resources, as those of Gateway API and LWS are."""
    return source.id.group.endswith(".x-k8s.io") or source.id.group in (
        "gateway.networking.k8s.io",
        "inference.networking.k8s.io",
    )


def _references(node: Node, path: FieldPath) -> Iterator[tuple[FieldPath, Node, str]]:
    """Every `name` below something that is called a reference, with the kind that stands beside it."""
    if isinstance(node.value, list):
        for index, item in enumerate(node.value):
            yield from _references(item, (*path, index))
    elif isinstance(node.value, dict):
        for name, child in node.value.items():
            owner = next((step for step in reversed(path) if isinstance(step, str)), "")
            if name == "name" and owner != "metadata" and _refers(owner, node):
                yield (*path, name), child, node.text("kind")
            elif name in _KINDS and isinstance(child.value, str):
                yield (*path, name), child, _KINDS[name]
            else:
                yield from _references(child, (*path, name))


def _refers(owner: str, node: Node) -> bool:
    return bool(node.text("kind")) or any(
        word in owner.lower() for word in ("ref", "secret", "configmap", "service", "claim", "target")
    )


def _target(renamed: list[Source], source: Source, kind: str, name: object) -> Source | None:
    """The renamed object that a name means; of several the one that got the same affixes as the referrer."""
    found = [
        each for each in renamed if each.original.name == name and (not kind or each.original.kind == kind)
    ]
    return max(found, key=lambda each: _affixes(each) == _affixes(source), default=None)


def _affixes(source: Source) -> tuple[str, ...]:
    return source.id.name.partition(source.original.name)[::2]


def _is_configured(graph: SourceGraph, source: Source, path: FieldPath) -> bool:
    fields = "/".join(step for step in path if isinstance(step, str))
    return any(
        spec.selects(source.id) and spec.path.replace("[]", "") == fields for spec in graph.name_references
    )


def _renames(target: Source) -> Iterator[Location]:
    name, _ = target.root.find(("metadata", "name"))
    if target.hashed:
        yield name.location(note="generated here, with a hash behind the name")
    for past in name.past:
        if past.note:
            yield past.location(note=f"{past.note}: the name is now '{name.value}'")
