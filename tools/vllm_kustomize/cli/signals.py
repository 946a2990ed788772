"""End as Ctrl-C does where the system asks to: with every process ended that was started."""

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


@contextlib.contextmanager
def signals() -> Iterator[None]:
    """Raise `Ended` inside the block for SIGTERM, SIGHUP and SIGQUIT, so that what is open is closed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, _: object) -> None:
        raise Ended(number)

    names = ("SIGTERM", "SIGHUP", "SIGQUIT")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {
        number: signal.signal(number, end) for number in numbers if signal.getsignal(number) != signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
