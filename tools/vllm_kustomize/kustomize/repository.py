"""What a repository has and says beside its overlays."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vllm_kustomize.kustomize.yaml.reader import read_text

_FLUX = re.compile(r"^apiVersion:\s*[\"']?kustomize\.toolkit\.fluxcd\.io/", re.MULTILINE)

_POST_BUILD = re.compile(r"^[ \t]+postBuild:", re.MULTILINE)


_URL = re.compile(r"^\s*url\s*=\s*(\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository on disk: its folders, and the URLs that it was cloned from."""

    root: Path

    def has(self, folder: str) -> bool:
        """Whether a folder is there, given by its path from the root."""
        return (self.root / folder).is_dir()

    def folders(self, folder: str) -> list[str]:
        """The names of the folders in one; none where it is not there."""
        try:
            return sorted(each.name for each in (self.root / folder).iterdir() if each.is_dir())
        except OSError:
            return []

    def is_at(self, url: str) -> bool:
        """Whether a URL is that of one of its remotes, over whatever protocol."""
        return bool(url) and _location(url) in {_location(remote) for remote in _remotes(self.root)}


def _remotes(root: Path) -> list[str]:
    """The URLs in git's configuration; a work tree has it in the repository that it belongs to."""
    git = root / ".git"
    try:
        if git.is_file():
            git = root / read_text(git).partition("gitdir:")[2].strip()
            git = git / read_text(git / "commondir").strip()
        return _URL.findall(read_text(git / "config"))
    except (OSError, UnicodeDecodeError):
        return []


def _location(url: str) -> str:
    """A URL without protocol, user, port and `.git`: `git@host:a/b.git` and `https://host/a/b` are one."""
    plain = re.sub(r"^\w+://", "", url.strip()).rpartition("@")[2].removesuffix("/").removesuffix(".git")
    return re.sub(r":(?:\d+/)?", "/", plain, count=1).lower()


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
