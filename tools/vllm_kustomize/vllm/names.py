"""The environment variables and metrics that each vLLM release knows (`data/`, written by tools/catalog)."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

_DATA = Path(__file__).parent / "data"


@cache
def environment_variables(release: str) -> frozenset[str]:
    """The VLLM_* names that a release knows; empty for a release that the table does not have."""
    return _known("environment.json", release)


@cache
def metrics(release: str) -> frozenset[str]:
    """The vllm:* metrics of a release, without Prometheus' suffixes; empty for one that the table lacks."""
    return _known("metrics.json", release)


def releases() -> tuple[str, ...]:
    """The releases in the tables, oldest first."""
    return tuple(_read("environment.json")["releases"])


def _known(file: str, release: str) -> frozenset[str]:
    table = _read(file)
    if release not in table["releases"]:
        return frozenset()
    index = table["releases"].index(release)
    return frozenset(
        name for name, spans in table["names"].items() if any(first <= index <= last for first, last in spans)
    )


@cache
def _read(file: str) -> dict[str, Any]:
    table: dict[str, Any] = json.loads((_DATA / file).read_text(encoding="utf-8"))
    return table
