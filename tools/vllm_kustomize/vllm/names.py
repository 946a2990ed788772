"""The environment variables and metrics that each vLLM release knows (`data/`, written by tools/catalog)."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

_DATA = Path(__file__).parent / "data"


@cache
def environment_variables(release: str) -> frozenset[str]:
    """The VLLM_* names that a release knows; empty where the table has none of its minor version."""
    return _known("environment.json", release)


@cache
def metrics(release: str) -> frozenset[str]:
    """The vllm:* metrics of a release, without Prometheus' suffixes; empty as above."""
    return _known("metrics.json", release)


def last_with_variable(name: str) -> str:
    """The newest release that knows a VLLM_* name, or an empty string where none does."""
    table = _read("environment.json")
    spans = table["names"].get(name)
    return str(table["releases"][spans[-1][1]]) if spans else ""


def _known(file: str, release: str) -> frozenset[str]:
    table = _read(file)
    index = _index(table["releases"], release)
    if index is None:
        return frozenset()
    return frozenset(
        name for name, spans in table["names"].items() if any(first <= index <= last for first, last in spans)
    )


def _index(known: list[str], release: str) -> int | None:
    """The place of a release, or else of the newest one of the same minor version."""
    minor = _minor(release)
    alike = [index for index, version in enumerate(known) if _minor(version) == minor]
    return known.index(release) if release in known else max(alike, default=None)


def _minor(release: str) -> list[str]:
    return release.split(".")[:2]


@cache
def _read(file: str) -> dict[str, Any]:
    table: dict[str, Any] = json.loads((_DATA / file).read_text(encoding="utf-8"))
    return table
