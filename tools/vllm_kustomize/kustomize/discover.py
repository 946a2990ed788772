"""Find the overlays to build."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from vllm_kustomize.model import Error, Overlay

KUSTOMIZATION_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
"""The names that Kustomize looks for (pkg/constants of kubernetes-sigs/kustomize)."""

INCLUDES = ("resources", "bases", "components")
"""The fields of a kustomization that include other kustomizations."""

PATCHES = ("patches", "patchesStrategicMerge", "patchesJson6902")
"""The fields that list patches."""

PLUGINS = ("generators", "transformers", "validators", "helmCharts", "helmChartInflationGenerator")
"""The fields whose effect only the engine can work out."""

_SKIPPED_DIRECTORIES = frozenset({"node_modules", "__pycache__", "vendor", "testdata"})

_CHART = "Chart.yaml"
"""What makes a folder a Helm chart, whose templates only render manifests."""


def kustomization_in(directory: Path) -> Path | None:
    """The kustomization file of a directory, or None."""
    for name in KUSTOMIZATION_NAMES:
        candidate = directory / name
        if is_there(candidate, folder=False):
            return candidate
    return None


def is_there(path: Path, *, folder: bool) -> bool:
    """Whether a path is a folder, or a file; neither where it cannot even be asked for."""
    return os.path.isdir(path) if folder else os.path.isfile(path)


def exists(path: Path) -> bool:
    """Whether there is anything at a path."""
    return os.path.exists(path)


def resolved(path: Path | str) -> Path:
    """The absolute path without links, also where it is none that could exist."""
    try:
        return Path(os.path.realpath(path))
    except (OSError, ValueError):
        return Path(os.path.abspath(str(path).replace("\0", "")))


def find_overlays(tree: Path, exclude: Sequence[str] = ()) -> list[Overlay]:
    """Find the overlays at or below a directory, by name; none where no folder has a kustomization.

    A directory with a kustomization of its own is one overlay. In any other tree an overlay is a
    Kustomization that nothing else in the tree builds on, or one right below a folder called `overlays`; a
    Component is none, because it cannot be built alone. Test data, charts, what git ignores and what the
    patterns of `exclude` name are left out.

    Raises `Error` for a Component, and where a folder cannot be read.
    """
    own = kustomization_in(tree)
    if own:
        if kustomization_content(own).get("kind") == "Component":
            raise Error(f"{tree} is a Component: it is built through an overlay that lists it")
        return [overlay_at(tree)]
    from vllm_kustomize.kustomize.ignored import ignored

    files = list(_walk(tree, exclude))
    left_out = ignored(files, tree)
    kustomizations = {
        resolved(file.parent): kustomization_content(file) for file in files if file not in left_out
    }
    used = {
        Path(os.path.realpath(directory / entry))
        for directory, content in kustomizations.items()
        for key in INCLUDES
        for entry in _strings(content.get(key))
        if "://" not in entry and "\0" not in entry
    }
    found = sorted(
        directory
        for directory, content in kustomizations.items()
        if content.get("kind", "Kustomization") == "Kustomization"
        and (directory not in used or directory.parent.name == "overlays")
    )
    return [overlay_at(directory) for directory in found]


def find_manifests(tree: Path, exclude: Sequence[str] = ()) -> list[Path]:
    """The YAML files below a directory that hold Kubernetes objects, for trees without a kustomization."""
    from vllm_kustomize.kustomize.ignored import ignored

    files = [
        folder / name
        for folder, names in _folders(tree, exclude)
        for name in sorted(names)
        if name.endswith((".yaml", ".yml")) and not name.startswith(".") and _holds_objects(folder / name)
    ]
    left_out = ignored(files, tree)
    return [file for file in files if file not in left_out]


def yaml_files(path: Path, exclude: Sequence[str] = ()) -> list[Path]:
    """The YAML files at or below a path, those of Helm charts too and of tests not; a file is itself."""
    if is_there(path, folder=False):
        return [path]
    return [
        folder / name
        for folder, names in _folders(path, exclude, charts=True)
        if _TESTS.isdisjoint(folder.relative_to(path).parts)
        for name in sorted(names)
        if name.endswith((".yaml", ".yml")) and not name.startswith(".")
    ]


_TESTS = frozenset({"test", "tests"})


def is_patch(file: Path) -> bool:
    """Whether the closest kustomization above a file lists it as a patch."""
    folder = next((parent for parent in file.absolute().parents if kustomization_in(parent)), None)
    kustomization = kustomization_in(folder) if folder else None
    if folder is None or kustomization is None:
        return False
    content = kustomization_content(kustomization)
    listed = [
        item.get("path") if isinstance(item, dict) else item
        for key in PATCHES
        for item in _list(content.get(key))
    ]
    return any(
        isinstance(path, str) and "\n" not in path and resolved(folder / path) == resolved(file)
        for path in listed
    )


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


def _walk(tree: Path, exclude: Sequence[str]) -> Iterator[Path]:
    for folder, _ in _folders(tree, exclude):
        if file := kustomization_in(folder):
            yield file


def _folders(tree: Path, exclude: Sequence[str], *, charts: bool = False) -> Iterator[tuple[Path, list[str]]]:
    """The folders at and below a directory that are searched, with the names of their files."""

    def refuse(error: OSError) -> None:
        raise Error(f"cannot read {error.filename}: {error.strerror}")

    for root, directories, names in os.walk(tree, onerror=refuse):
        folder = Path(root)
        directories[:] = sorted(
            name
            for name in directories
            if not name.startswith(".")
            and name not in _SKIPPED_DIRECTORIES
            and (charts or not (folder / name / _CHART).is_file())
            and not _is_excluded(folder / name, exclude)
        )
        yield folder, names


def _is_excluded(folder: Path, exclude: Sequence[str]) -> bool:
    shown = display_path(folder) if exclude else ""
    return any(fnmatchcase(shown, pattern.rstrip("/")) for pattern in exclude)


def _holds_objects(file: Path) -> bool:
    """Whether a file has an object, or may have one that cannot be read."""
    from vllm_kustomize.kustomize.yaml.reader import read_text

    try:
        text = read_text(file)
    except (OSError, UnicodeDecodeError):
        return True
    return all(field.search(text) for field in _OF_OBJECTS) and not _TEMPLATE.search(text)


_OF_OBJECTS = tuple(
    re.compile(rf"^(?:[- ] )?[\"']?{field}[\"']?\s*:", re.MULTILINE) for field in ("apiVersion", "kind")
)
"""A file without both is not for Kubernetes: the index of a Helm repository has an apiVersion alone."""
_TEMPLATE = re.compile(r"^[ \t]*(?:- )?(?:[\w.-]+:[ \t]*)?\{\{", re.MULTILINE)
"""A value or line that begins with an action of Go's templates: the file is YAML only once it is rendered."""


def kustomization_content(file: Path) -> dict[str, object]:
    """The kustomization's content; what cannot be read is left for the engine to complain of."""
    from vllm_kustomize.kustomize.yaml.reader import parse_yaml, read_text

    try:
        documents = parse_yaml(read_text(file))
    except (ValueError, OSError):
        return {}
    return documents[0] if documents and isinstance(documents[0], dict) else {}


def _strings(value: object) -> list[str]:
    return [item for item in _list(value) if isinstance(item, str)]


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
