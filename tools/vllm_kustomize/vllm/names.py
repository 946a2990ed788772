"""The environment variables and metrics that each vLLM release knows (`data/`, written by tools/catalog)."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from vllm_kustomize.vllm.cli.catalog import version_key

_DATA = Path(__file__).parent / "data"


@cache
def environment_variables(release: str) -> frozenset[str]:
    """The VLLM_* names that a release may know; empty for one that is newer than the table."""
    return _known("environment.json", release)


@cache
def metrics(release: str) -> frozenset[str]:
    """The vllm:* metrics that a release may have, without Prometheus' suffixes; empty as above."""
    return _known("metrics.json", release)


def last_with_variable(name: str) -> str:
    """The newest release that knows a VLLM_* name, or an empty string where none does."""
    table = _read("environment.json")
    spans = table["names"].get(name)
    return str(table["releases"][spans[-1][1]]) if spans else ""


def _known(file: str, release: str) -> frozenset[str]:
    table = _read(file)
    around = _around(table["releases"], release)
    return frozenset(
        name
        for name, spans in table["names"].items()
        if any(first <= index <= last for first, last in spans for index in around)
    )


def _around(known: list[str], release: str) -> tuple[int, ...]:
    """The index of a release in the table, or those of the two releases that it lies between."""
    if release in known:
        return (known.index(release),)
    older = sum(version_key(version) < version_key(release) for version in known)
    return (max(0, older - 1), older) if older < len(known) else ()


@cache
def _read(file: str) -> dict[str, Any]:
    table: dict[str, Any] = json.loads((_DATA / file).read_text(encoding="utf-8"))
    return table
