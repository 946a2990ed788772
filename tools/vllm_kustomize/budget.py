"""A bound on what the checks of one overlay may take: beyond it they stop, and the report says so."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

SECONDS = 30.0
"""Processor time; an ordinary overlay takes a tenth of a second."""
MEMORY = 1 << 30
"""Bytes by which the process may grow; an ordinary overlay takes some megabytes."""

_INTERVAL = 0.1
_STATM = Path("/proc/self/statm")


class OverBudget(BaseException):
    """More was taken than may be; no `except Exception` on the way may swallow it."""


@contextlib.contextmanager
def budget() -> Iterator[None]:
    """Raise `OverBudget` inside the block once it has taken too much.

    A timer looks ten times a second of processor time. Where there is none (Windows, or outside of the main
    thread) the block has no bound.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return
    started, before = time.process_time(), _resident()

    def look(*_: object) -> None:
        if time.process_time() - started > SECONDS:
            raise OverBudget(f"the checks took more than {SECONDS:g} s of processor time")
        if _resident() - before > MEMORY:
            raise OverBudget(f"the checks took more than {MEMORY >> 20} MiB of memory")

    previous = signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, _INTERVAL, _INTERVAL)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, previous)


def _resident() -> int:
    """Bytes of memory that the process holds, or where that is not known, held at most."""
    import resource

    try:
        return int(_STATM.read_bytes().split()[1]) * resource.getpagesize()
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most << 10
