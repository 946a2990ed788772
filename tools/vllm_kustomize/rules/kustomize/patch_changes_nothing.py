"""A patch changes nothing.

A patch that leaves its target as it was is left over from an earlier state of the base, or names a field
by a path that something else sets later. Whoever reads it believes that it matters. A Component may make sure
of what some builds have anyway, so its patches are left alone.

Bad:   replicas: 1 in a patch, over replicas: 1 in the base
Good:  no patch
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kustomize.replay.graph import SourceGraph
from vllm_kustomize.model import Severity, SourceProblem

SEVERITY = Severity.WARNING
HELP = "Remove the patch, or what it repeats."


def check_source(graph: SourceGraph) -> Iterator[SourceProblem]:
    """Yield each patch after which all that it selected is as before."""
    for step in graph.steps:
        if step.patch is None or not step.changes or step.problem or step.patch.only_tests:
            continue
        if step.kustomization.is_component:
            continue
        if all(
            change.after is not None and change.after.root.same_as(change.before.root)
            for change in step.changes
        ):
            names = ", ".join(sorted({str(change.before) for change in step.changes}))
            yield SourceProblem(step.patch.body.location(), f"the patch changes nothing in {names}")
