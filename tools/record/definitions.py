"""Install CustomResourceDefinitions into the control plane, whose objects are recorded then."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from record.client import Client
from record.control_plane import RecordError
from record.schemas import Schema
from record.verdicts import MANAGER

KIND = "CustomResourceDefinition"
SECONDS_TO_SERVE = 60.0
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Definitions = Mapping[tuple[str, str], Schema]
"""The schema of each `apiVersion` and kind."""


def install(client: Client, folder: Path) -> Definitions:
    """Apply every definition in the YAML files of a folder, wait until all are served, give their schemas.

    Raises `RecordError` for one that is refused, or that is not served in time.
    """
    found = list(_read(folder))
    if not found:
        raise RecordError(f"{folder} holds no {KIND}")
    for definition in found:
        place = f"{client.place(definition)}/{definition['metadata']['name']}"
        answer = client.apply(definition, place, MANAGER, dry_run=False)
        if not answer.accepted:
            raise RecordError(f"the definition {definition['metadata']['name']} is refused: {answer.causes}")
    _wait(client, found)
    return {
        (f"{each['spec']['group']}/{version['name']}", each["spec"]["names"]["kind"]): version["schema"][
            "openAPIV3Schema"
        ]
        for each in found
        for version in each["spec"]["versions"]
    }


def _read(folder: Path) -> Iterator[Mapping[str, Any]]:
    for file in sorted(folder.glob("*.yaml")):
        for document in yaml.load_all(file.read_bytes(), _LOADER):
            if isinstance(document, Mapping) and document.get("kind") == KIND:
                yield document


def _wait(client: Client, definitions: list[Mapping[str, Any]]) -> None:
    """Until each served version lists its kind."""
    deadline = time.monotonic() + SECONDS_TO_SERVE
    for definition in definitions:
        spec = definition["spec"]
        served = [version["name"] for version in spec["versions"] if version.get("served", True)]
        for version in served:
            while not _serves(client, f"/apis/{spec['group']}/{version}", spec["names"]["plural"]):
                if time.monotonic() > deadline:
                    raise RecordError(f"{definition['metadata']['name']} is not served as {version}")
                time.sleep(0.2)


def _serves(client: Client, path: str, plural: str) -> bool:
    listed = client.call("GET", path).body.get("resources") or ()
    return any(resource["name"] == plural for resource in listed)
