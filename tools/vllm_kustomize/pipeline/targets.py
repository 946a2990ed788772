"""What the paths of a command line come to: overlays to build, and files of rendered YAML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vllm_kustomize.kustomize.discover import (
    display_path,
    exists,
    find_manifests,
    find_overlays,
    is_patch,
    is_there,
    kustomization_in,
    resolved,
)
from vllm_kustomize.model import Error, Overlay
from vllm_kustomize.settings import Settings
from vllm_kustomize.wording import shorten


@dataclass(frozen=True, slots=True)
class Targets:
    """What the paths of a command line come to; `files` may hold "-" for standard input.

    `paths` are those that were asked for, none where everything was.
    """

    overlays: tuple[Overlay, ...]
    files: tuple[str, ...]
    paths: tuple[str, ...] = ()


def shown(file: str) -> str:
    """How a file of rendered YAML is called in reports."""
    return "<stdin>" if file == "-" else file


def default_paths(settings: Settings) -> tuple[str, ...]:
    """Where overlays are looked for when no path is given: the settings', `overlays/`, or here."""
    if settings.paths and settings.file and settings.file.parent == Path.cwd():
        return settings.paths
    return ("overlays",) if Path("overlays").is_dir() else (".",)


def discover(paths: Sequence[str], settings: Settings) -> Targets:
    """Sort paths into overlays and files of rendered YAML; raises `Error` for what is neither.

    Without paths, those of `default_paths`. A folder without any kustomization stands for the files of
    objects in it, a patch for the overlays that use it. With `settings.changed` the paths are changed files,
    and stand for the overlays that they belong to.
    """
    if settings.changed:
        found = _with_changes(paths, settings)
        return replace(found, paths=tuple(overlay.name for overlay in found.overlays))
    return replace(_sorted(paths or default_paths(settings), settings), paths=tuple(paths))


def _sorted(paths: Sequence[str], settings: Settings) -> Targets:
    overlays: dict[str, Overlay] = {}
    files: dict[str, None] = {}
    for text in paths:
        path = Path(text)
        if text == "-":
            files[text] = None
        elif is_there(path, folder=True):
            found = find_overlays(path, settings.exclude)
            overlays.update((overlay.name, overlay) for overlay in found)
            manifests = [] if found else find_manifests(path, settings.exclude)
            files.update((display_path(file), None) for file in manifests)
            if not found and not manifests:
                raise Error(f"nothing to validate in {text}: no kustomization.yaml, and no file of objects")
        elif is_there(path, folder=False):
            if kustomization_in(path.parent) == path:
                overlays.update((overlay.name, overlay) for overlay in find_overlays(path.parent))
            elif is_patch(path) and (users := _users_of(path, settings)):
                overlays.update((overlay.name, overlay) for overlay in users)
            else:
                files[text] = None
        elif target := _link_target(path):
            raise Error(f"{text} is a symbolic link to {target}, which does not exist")
        elif exists(path):
            raise Error(f"{text} is neither a folder nor a regular file")
        else:
            raise Error(f"{shorten(text, 200)} does not exist")
    return Targets(tuple(overlays.values()), tuple(files))


def _users_of(patch: Path, settings: Settings) -> list[Overlay]:
    """The overlays of the repository, or else of the patch's own folders, that use a patch."""
    from vllm_kustomize.kustomize.affected import affected

    owners = [str(folder) for folder in patch.absolute().parents if kustomization_in(folder)]
    for roots in (default_paths(settings), owners[:1]):
        try:
            found = list(affected(_sorted(roots, settings).overlays, {resolved(patch)}))
        except Error:
            continue
        if found:
            return found
    return []


def _link_target(path: Path) -> str:
    try:
        return str(path.readlink())
    except (OSError, ValueError):
        return ""


def _with_changes(files: Sequence[str], settings: Settings) -> Targets:
    """The overlays that changed files belong to; all of them where the settings are among the files."""
    from vllm_kustomize.kustomize.affected import affected

    if not files:
        raise Error("--changed needs the changed files: name them as PATHs")

    targets = _sorted(default_paths(settings), settings)
    changed = {resolved(file) for file in files}
    locations = (*settings.named_schema_locations, *settings.schema_locations)
    shared = (settings.file, settings.baseline, *locations)
    settled = [resolved(path) for path in shared if path]
    if any(file == path or path in file.parents for file in changed for path in settled):
        return targets
    return replace(targets, overlays=tuple(affected(targets.overlays, changed)))
