"""Output formats, one a module: each has `render(report, style)`, which returns the whole text."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from vllm_kustomize.model import Report

FORMATS = tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))
"""The modules beside this one; their names are what `--format` takes."""


@dataclass(frozen=True, slots=True)
class Style:
    """How to write for a person. A `verbosity` of -1 is quiet, 1 and more is talkative."""

    colour: bool = False
    verbosity: int = 0
    seconds: float | None = None


def render(name: str, report: Report, style: Style) -> str:
    """Write a report in one of the FORMATS."""
    reporter: Callable[[Report, Style], str] = import_module(f"{__name__}.{name}").render
    return reporter(report, style)
