"""A kustomization has a field that Kustomize does not know.

Kustomize refuses the whole build over one unknown field, and names neither the file nor the line.

Bad:   resource: [deployment.yaml]
Good:  resources: [deployment.yaml]
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kustomize.failure import unknown_fields
from vllm_kustomize.kustomize.replay.graph import SourceGraph
from vllm_kustomize.model import Severity, SourceProblem
from vllm_kustomize.wording import did_you_mean

SEVERITY = Severity.ERROR
HELP = "Correct or remove the field."


def check_source(graph: SourceGraph) -> Iterator[SourceProblem]:
    """Yield each field that is not part of the format."""
    for kustomization in graph.kustomizations:
        for name, node, known in unknown_fields(kustomization):
            hint = did_you_mean(name, sorted(known))
            yield SourceProblem(node.key_location(), f"`{name}` is not a field of a kustomization{hint}")
