"""Let a signal end what runs, but not in the middle of what would swallow it."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator


class Ended(BaseException):
    """The system asked the command to end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.signal = number


_held = False
_waiting: int | None = None


@contextlib.contextmanager
def signals() -> Iterator[None]:
    """End inside the block as Ctrl-C does where the system asks to, so that what is open is closed.

    SIGTERM, SIGHUP and SIGQUIT raise `Ended`, SIGINT raises KeyboardInterrupt.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {
        number: signal.signal(number, _handle)
        for number in numbers
        if signal.getsignal(number) != signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Let a signal wait for the end of the block, in which modules are imported.

    Python ignores an exception in the callbacks of its import locks, and jsonschema_rs panics where one
    comes while it is loaded; in both cases the command would go on.
    """
    global _held, _waiting
    _held = True
    try:
        yield
    finally:
        _held = False
        number, _waiting = _waiting, None
    if number is not None:
        _end(number)


def _handle(number: int, _: object) -> None:
    global _waiting
    if _held:
        _waiting = number
    else:
        _end(number)


def _end(number: int) -> None:
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise Ended(number)
