"""What changes with files and folders, without reading them."""

from __future__ import annotations

import os
from collections.abc import Iterator


def stamp(path: str) -> str:
    """What changes with every write to a file, and where a link leads."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return path
    return f"{path} {status.st_ino} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"


def content_stamp(path: str) -> str:
    """The same without what also changes when somebody makes a link to the file."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return path
    return f"{path} {status.st_ino} {status.st_size} {status.st_mtime_ns}"


def below(tree: str) -> Iterator[str]:
    """Every file below a folder, also through links, each real folder once and hidden ones left out."""
    seen: set[tuple[int, int]] = set()
    for root, folders, names in os.walk(tree, followlinks=True):
        try:
            status = os.stat(root)
        except OSError:
            continue
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (os.path.join(root, name) for name in names)
