"""The tool could not do what was asked."""

from __future__ import annotations


class Error(Exception):
    """The tool could not do what was asked; the message is for the person at the terminal."""
