"""Cache each overlay's findings until something that its build reads changes.

An entry is good while the files that the source graph names hold the same bytes, the same files lie in the
folders of its kustomizations, and engine, tool, schemas and settings are the same. Whatever the graph
does not know (a remote base, a plugin) makes a build that is never remembered. Only findings are kept, never
rendered objects, and a cache that cannot be read or written costs time and nothing else.
"""

from __future__ import annotations

import contextlib
import json
import os
import sysconfig
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from vllm_kustomize.cache.folder import cache_folder, read_file, write_file
from vllm_kustomize.cache.stamps import below, content_stamp, stamp
from vllm_kustomize.cache.values import read, written
from vllm_kustomize.kustomize.discover import KUSTOMIZATION_NAMES, is_there
from vllm_kustomize.kustomize.engine import Engine
from vllm_kustomize.kustomize.yaml.reader import open_regular
from vllm_kustomize.model import KubernetesVersion, Overlay, Part
from vllm_kustomize.settings import CheckSettings, Settings

if TYPE_CHECKING:
    from vllm_kustomize.kustomize.replay.graph import SourceGraph

JUST_NOW = 10_000_000
"""Nanoseconds by which a file system's clock may lag behind the machine's (a tick of the kernel)."""

READ_BY_CHECKS = (".yaml", ".yml", ".json")
"""Files that checks may read though no kustomization names them."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """What came of an overlay, and the signatures of what its build read."""

    inputs: Mapping[str, str]
    part: Part


@dataclass(frozen=True, slots=True)
class _Stored:
    """What a cache file holds."""

    key: str
    engine: str
    versions: tuple[KubernetesVersion, ...]
    patterns: tuple[str, ...]
    entries: Mapping[str, _Entry]


class Cache:
    """What is remembered of the overlays of one working directory, for one set of settings.

    `engine` and `versions` are what a run found out about the engine and the settings; they hold as long as
    the rest does. `inputs` are the files and folders behind all overlays that were asked for. Leaving its
    context writes the cache; without a file it lives as long as the process.
    """

    def __init__(self, file: Path | None = None, key: str = "") -> None:
        self._file = file
        self.key = key
        self._changed = False
        stored = _read(file, key) if file else None
        self._entries = dict(stored.entries) if stored else {}
        self.engine = stored.engine if stored else ""
        self.versions = stored.versions if stored else ()
        self.patterns = stored.patterns if stored else ()
        self.inputs: set[str] = set()
        self.refresh()

    def refresh(self) -> None:
        """Look at the files anew; within one run each is read once."""
        self._started = time.time_ns() - JUST_NOW
        self._signatures: dict[str, str] = {}
        self._real: dict[str, str] = {}

    def get(self, overlay: Overlay) -> Part | None:
        """What came of an overlay the last time, or None where it has to be built."""
        entry = self._entries.get(overlay.name)
        if entry and all(self._signature(path) == signature for path, signature in entry.inputs.items()):
            self.inputs.update(entry.inputs)
            return entry.part
        return None

    def put(self, overlay: Overlay, part: Part, graph: SourceGraph, failed: bool) -> None:
        """Cache an overlay's findings, if `graph` knows all that its build read and it did not fail."""
        self._changed = True
        self._entries.pop(overlay.name, None)
        paths = _inputs(graph) | set(part.reads)
        self.inputs |= paths
        if not (failed or graph.incomplete or any(map(self._may_have_changed, paths))):
            signatures = {path: self._signature(path) for path in paths}
            self._entries[overlay.name] = _Entry(signatures, part)

    def accept(self, patterns: tuple[str, ...]) -> None:
        """Remember that these patterns of rules fit some."""
        self._changed = self._changed or patterns != self.patterns
        self.patterns = patterns

    def __enter__(self) -> Cache:
        return self

    def __exit__(self, *_: object) -> None:
        """Write the cache for the next run, also when this one is interrupted; it may fail, at its cost."""
        if self._file is None or not self._changed:
            return
        entries = {name: entry for name, entry in self._entries.items() if is_there(Path(name), folder=True)}
        stored = _Stored(self.key, self.engine, self.versions, self.patterns, entries)
        with contextlib.suppress(OSError):
            write_file(self._file, json.dumps(written(stored)).encode())

    def _signature(self, path: str) -> str:
        """The digest of a file, or of what lies in a folder; empty where there is nothing."""
        if path not in self._signatures:
            folder, name = os.path.split(path)
            try:
                digest = _digest_file(path) if name else self._digest_folder(folder)
            except OSError:
                digest = ""
            self._signatures[path] = digest + self._target(folder)
        return self._signatures[path]

    def _digest_folder(self, folder: str) -> str:
        """Digest the names in a folder, and the content of files that checks read without being told to."""
        lines = []
        os.stat(folder)  # a folder that is gone is not an empty one
        for file in _files_below(folder):
            lines.append(file)
            if file.endswith(READ_BY_CHECKS):
                lines.append(self._signature(file))
        return blake2b("\n".join(lines).encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()

    def _target(self, folder: str) -> str:
        """Where a symbolic link on the way leads, or nothing: another target may hold the same bytes."""
        if folder not in self._real:
            real = os.path.realpath(folder)
            self._real[folder] = "" if real == folder else real
        return self._real[folder]

    def _may_have_changed(self, path: str) -> bool:
        """Whether something was written since the run began: the engine may have read what was there then."""
        try:
            files = (path, *_files_below(path)) if path.endswith(os.sep) else (path,)
            return any(os.stat(file).st_ctime_ns >= self._started for file in files)
        except OSError:
            return True


def _inputs(graph: SourceGraph) -> set[str]:
    """The files that a build reads, and the folders of its kustomizations, which end in a separator."""
    folders = {f"{kustomization.directory}{os.sep}" for kustomization in graph.kustomizations}
    return folders | {str(file) for file in graph.files}


def open_cache(engine: Path, settings: Settings) -> Cache:
    """Open the cache of the working directory for these settings; an empty one where none is wanted.

    What a cluster says is not remembered either, nor a comparison with what exists: both depend on more than
    the files of the overlay.
    """
    folder = cache_folder()
    if folder is None or settings.server or settings.existing or not settings.cache:
        return Cache()
    asked = repr(settings.of_checks())
    name = blake2b(f"{os.getcwd()}\0{asked}".encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
    return Cache(folder / f"{name}.json", "\n".join((asked, *_surroundings(engine, settings))))


def reopen_cache(cache: Cache | None, engine: Path, settings: Settings) -> Cache:
    """The same cache, ready to look at files anew, where all that its results depend on is the same."""
    opened = open_cache(engine, settings)
    if cache is None or cache.key != opened.key:
        return opened
    cache.refresh()
    return cache


def _surroundings(engine: Path, settings: CheckSettings) -> Iterator[str]:
    """What results depend on besides the files of a repo."""
    yield os.getcwd()
    yield stamp(os.path.realpath(engine))
    if _is_shim(engine):
        with Engine(engine) as started:
            yield started.version()
    yield stamp(sysconfig.get_path("purelib"))  # installing or removing a package changes this folder
    for tree in (
        Path(__file__).parents[1],
        *settings.named_schema_locations,
        *settings.schema_locations,
    ):
        yield content_stamp(str(tree)) if tree.is_file() else os.path.realpath(tree)
        yield from (content_stamp(file) for file in below(str(tree)) if not file.endswith(".pyc"))


def _is_shim(engine: Path) -> bool:
    """Whether an executable chooses the one to run, as asdf and mise do by files that nobody names here.

    A script may; and a link to a program of another name is one that goes by the name it is called with.
    """
    real = os.path.realpath(engine)
    try:
        with open(real, "rb") as file:
            is_script = file.read(2) == b"#!"
    except OSError:
        return False
    return is_script or not os.path.basename(real).startswith(("kubectl", "kustomize"))


def _files_below(folder: str) -> Iterator[str]:
    """The files below a folder, in order, without hidden folders and those that are kustomizations."""
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            and not any(map(os.path.isfile, (os.path.join(root, name, k) for k in KUSTOMIZATION_NAMES)))
        )
        yield from (os.path.join(root, name) for name in sorted(names))


def _digest_file(path: str) -> str:
    digest = blake2b(digest_size=16)
    with open_regular(path) as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _read(file: Path, key: str) -> _Stored | None:
    """What a cache file holds; None where it holds something else, or not for this key."""
    try:
        stored = read(_Stored, read_file(file))
    except ValueError:
        return None
    return stored if stored.key == key else None
