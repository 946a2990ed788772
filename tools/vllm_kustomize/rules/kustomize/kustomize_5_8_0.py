"""The build depends on what Kustomize 5.8.0 lost.

Where a kustomization sets `namespace:`, Kustomize 5.8.0 no longer finds an object that a base has renamed
with `namePrefix` or `nameSuffix` when a patch names it without its namespace: the build fails with "no
matches for Id". 5.8.1 finds it again, but Argo CD 3.3 builds with 5.8.0.

Bad:   namespace: team-a, and a patch for metadata.name: vllm-server-v2, where nameSuffix: -v2 is in the base
Good:  the same patch with a target: {kind: Deployment, name: vllm-server-v2}

Source: https://github.com/kubernetes-sigs/kustomize/issues/6031
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kustomize.replay.graph import SourceGraph, Step
from vllm_kustomize.model import Severity, SourceProblem

SEVERITY = Severity.INFO
HELP = "Give the patch a target:, or use another Kustomize than 5.8.0 (Argo CD 3.3 comes with it)."


def check_source(graph: SourceGraph) -> Iterator[SourceProblem]:
    """Yield strategic merge patches that find a renamed object by its name alone, below `namespace:`."""
    for step in graph.steps:
        if not _by_name_alone(step) or not step.kustomization.root.text("namespace"):
            continue
        for change in step.changes:
            before = change.before
            if before.original.name != before.id.name and not before.id.namespace:
                yield SourceProblem(
                    step.entry.location(),
                    f"Kustomize 5.8.0 does not find {before} for this patch, because a base has renamed it",
                )


def _by_name_alone(step: Step) -> bool:
    patch = step.patch
    if patch is None or patch.is_json or patch.target is not None:
        return False
    metadata = patch.body.get("metadata")
    return metadata is not None and not metadata.text("namespace")
