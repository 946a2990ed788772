"""Every patch with a target selects an object.

Kustomize applies such a patch to nothing, says nothing and succeeds: what it should change goes to the
cluster unchanged. A Component may hold patches for what only some builds have; there the rule looks at
targets with a name alone.

Bad:   target: {kind: Deployment, name: vllm-sever}
Good:  target: {kind: Deployment, name: vllm-server}
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kustomize.document import Node
from vllm_kustomize.kustomize.source import SourceGraph
from vllm_kustomize.model import Severity, SourceProblem

SEVERITY = Severity.ERROR
HELP = "Correct the target, or remove the patch; the fields of a target are anchored regular expressions."


def check_source(graph: SourceGraph) -> Iterator[SourceProblem]:
    """Yield each target that matches no object of the build at its point."""
    if graph.incomplete:
        return
    seen: set[Node] = set()
    for step in graph.steps:
        target = step.patch.target if step.patch else None
        if target is None or step.changes or step.problem or target in seen:
            continue
        if step.kustomization.is_component and not target.get("name"):
            continue
        seen.add(target)
        wanted = ", ".join(f"{field} {node.value}" for field, node in target.value.items() if node.value)
        kinds = {str(source) for source in step.objects}
        known = f"; there are {', '.join(sorted(kinds))}" if len(kinds) < 10 else ""
        yield SourceProblem(
            target.key_location(), f"the patch selects nothing: no object has {wanted}{known}"
        )
