"""A patch replaces a list that it is meant to extend, since `openapi.path` hides Kubernetes' own schemas.

A document named by `openapi.path` takes the place of the one that Kustomize carries: for kinds that are not
in it no list has a merge key, and a patch with one container replaces all containers. Flux's
kustomize-controller does so since 1.9.0 and merges again from 1.9.2 on: the two build different objects.

Bad:   openapi: {path: crd.json}, and a strategic merge patch with containers: of a Deployment
Good:  openapi: {path: all.json}, which has Kubernetes' definitions too (`kustomize openapi fetch`)

Source: KEP-2206 of kubernetes/enhancements; fluxcd/flux2 issue 5972; run with kubectl 1.37.1
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vllm_kustomize.kustomize.replay.graph import SourceGraph
from vllm_kustomize.kustomize.yaml.nodes import Node
from vllm_kustomize.model import Severity, SourceProblem

SEVERITY = Severity.WARNING
HELP = "Add the kind's definition to the document, or write the change as a JSON patch."


def check_source(graph: SourceGraph) -> Iterator[SourceProblem]:
    """Yield strategic merge patches with lists for kinds of Kubernetes that the named document lacks."""
    for entry, document in graph.schemas:
        for step in graph.steps:
            if step.patch is None or step.patch.is_json or not _has_list_of_objects(step.patch.body):
                continue
            for change in step.changes:
                kind, group = change.before.root.text("kind"), change.before.root.text("apiVersion")
                if _is_of_kubernetes(group) and not _names(document, kind):
                    message = (
                        f"the lists of this patch replace those of {change.before} instead of merging: "
                        f"`openapi.path` leaves {kind} without a schema"
                    )
                    where = entry.location(note="the document is named here")
                    yield SourceProblem(step.patch.body.location(), message, (where,))


def _names(document: str, kind: str) -> bool:
    """Whether a document, in JSON or YAML, has a definition of a kind."""
    return re.search(rf"""["']?kind["']?:\s*["']?{re.escape(kind)}\b""", document) is not None


def _is_of_kubernetes(api_version: str) -> bool:
    group = api_version.rpartition("/")[0]
    return "." not in group or group.endswith(".k8s.io")


def _has_list_of_objects(node: Node) -> bool:
    if isinstance(node.value, dict):
        return any(map(_has_list_of_objects, node.value.values()))
    return isinstance(node.value, list) and any(isinstance(item.value, dict) for item in node.value)
