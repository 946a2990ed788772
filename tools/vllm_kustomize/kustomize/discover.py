"""Find the overlays to build."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from vllm_kustomize.model import Error, Overlay

KUSTOMIZATION_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
"""The names that Kustomize looks for (pkg/constants of kubernetes-sigs/kustomize)."""

_SKIPPED_DIRECTORIES = frozenset({"node_modules", "__pycache__", "vendor"})


def kustomization_in(directory: Path) -> Path | None:
    """The kustomization file of a directory, or None."""
    for name in KUSTOMIZATION_NAMES:
        candidate = directory / name
        if candidate.is_file():
            return candidate
    return None


def find_overlays(tree: Path) -> list[Overlay]:
    """Find the overlays at or below a directory, by name.

    A directory with a kustomization of its own is one overlay. In any other tree an overlay is a
    Kustomization that nothing else in the tree builds on, or one right below a folder called `overlays`; a
    Component is none, because it cannot be built alone. Raises `Error` where there is no overlay.
    """
    own = kustomization_in(tree)
    if own:
        if kustomization_content(own).get("kind") == "Component":
            raise Error(f"{tree} is a Component: it is built through an overlay that lists it")
        return [overlay_at(tree)]
    kustomizations = {file.parent.resolve(): kustomization_content(file) for file in _walk(tree)}
    used = {
        Path(os.path.realpath(directory / entry))
        for directory, content in kustomizations.items()
        for key in ("resources", "bases", "components")
        for entry in _strings(content.get(key))
        if "://" not in entry and "\0" not in entry
    }
    found = sorted(
        directory
        for directory, content in kustomizations.items()
        if content.get("kind", "Kustomization") == "Kustomization"
        and (directory not in used or directory.parent.name == "overlays")
    )
    if not found:
        raise Error(f"no overlay in {tree}: no directory there has a {KUSTOMIZATION_NAMES[0]}")
    return [overlay_at(directory) for directory in found]


def overlay_at(directory: Path) -> Overlay:
    """The overlay in a directory, named by its path from the working directory."""
    return Overlay(display_path(directory), directory)


def display_path(path: Path) -> str:
    """How a path is shown: from the working directory with forward slashes, absolute where it is outside."""
    absolute = Path(os.path.normpath(Path.cwd() / path))
    try:
        return absolute.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return absolute.as_posix()


def _walk(tree: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        raise Error(f"cannot read {error.filename}: {error.strerror}")

    for root, directories, _ in os.walk(tree, onerror=refuse):
        directories[:] = sorted(
            name for name in directories if not name.startswith(".") and name not in _SKIPPED_DIRECTORIES
        )
        file = kustomization_in(Path(root))
        if file:
            yield file


def kustomization_content(file: Path) -> dict[str, object]:
    """The kustomization's content; what cannot be read is left for the engine to complain of."""
    from vllm_kustomize.kustomize.yaml.reader import parse_yaml, read_text

    try:
        documents = parse_yaml(read_text(file))
    except (ValueError, OSError):
        return {}
    return documents[0] if documents and isinstance(documents[0], dict) else {}


def _strings(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
