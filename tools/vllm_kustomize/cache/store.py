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
import re
import sysconfig
import time
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vllm_kustomize.kustomize.discover import KUSTOMIZATION_NAMES
from vllm_kustomize.model import (
    Allow,
    Finding,
    Location,
    Overlay,
    Part,
    Precision,
    Resource,
    Severity,
    Skipped,
    Undecided,
)
from vllm_kustomize.settings import CheckSettings, Settings

if TYPE_CHECKING:
    from vllm_kustomize.kustomize.replay.graph import SourceGraph

CACHE_VARIABLE = "VLLM_KUSTOMIZE_CACHE"
MAX_BYTES = 64 << 20
"""What all cache files together may take; a repo of 1,000 overlays takes about 1 MiB."""
JUST_NOW = 10_000_000
"""Nanoseconds by which a file system's clock may lag behind the machine's (a tick of the kernel)."""

READ_BY_CHECKS = (".yaml", ".yml", ".json")
"""Files that checks may read though no kustomization names them."""


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
        stored = _read(file, key) if file else {}
        self._entries: dict[str, Any] = stored.get("entries", {})
        self.engine: str = stored.get("engine", "")
        self.versions = tuple((major, minor) for major, minor in stored.get("versions", ()))
        self.patterns = tuple(stored.get("patterns", ()))
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
        if entry and all(self._signature(path) == signature for path, signature in entry["inputs"].items()):
            self.inputs.update(entry["inputs"])
            return _part(*entry["part"])
        return None

    def put(self, overlay: Overlay, part: Part, graph: SourceGraph, failed: bool) -> None:
        """Cache an overlay's findings, if `graph` knows all that its build read and it did not fail."""
        self._changed = True
        self._entries.pop(overlay.name, None)
        paths = _inputs(graph) | set(part.reads)
        self.inputs |= paths
        if not (failed or graph.incomplete or any(map(self._may_have_changed, paths))):
            signatures = {path: self._signature(path) for path in paths}
            self._entries[overlay.name] = {"inputs": signatures, "part": _values(part)}

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
        entries = {name: entry for name, entry in self._entries.items() if Path(name).is_dir()}
        stored = {
            "key": self.key,
            "engine": self.engine,
            "versions": self.versions,
            "patterns": self.patterns,
            "entries": entries,
        }
        with contextlib.suppress(OSError):
            _write(self._file, json.dumps(stored).encode())
            _prune(self._file.parent)

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
    folder = _folder()
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


def _folder() -> Path | None:
    """Where cache files are kept; None where there is no such place."""
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME", "")
    try:
        return (Path(base) if os.path.isabs(base) else Path.home() / ".cache") / "vllm-kustomize"
    except RuntimeError:  # a user without a home
        return None


def _surroundings(engine: Path, settings: CheckSettings) -> Iterator[str]:
    """What results depend on besides the files of a repo."""
    yield os.getcwd()
    yield stamp(str(engine))
    yield stamp(sysconfig.get_path("purelib"))  # installing or removing a package changes this folder
    for tree in (
        Path(__file__).parents[1],
        *settings.named_schema_locations,
        *settings.schema_locations,
    ):
        if tree.is_file():
            yield stamp(str(tree))
        for root, _, names in os.walk(tree, followlinks=True):
            yield from (_content(os.path.join(root, name)) for name in names if not name.endswith(".pyc"))


def _content(path: str) -> str:
    """What changes with a file's content; its status also changes when somebody makes a link to it."""
    try:
        status = os.stat(path)
    except OSError:
        return path
    return f"{path} {status.st_size} {status.st_mtime_ns}"


def stamp(path: str) -> str:
    """What changes with every write to a file, without reading it."""
    try:
        status = os.stat(path)
    except OSError:
        return path
    return f"{path} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"


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
    with open(path, "rb") as file:
        return blake2b(file.read(), digest_size=16).hexdigest()


def _values(value: Any) -> Any:
    """What a value is made again from: the arguments of a dataclass, without what it keeps besides them."""
    if is_dataclass(value):
        return [_values(getattr(value, each.name)) for each in fields(value) if each.init]
    return [_values(each) for each in value] if isinstance(value, tuple) else value


def _part(
    findings: Sequence[Any],
    documents: int,
    skipped: Sequence[Any],
    allows: Sequence[Any],
    definitions: Sequence[str],
    undecided: Sequence[Any],
    reads: Sequence[str],
) -> Part:
    return Part(
        tuple(map(_finding, findings)),
        documents,
        tuple(Skipped(*each) for each in skipped),
        tuple(map(_allow, allows)),
        tuple(definitions),
        tuple(map(_undecided, undecided)),
        tuple(reads),
    )


def _allow(values: Sequence[Any]) -> Allow:
    allow = Allow(*values)
    return replace(allow, location=_location(allow.location), rules=tuple(allow.rules))


def _undecided(values: Sequence[Any]) -> Undecided:
    undecided = Undecided(*values)
    return replace(undecided, rules=tuple(undecided.rules), targets=tuple(undecided.targets))


def _finding(values: Sequence[Any]) -> Finding:
    finding = Finding(*values)
    return replace(
        finding,
        severity=Severity(finding.severity),
        resource=_resource(finding.resource) if finding.resource else None,
        path=tuple(finding.path),
        location=_location(finding.location) if finding.location else None,
        related=tuple(map(_location, finding.related)),
        overlays=tuple(finding.overlays),
    )


def _resource(values: Any) -> Resource:
    resource = Resource(*values)
    return replace(resource, at=tuple(resource.at))


def _location(values: Any) -> Location:
    location = Location(*values)
    return replace(location, precision=Precision(location.precision))


def _read(file: Path, key: str) -> dict[str, Any]:
    """What a cache file holds; nothing where it is not whole, or not for this key."""
    try:
        digest, _, content = file.read_bytes().partition(b"\n")
        if digest != _checksum(content):
            return {}
        stored = json.loads(content)
    except (OSError, ValueError):
        return {}
    return stored if isinstance(stored, dict) and stored.get("key") == key else {}


def _write(file: Path, content: bytes) -> None:
    """Replace a cache file at once, so that no other run ever reads half of it."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = file.with_suffix(f".{os.getpid()}.{time.time_ns()}.tmp")
    try:
        temporary.touch(mode=0o600, exist_ok=False)
        temporary.write_bytes(_checksum(content) + b"\n" + content)
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)


def _checksum(content: bytes) -> bytes:
    return blake2b(content, digest_size=16).hexdigest().encode()


_OWN = re.compile(r"[0-9a-f]{32}\.json")
"""The names of cache files; the folder that a user chose may hold others, which are not ours to remove."""


def _prune(folder: Path) -> None:
    """Remove the files that were not written for the longest time while all take more than MAX_BYTES."""
    files = sorted(
        (file.stat().st_mtime, file.stat().st_size, file)
        for file in folder.glob("*.json")
        if _OWN.fullmatch(file.name)
    )
    excess = sum(size for _, size, _ in files) - MAX_BYTES
    for _, size, file in files:
        if excess <= 0:
            break
        file.unlink(missing_ok=True)
        excess -= size
