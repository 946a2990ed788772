"""Render one overlay as the engine does, without checking it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vllm_kustomize.kustomize.discover import kustomization_in, overlay_at
from vllm_kustomize.kustomize.engine import BuildOptions, Engine, Rendered, find_engine
from vllm_kustomize.model import Error, Overlay
from vllm_kustomize.settings import Settings

if TYPE_CHECKING:
    from vllm_kustomize.kustomize.replay.tree import SourceTree


def engine_of(settings: Settings) -> Engine:
    """The engine that settings ask for, with the rights they give; raises `Error` where there is none."""
    options = BuildOptions(settings.helm, settings.unrestricted)
    return Engine(find_engine(settings.engine), options=options, offline=settings.offline)


def build(path: str, settings: Settings | None = None) -> bytes:
    """Render the overlay at `path` as the engine does; raises `Error` with its message where it fails."""
    from vllm_kustomize.kustomize.message import shortened

    overlay, settings = _overlay(path), settings or Settings()
    with engine_of(settings) as engine:
        rendered = engine.build(overlay)
    if rendered.error:
        raise Error(f"{path} does not build: {shortened(message_of(rendered))}")
    return rendered.output


def build_with_sources(path: str, settings: Settings) -> tuple[str, SourceTree]:
    """Render the overlay at `path`, and open the sources behind it; raises `Error` as `build` does."""
    from vllm_kustomize.kustomize.replay.tree import SourceTree, kustomize_version

    rendered = build(path, settings).decode("utf-8", "replace")
    version = ""
    if settings.engine:
        with engine_of(settings) as engine:
            version = engine.version()
    return rendered, SourceTree(kustomize_version(version))


def _overlay(path: str) -> Overlay:
    if not Path(path).is_dir() or kustomization_in(Path(path)) is None:
        raise Error(f"{path} is not an overlay: a folder with a kustomization.yaml is one")
    return overlay_at(Path(path))


def message_of(rendered: Rendered) -> str:
    """The engine's message, which may quote whatever the sources hold."""
    from vllm_kustomize.findings.collect import mask_of_overlay
    from vllm_kustomize.kustomize.replay.tree import SourceTree

    tree = SourceTree()
    return mask_of_overlay(tree.graph(rendered.overlay.directory), tree, (), ())(rendered.error)
