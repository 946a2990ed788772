"""The repository as it was at a git revision, without a touch to the work tree."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vllm_kustomize.kustomize.engine import git
from vllm_kustomize.model import Error


@contextmanager
def checked_out(revision: str) -> Iterator[Path]:
    """Check a revision out into a temporary folder; yields the folder that the working directory is there.

    Raises `Error` outside of a repository, and where there is no such revision.
    """
    top = Path(git("rev-parse", "--show-toplevel"))
    commit = commit_of(revision)
    with tempfile.TemporaryDirectory(prefix="vllm-kustomize-") as folder:
        tree = Path(folder).resolve() / "tree"
        tree.mkdir()
        index = {"GIT_INDEX_FILE": str(tree.with_name("index"))}
        git("read-tree", commit, directory=top, variables=index)
        git("checkout-index", "--all", f"--prefix={tree}/", directory=top, variables=index)
        yield tree / Path.cwd().resolve().relative_to(top.resolve())


def changed_since(revision: str) -> tuple[Path, ...]:
    """The files of the work tree that differ from a revision: changed, added, removed, and not yet tracked.

    Raises `Error` outside of a repository, and where there is no such revision.
    """
    top = Path(git("rev-parse", "--show-toplevel"))
    tracked = git("diff", "--name-only", "--no-renames", "-z", commit_of(revision), directory=top)
    new = git("ls-files", "--others", "--exclude-standard", "-z", directory=top)
    return tuple(top / name for name in (*tracked.split("\0"), *new.split("\0")) if name)


def commit_of(revision: str) -> str:
    """The commit that a revision names; raises `Error` where it names none, and outside of a repository."""
    git("rev-parse", "--git-dir")
    try:
        return git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    except Error:
        raise Error(f"git knows no revision '{revision}' here") from None
