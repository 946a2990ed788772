"""Find what lies in the folders of a build and is not read by it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from vllm_kustomize.kustomize.discover import kustomization_in, resolved
from vllm_kustomize.kustomize.replay.graph import SourceGraph
from vllm_kustomize.kustomize.yaml.reader import parse_yaml, read_text


def unread_manifests(graph: SourceGraph) -> Iterator[tuple[Path, Path]]:
    """Yield each file that holds an object or a patch and that no kustomization names, with the folder.

    Files of charts, and those that a comment in the kustomization names, were left out on purpose.
    """
    directories = {kustomization.directory for kustomization in graph.kustomizations}
    for directory in sorted(directories):
        set_aside = _comments(directory)
        for path in _yaml_files(directory):
            read = path in graph.files or resolved(path) in graph.files
            if not read and path.name not in set_aside and _is_manifest(path):
                yield path, directory


def _comments(directory: Path) -> str:
    """What the comments of a kustomization say, where it can be read."""
    file = kustomization_in(directory)
    try:
        return " ".join(re.findall(r"#.*", read_text(file))) if file else ""
    except (OSError, ValueError):
        return ""


def _yaml_files(directory: Path) -> Iterator[Path]:
    """The YAML and JSON files below a directory that belong to no other kustomization and no chart."""
    for root, folders, names in os.walk(directory):
        here = Path(root)
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            and not kustomization_in(here / name)
            and not (here / name / "Chart.yaml").is_file()
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
