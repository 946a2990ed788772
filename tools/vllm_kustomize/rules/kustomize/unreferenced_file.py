"""Every manifest and patch in a kustomization's folder is part of a build.

A file that nothing lists is a change that never arrives, or one that was taken out and left behind.

Bad:   patches/deployment.probes.yaml in the folder, and no entry for it under patches:
Good:  patches: [{path: patches/deployment.probes.yaml}]
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from vllm_kustomize.kustomize.discover import display_path, kustomization_in
from vllm_kustomize.kustomize.replay.graph import SourceGraph
from vllm_kustomize.kustomize.yaml.reader import parse_yaml, read_text
from vllm_kustomize.model import Location, Precision, Severity, SourceProblem

SEVERITY = Severity.WARNING
HELP = "List the file in the kustomization, or delete it."


def check_source(graph: SourceGraph) -> Iterator[SourceProblem]:
    """Yield each file that looks like an object or a patch and that the build does not read."""
    directories = {kustomization.directory for kustomization in graph.kustomizations}
    for directory in sorted(directories):
        for path in _yaml_files(directory):
            if path not in graph.files and _is_manifest(path):
                at = Location(display_path(path), 1, 1, precision=Precision.FILE)
                yield SourceProblem(at, f"no entry in {display_path(directory)} uses this file")


def _yaml_files(directory: Path) -> Iterator[Path]:
    """The YAML and JSON files below a directory that belong to no other kustomization."""
    for root, folders, names in os.walk(directory):
        here = Path(root)
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and not kustomization_in(here / name)
        )
        for name in sorted(names):
            if name.endswith((".yaml", ".yml", ".json")) and not name.startswith("."):
                yield here / name


def _is_manifest(path: Path) -> bool:
    try:
        documents = parse_yaml(read_text(path))
    except (OSError, ValueError):
        return False
    for data in documents:
        first = data[0] if isinstance(data, list) and data else data
        if isinstance(first, dict) and (
            {"apiVersion", "kind"} <= first.keys() or {"op", "path"} <= first.keys()
        ):
            return True
    return False
