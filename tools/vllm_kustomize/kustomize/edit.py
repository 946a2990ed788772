"""Change exact spans of source files: no other byte changes, and nothing outside of the repository.

An edit is worked out on the text that was read, applied in memory, judged by whoever asked for it, and
written only then: `edited` returns the new contents, `write` puts them in place.
"""

from __future__ import annotations

import os
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yaml import CSafeLoader, ScalarEvent, YAMLError

from vllm_kustomize.kustomize.discover import display_path, resolved
from vllm_kustomize.kustomize.replay.tree import SourceTree
from vllm_kustomize.kustomize.yaml.reader import read_bytes
from vllm_kustomize.model import Error, Location, Overlay

_BOM = "\ufeff"


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Replace the bytes from `start` up to `end` (from 0) of a file by `text`."""

    file: Path
    start: int
    end: int
    text: str


class Scalars:
    """Where the scalars of a YAML text begin and end, quotes and block headers included."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._spans: dict[tuple[int, int], tuple[int, int]] = {}
        offset = len(_BOM) if text.startswith(_BOM) else 0  # which libyaml does not count
        loader: Any = CSafeLoader(text)
        try:
            while event := loader.get_event():
                if isinstance(event, ScalarEvent):
                    begin: Any = event.start_mark
                    end: Any = event.end_mark
                    span = begin.index + offset, end.index + offset
                    self._spans[begin.line + 1, begin.column + 1] = span
        except YAMLError:
            pass  # what stands before the fault can be edited

    def written(self, at: Location) -> str:
        """The scalar at a place as it is written; empty where none begins there."""
        start, end = self._spans.get((at.line, at.column), (0, 0))
        return self._text[start:end]

    def replace(self, file: Path, at: Location, old: str, new: str) -> Edit | None:
        """The edit that replaces `old` by `new` in the scalar at a place.

        None where no scalar begins there, or it does not hold `old` exactly once.
        """
        written = self.written(at)
        if not old or written.count(old) != 1:
            return None
        start = self._spans[at.line, at.column][0] + written.index(old)
        before = len(self._text[:start].encode())
        return Edit(file, before, before + len(old.encode()), new)


def apply(content: bytes, edits: Iterable[Edit]) -> bytes:
    """The content after edits of one file; raises `Error` where two of them overlap."""
    result, end = [], 0
    for edit in sorted(set(edits)):
        if edit.start < end:
            raise Error(f"two changes of {display_path(edit.file)} overlap at byte {edit.start}")
        result += [content[end : edit.start], edit.text.encode()]
        end = edit.end
    return b"".join([*result, content[end:]])


def edited(edits: Iterable[Edit], repository: Path) -> Mapping[Path, bytes]:
    """What the files that are edited will hold, by their path without links.

    Raises `Error` for a file outside of the repository, one that cannot be read, and edits that overlap.
    """
    by_file: dict[Path, list[Edit]] = defaultdict(list)
    for edit in edits:
        by_file[resolved(edit.file)].append(edit)
    contents = {}
    for file, own in sorted(by_file.items()):
        if not file.is_relative_to(resolved(repository)):
            raise Error(f"{display_path(own[0].file)} is outside of the repository and stays as it is")
        try:
            contents[file] = apply(read_bytes(file), own)
        except OSError as error:
            raise Error(f"cannot read {display_path(file)}: {error.strerror}") from None
    return contents


def users(
    files: Iterable[Path], overlays: Sequence[Overlay], tree: SourceTree
) -> Mapping[Path, tuple[str, ...]]:
    """The overlays whose builds read each of some files: a change of a base is one of all of them."""
    read = {overlay.name: tree.graph(overlay.directory).files for overlay in overlays}
    return {file: tuple(name for name, its in read.items() if {file, resolved(file)} & its) for file in files}


def write(contents: Mapping[Path, bytes]) -> None:
    """Put new contents in place, each file whole or not at all, with its permissions.

    Raises `Error` for the first that cannot be written, and says which ones were.
    """
    written: list[str] = []
    for file, content in contents.items():
        try:
            _replace(file, content)
        except OSError as error:
            done = f"; written: {', '.join(written)}" if written else "; nothing was written"
            raise Error(f"cannot write {display_path(file)}: {error.strerror}{done}") from None
        written.append(display_path(file))


def _replace(file: Path, content: bytes) -> None:
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    new = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)
        new.chmod(file.stat().st_mode)
        new.replace(file)
    except BaseException:
        new.unlink()
        raise
