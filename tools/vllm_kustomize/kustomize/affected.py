"""Work out which overlays a change to some files can affect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from vllm_kustomize.kustomize.discover import KUSTOMIZATION_NAMES, kustomization_in, resolved
from vllm_kustomize.kustomize.replay.tree import SourceTree
from vllm_kustomize.model import Overlay

_YAML = (".yaml", ".yml")


def affected(overlays: Sequence[Overlay], changed: Iterable[Path]) -> Iterator[Overlay]:
    """Yield the overlays whose build reads one of the changed files, or may come to read it.

    The latter are files that are gone and YAML files that nothing lists yet: they count for every overlay
    that uses the kustomization of their folder. Where a kustomization is gone, or a build reads what only the
    engine knows of, more overlays are named than need be.
    """
    files = {resolved(file) for file in changed}
    if any(_took_its_folder_along(file) for file in files):
        yield from overlays
        return
    owners = {_owner(file) for file in files if file.suffix in _YAML or not file.exists()}
    tree = SourceTree()
    for overlay in overlays:
        graph = tree.graph(overlay.directory)
        # A kustomization that cannot be read is in no graph: the overlay's own folder stands for it.
        folders = {resolved(overlay.directory), *(resolved(used.directory) for used in graph.kustomizations)}
        beside = graph.incomplete and any(not folders.isdisjoint(file.parents) for file in files)
        if beside or files & graph.files or owners & folders:
            yield overlay


def _took_its_folder_along(file: Path) -> bool:
    """Whether with this file a kustomization is gone, so that nothing tells who used it."""
    return not file.exists() and (file.name in KUSTOMIZATION_NAMES or not file.parent.is_dir())


def _owner(file: Path) -> Path | None:
    """The closest folder above a file that holds a kustomization."""
    return next((folder for folder in file.parents if kustomization_in(folder)), None)
