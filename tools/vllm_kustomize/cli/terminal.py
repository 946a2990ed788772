"""What is known of the terminal that a command prints to."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

import click

BOLD, DIM, RED, GREEN, CYAN = "1", "2", "31", "32", "36"
"""The codes of SGR, ECMA-48."""


def has_colour() -> bool:
    """Whether standard output shows colours, and nobody asked for none (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, code: str) -> str:
    """The text in a colour, where there is one."""
    return f"\x1b[{code}m{text}\x1b[0m" if code and text and has_colour() else text


def disarmed(text: str) -> str:
    """A text for people whose words GitHub Actions does not take for commands.

    Source: "Stopping and starting workflow commands" in the documentation of GitHub Actions.
    """
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return text
    from uuid import uuid4

    token = uuid4().hex
    return f"::stop-commands::{token}\n{text}::{token}::\n"


@contextlib.contextmanager
def progress(label: str, quiet: bool = False) -> Iterator[Callable[[int, int], None] | None]:
    """A progress bar on a terminal, from the moment it is known that there are many overlays."""
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    few = 8
    with contextlib.ExitStack() as stack:
        bars: list[Any] = []

        def advance(done: int, total: int) -> None:
            if total <= few:
                return
            if not bars:
                bar = click.progressbar(length=total, label=label, file=sys.stderr)
                bars.append(stack.enter_context(bar))
            bars[0].update(1)

        yield advance
