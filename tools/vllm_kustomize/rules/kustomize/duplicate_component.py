"""A build includes every component once.

Kustomize applies a component as often as it is listed: what it appends with a JSON patch stands there
twice, and its images and labels are set twice.

Bad:   components: [../../components/x, ../../components/x]
Good:  components: [../../components/x]
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from vllm_kustomize.kustomize.replay.graph import Kustomization, SourceGraph
from vllm_kustomize.model import Severity, SourceProblem

SEVERITY = Severity.ERROR
HELP = "Keep one of the two."


def check_source(graph: SourceGraph) -> Iterator[SourceProblem]:
    """Yield each inclusion of a component after the first."""
    first: dict[Path, Kustomization] = {}
    for kustomization in graph.kustomizations:
        if not kustomization.is_component or kustomization.entry is None:
            continue
        earlier = first.setdefault(kustomization.directory, kustomization)
        if earlier is not kustomization and earlier.entry is not None:
            yield SourceProblem(
                kustomization.entry.location(),
                f"the component {kustomization.entry.value} is applied a second time",
                (earlier.entry.location(note="first here"),),
            )
