"""What each vLLM release knows by name (`data/facts.json`, written by tools/catalog).

For a release that is not known (an empty text) it is what any release knows.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from vllm_kustomize.vllm.cli.catalog import version_key

_TABLE = Path(__file__).parent / "data" / "facts.json"


@cache
def known(section: str, release: str) -> frozenset[str]:
    """The names in a section of the table that a release may have; empty where the table does not say."""
    around = _around(_table()["releases"], release)
    return frozenset(
        name
        for name, spans in _table()[section].items()
        if any(_covers(span, each) for span in spans for each in around)
    )


def environment_variables(release: str) -> frozenset[str]:
    """The VLLM_* names that a release may know."""
    return known("environment", release)


def metrics(release: str) -> frozenset[str]:
    """The vllm:* metrics that a release may have, without Prometheus' suffixes."""
    return known("metrics", release)


def oldest_compute_capability(release: str) -> tuple[int, int] | None:
    """The lowest compute capability that the CUDA image of a release has kernels for."""
    architectures = known("cuda_architectures", release)
    numbers = (architecture.removesuffix("+PTX").split(".") for architecture in architectures)
    return min(((int(major), int(minor)) for major, minor in numbers), default=None)


def last_with(section: str, name: str) -> str:
    """The newest release that has a name in a section of the table, or an empty string where none does."""
    spans = _table()[section].get(name)
    if spans is None:
        return ""
    return str(spans[-1][1] if len(spans[-1]) == 2 else _table()["releases"][-1])


def _around(releases: list[str], release: str) -> tuple[str, ...]:
    """A release of the table, or the two releases that one which is not in it lies between; all for none."""
    if not release:
        return tuple(releases)
    if release in releases:
        return (release,)
    older = sum(version_key(version) < version_key(release) for version in releases)
    return tuple(releases[max(0, older - 1) : older + 1]) if older < len(releases) else ()


def _covers(span: list[str], release: str) -> bool:
    """Whether a release lies in a span, `[first, last]` or `[first]` and later."""
    first, last = version_key(span[0]), version_key(span[-1])
    return first <= version_key(release) and (len(span) == 1 or version_key(release) <= last)


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(_TABLE.read_text(encoding="utf-8"))
    return table
