"""Wait until a file changes, with nothing but `stat`, which works on every file system."""

from __future__ import annotations

import time
from collections.abc import Iterable

from vllm_kustomize.cache.stamps import below, stamp

INTERVAL = 0.05
"""Seconds between two looks; an edit is to be answered within 0.3 s, build included."""
SHARE = 0.1
"""The part of a core that looking may take: on a huge tree looks are further apart."""


def wait_for_change(paths: Iterable[str], before: frozenset[str]) -> None:
    """Return as soon as the stamps of `paths` are no longer those of `before`."""
    paths = tuple(paths)
    while True:
        started = time.perf_counter()
        if stamps(paths) != before:
            return
        time.sleep(max(INTERVAL, (time.perf_counter() - started) / SHARE))


def stamps(paths: Iterable[str]) -> frozenset[str]:
    """What changes when one of `paths`, or anything in a folder among them, is written, added or removed."""
    return frozenset(stamp(file) for path in paths for file in (path, *below(path)))
