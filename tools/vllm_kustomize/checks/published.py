"""The bundled schemas of Kubernetes' own kinds, all in one file.

tools/record/kubernetes_schemas.py writes it: compressed JSON schemas one after the other, and behind them an
index with the place of every different schema of an `apiVersion kind` and the minor versions of Kubernetes 1
that it holds for. The last eight bytes say where the index begins. So one kind is read without the others.
"""

from __future__ import annotations

import json
import re
import zlib
from functools import cache
from pathlib import Path
from typing import Any

from vllm_kustomize.model import KubernetesVersion

FILE = Path(__file__).with_name("kubernetes-schemas.bin")
OFFSET_BYTES = 8
TIME = (
    "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T"
    "([01]?[0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.,][0-9]+)?(Z|[+-]([01][0-9]|2[0-4]):[0-5][0-9])$"
)
"""RFC 3339 as Go's time.Parse reads it; the only pattern in the schemas."""

Index = dict[str, list[tuple[int, int, list[int]]]]
"""Begin and end of a schema in the file, and its minor versions, for each `apiVersion kind`."""


@cache
def known_versions() -> tuple[KubernetesVersion, ...]:
    """The Kubernetes versions whose schemas are bundled, oldest first."""
    minors = {minor for places in _index().values() for _, _, found in places for minor in found}
    return tuple((1, minor) for minor in sorted(minors))


def schema_of(api_version: str, kind: str, version: KubernetesVersion) -> dict[str, Any] | None:
    """The JSON schema of a kind in one Kubernetes version; None where that version does not serve it."""
    for begin, end, minors in _index().get(f"{api_version} {kind}", ()):
        if version[0] == 1 and version[1] in minors:
            with FILE.open("rb") as file:
                file.seek(begin)
                schema: dict[str, Any] = json.loads(zlib.decompress(file.read(end - begin)))
            return schema
    return None


def api_versions(group: str, kind: str, version: KubernetesVersion) -> tuple[str, ...]:
    """The versions of a kind's group that one Kubernetes version serves, the one to prefer last.

    Source: "Version priority" of custom resources, by which the API server sorts its own versions too.
    """
    found = {
        api_version
        for api_version, _, served in (entry.partition(" ") for entry in _index())
        if served == kind
        and api_version.rpartition("/")[0] == group
        and schema_of(api_version, kind, version) is not None
    }
    return tuple(sorted(found, key=_priority))


def _priority(api_version: str) -> tuple[bool, bool, int, int]:
    found = re.search(r"v(\d{1,6})(?:(alpha|beta)(\d{1,6}))?\Z", api_version)
    major, stage, minor = found.groups() if found else ("0", "alpha", "0")
    return stage is None, stage == "beta", int(major), int(minor or 0)


@cache
def _index() -> Index:
    with FILE.open("rb") as file:
        file.seek(-OFFSET_BYTES, 2)
        begin = int.from_bytes(file.read(OFFSET_BYTES), "big")
        file.seek(begin)
        index: Index = json.loads(zlib.decompress(file.read()[:-OFFSET_BYTES]))
    return index
