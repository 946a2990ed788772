"""Try out changes of sources in a copy of the repository, before anything is written."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from vllm_kustomize import pipeline
from vllm_kustomize.kustomize.discover import resolved
from vllm_kustomize.kustomize.edit import write
from vllm_kustomize.kustomize.repository import root_of
from vllm_kustomize.model import Finding, Report
from vllm_kustomize.pipeline import Progress
from vllm_kustomize.settings import Settings

_NOT_COPIED = shutil.ignore_patterns(".git", ".venv", "node_modules", "__pycache__", ".*_cache")


def validate_with(
    contents: Mapping[Path, bytes], paths: Sequence[str], settings: Settings, progress: Progress | None = None
) -> Report:
    """Build and check everything at `paths` as it will be once `contents` are written."""
    with _copy(root_of(Path()), contents):
        return pipeline.validate(paths, replace(settings, cache=False), progress)


def new_findings(before: Report, after: Report) -> tuple[Finding, ...]:
    """The findings that were not there before, whatever release their messages name."""
    known = Counter(map(_place, before.findings))
    found = []
    for finding in after.findings:
        place = _place(finding)
        if known[place]:
            known[place] -= 1
        else:
            found.append(finding)
    return tuple(found)


def _place(finding: Finding) -> tuple[str, str, str, str]:
    file = finding.location.file if finding.location else ""
    return finding.rule, file, str(finding.resource or ""), finding.stable_path


@contextmanager
def _copy(repository: Path, contents: Mapping[Path, bytes]) -> Iterator[None]:
    """Work in a copy of the repository for a while; what does not change is linked, not copied."""
    here = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="vllm-kustomize-", ignore_cleanup_errors=True) as folder:
        copy = resolved(folder) / "tree"
        shutil.copytree(
            repository, copy, symlinks=True, ignore=_NOT_COPIED, copy_function=_link, dirs_exist_ok=True
        )
        (copy / ".git").mkdir()  # the copy is a repository as well: settings are looked for up to its root
        write({copy / file.relative_to(resolved(repository)): text for file, text in contents.items()})
        os.chdir(copy / here.resolve().relative_to(resolved(repository)))
        try:
            yield
        finally:
            os.chdir(here)


def _link(source: str, target: str) -> None:
    with suppress(OSError):  # another file system
        os.link(source, target)
        return
    shutil.copy2(source, target)
