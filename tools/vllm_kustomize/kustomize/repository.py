"""What the rest of a repository says about its overlays."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from vllm_kustomize.kustomize.yaml.reader import read_text

_FLUX = re.compile(r"^apiVersion:\s*[\"']?kustomize\.toolkit\.fluxcd\.io/", re.MULTILINE)

_POST_BUILD = re.compile(r"^\s+postBuild:", re.MULTILINE)


def root_of(folder: Path) -> Path:
    """The repository that a folder is in: the closest folder upwards with a `.git`, or else itself."""
    folder = folder.resolve()
    return next((each for each in (folder, *folder.parents) if (each / ".git").exists()), folder)


def substitutes_with_flux(root: Path) -> bool:
    """Whether a Flux Kustomization of the repository replaces variables after the build (`postBuild`)."""
    return any(_FLUX.search(text) and _POST_BUILD.search(text) for text in _texts(root))


def _texts(root: Path) -> Iterator[str]:
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if not name.startswith(".") and name != "node_modules")
        for name in sorted(files):
            if name.endswith((".yaml", ".yml")):
                try:
                    yield read_text(Path(folder, name))
                except (OSError, UnicodeDecodeError):
                    continue
