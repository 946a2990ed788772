"""Ask git which files it leaves out of the repository."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from vllm_kustomize.kustomize.engine import git
from vllm_kustomize.kustomize.repository import root_of
from vllm_kustomize.model import Error


def ignored(files: Iterable[Path], tree: Path) -> frozenset[Path]:
    """Those of some files below a folder that git ignores, by one question for all of them.

    Nothing where there is no repository, or where the folder itself is ignored: then it was asked for.
    """
    asked = {str(file.absolute()): file for file in files}
    if not asked or not (root_of(tree) / ".git").exists():
        return frozenset()
    whole = str(tree.absolute())
    try:
        answer = git("check-ignore", "-z", "--stdin", directory=tree, given="\0".join((whole, *asked)))
    except Error:  # no git, or not one of them is ignored
        return frozenset()
    found = answer.split("\0")
    return frozenset() if whole in found else frozenset(asked[name] for name in found if name in asked)


def is_ignored(file: Path) -> bool:
    """Whether git leaves a file out of the repository: it is made where the build is run."""
    folder = next((parent for parent in file.parents if parent.is_dir()), None)
    return folder is not None and bool(ignored([file], folder))
