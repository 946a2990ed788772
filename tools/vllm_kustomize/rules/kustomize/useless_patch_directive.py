"""A patch has `$patch: replace` inside a list item, where it does nothing.

Kustomize obeys it on maps and on whole lists. Inside an item of a list that merges by key the item is left
as it was, with the patch's values lost; in any other list the directive goes to the cluster as a field.

Bad:   volumes: [{name: cache, $patch: replace, persistentVolumeClaim: {claimName: c}}]
Good:  volumes: [{name: cache, emptyDir: null, persistentVolumeClaim: {claimName: c}}]
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kustomize.replay.graph import SourceGraph
from vllm_kustomize.kustomize.yaml.nodes import Node
from vllm_kustomize.model import Severity, SourceProblem

SEVERITY = Severity.ERROR
HELP = "Set the fields that should go to null, or remove the item and add it again under another name."


def check_source(graph: SourceGraph) -> Iterator[SourceProblem]:
    """Yield each directive inside a list item."""
    for step in graph.steps:
        if step.patch is not None and not step.patch.is_json:
            yield from _directives(step.patch.body)


def _directives(node: Node) -> Iterator[SourceProblem]:
    if isinstance(node.value, dict):
        for child in node.value.values():
            yield from _directives(child)
    elif isinstance(node.value, list):
        for item in node.value:
            directive = item.get("$patch")
            if directive is not None and directive.value == "replace" and len(item.value) > 1:
                yield SourceProblem(
                    directive.key_location(), "`$patch: replace` inside a list item does not replace it"
                )
            yield from _directives(item)
