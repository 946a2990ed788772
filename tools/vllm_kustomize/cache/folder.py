"""The folder that the cache owns, with the tag of https://bford.info/cachedir/; all else in it is left alone.

A folder that holds anything of someone else's is not taken: the cache then makes one of its own in it.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

from vllm_kustomize.kustomize.yaml.reader import parse_json, read_bytes

CACHE_VARIABLE = "VLLM_KUSTOMIZE_CACHE"
MAX_BYTES = 64 << 20
"""What all cache files together may take; a repo of 1,000 overlays takes about 1 MiB."""
TAG = "CACHEDIR.TAG"

_NAME = "vllm-kustomize"
_SIGNATURE = "Signature: 8a477f597d28d172789f06886806bc55"
_TAG_TEXT = f"{_SIGNATURE}\n# The cache of {_NAME}. It may be deleted at any time.\n"
_OWN = re.compile(r"[0-9a-f]{32}(?:\.json|\.[0-9.]+\.tmp)")
_ABANDONED = 3600
"""Seconds after which nobody writes a temporary file any more."""


def cache_folder() -> Path | None:
    """Where cache files are kept; None where there is no such place."""
    chosen = os.environ.get(CACHE_VARIABLE)
    if not chosen:
        base = os.environ.get("XDG_CACHE_HOME", "")
        try:
            return (Path(base) if os.path.isabs(base) else Path.home() / ".cache") / _NAME
        except RuntimeError:  # a user without a home
            return None
    folder = Path(chosen)
    return folder if _is_own(folder) else folder / _NAME


def read_file(file: Path) -> Any:
    """The content of a cache file; None where it is missing, not whole, or no file of ours."""
    try:
        digest, _, content = read_bytes(file, MAX_BYTES).partition(b"\n")
        return parse_json(content) if digest == checksum(content) else None
    except (OSError, ValueError):
        return None


def write_file(file: Path, content: bytes) -> None:
    """Replace a cache file at once, so that no other run ever reads half of it; may raise `OSError`."""
    folder = file.parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _is_own(folder):
        raise FileExistsError(f"{folder} is someone else's")
    tag = folder / TAG
    if not tag.exists():
        tag.write_text(_TAG_TEXT, encoding="utf-8")
    temporary = file.with_suffix(f".{os.getpid()}.{time.time_ns()}.tmp")
    try:
        temporary.touch(mode=0o600, exist_ok=False)
        temporary.write_bytes(checksum(content) + b"\n" + content)
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)
    _prune(folder)


def checksum(content: bytes) -> bytes:
    """The first line of a cache file: by it a file that was cut off or damaged is known."""
    return blake2b(content, digest_size=16).hexdigest().encode()


def _is_own(folder: Path) -> bool:
    """Whether a folder is tagged as a cache of this tool, or holds nothing but its files, or nothing."""
    try:
        names = os.listdir(folder)
        if TAG in names:
            return read_bytes(folder / TAG, 1 << 10).decode("utf-8", "replace").startswith(_TAG_TEXT)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return all(map(_OWN.fullmatch, names))


def _prune(folder: Path) -> None:
    """Remove the files that were not written for the longest time while all take more than MAX_BYTES."""
    files = sorted(_files(folder))
    excess = sum(size for _, size, _ in files) - MAX_BYTES
    for written, size, file in files:
        if excess > 0 or (file.suffix == ".tmp" and written < time.time() - _ABANDONED):
            file.unlink(missing_ok=True)
            excess -= size


def _files(folder: Path) -> Iterator[tuple[float, int, Path]]:
    for entry in os.scandir(folder):
        if _OWN.fullmatch(entry.name):
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(status.st_mode):
                yield status.st_mtime, status.st_size, Path(entry.path)
