"""A kustomization uses a deprecated field.

Kustomize still reads them with a warning that few people see, `kustomize edit fix` rewrites them, and v1 of
the format has none of them.

Bad:   bases, commonLabels, patchesStrategicMerge, patchesJson6902, vars, imageTags
Good:  resources, labels, patches, replacements, images
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kustomize.replay.graph import SourceGraph
from vllm_kustomize.model import Severity, SourceProblem

SEVERITY = Severity.INFO
HELP = "`kustomize edit fix` rewrites most of them."

_REPLACEMENTS = {
    "bases": "resources",
    "commonLabels": "labels",
    "helmChartInflationGenerator": "helmCharts",
    "imageTags": "images",
    "patchesJson6902": "patches",
    "patchesStrategicMerge": "patches",
    "vars": "replacements",
}


def check_source(graph: SourceGraph) -> Iterator[SourceProblem]:
    """Yield each deprecated field."""
    for kustomization in graph.kustomizations:
        for old, new in _REPLACEMENTS.items():
            if field := kustomization.root.get(old):
                yield SourceProblem(field.key_location(), f"`{old}` is deprecated: use `{new}`")
