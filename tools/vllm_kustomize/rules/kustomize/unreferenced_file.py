"""A manifest or patch in a kustomization's folder is part of no build.

A file that nothing lists is a change that never arrives, or one that was taken out and left behind. Files of
charts, and those that a comment in the kustomization names, were left out on purpose.

Bad:   patches/deployment.probes.yaml in the folder, and no entry for it under patches:
Good:  patches: [{path: patches/deployment.probes.yaml}]
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kustomize.discover import display_path
from vllm_kustomize.kustomize.replay.graph import SourceGraph
from vllm_kustomize.kustomize.unread import unread_manifests
from vllm_kustomize.model import Location, Precision, Severity, SourceProblem

SEVERITY = Severity.INFO
HELP = "List the file in the kustomization, or delete it."


def check_source(graph: SourceGraph) -> Iterator[SourceProblem]:
    """Yield each file that looks like an object or a patch and that the build does not read."""
    for path, directory in unread_manifests(graph):
        at = Location(display_path(path), 1, 1, precision=Precision.FILE)
        yield SourceProblem(at, f"no entry in {display_path(directory)} uses this file")
