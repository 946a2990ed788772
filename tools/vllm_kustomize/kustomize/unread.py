"""Find what lies in the folders of a build and is not read by it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from vllm_kustomize.kustomize.discover import kustomization_in
from vllm_kustomize.kustomize.replay.graph import SourceGraph
from vllm_kustomize.kustomize.yaml.reader import parse_yaml, read_text


def unread_manifests(graph: SourceGraph) -> Iterator[tuple[Path, Path]]:
    """Yield each file that holds an object or a patch and that no kustomization names, with the folder."""
    directories = {kustomization.directory for kustomization in graph.kustomizations}
    for directory in sorted(directories):
        for path in _yaml_files(directory):
            if path not in graph.files and _is_manifest(path):
                yield path, directory


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
