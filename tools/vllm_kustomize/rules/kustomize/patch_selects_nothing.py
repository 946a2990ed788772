"""A patch's target selects no object.

Kustomize applies such a patch to nothing, says nothing and succeeds: what it should change goes to the
cluster unchanged. A Component may hold patches for what only some builds have; there the rule speaks up
where an object has almost that name.

Bad:   target: {kind: Deployment, name: vllm-sever}
Good:  target: {kind: Deployment, name: vllm-server}
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kustomize.replay.graph import SourceGraph, Step
from vllm_kustomize.kustomize.yaml.nodes import Node
from vllm_kustomize.model import Severity, SourceProblem
from vllm_kustomize.wording import closest

SEVERITY = Severity.WARNING
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
        seen.add(target)
        close = _almost(target, step)
        if step.kustomization.is_component and not close:
            continue
        wanted = ", ".join(f"{field} {node.value}" for field, node in target.value.items() if node.value)
        hint = f", did you mean '{close}'?" if close else ""
        message = f"the patch selects nothing: no object has {wanted}{hint}"
        yield SourceProblem(target.key_location(), message)


def _almost(target: Node, step: Step) -> str:
    """The name of an object that the target misses by a few letters."""
    names = {source.id.name for source in step.objects if target.text("kind") in ("", source.id.kind)}
    found = closest(target.text("name"), sorted(names), 0.8)
    return found if found != target.text("name") else ""
