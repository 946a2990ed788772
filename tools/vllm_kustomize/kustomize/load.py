"""Turn rendered YAML into resources."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vllm_kustomize.kustomize.yaml.reader import parse_yaml
from vllm_kustomize.model import Error, FieldPath, Resource


def load_rendered(output: bytes, name: str) -> Iterator[Resource]:
    """Read what the engine rendered for the overlay `name`.

    Raises `Error` where it is no YAML.
    """
    try:
        documents = parse_yaml(output.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise Error(f"{name}: the engine's output is not UTF-8 (byte {error.start})") from None
    except ValueError as error:
        raise Error(f"{name}: the engine's output is not YAML: {error}") from None
    for index, document in enumerate(documents):
        yield from resources_in(document, index)


def resources_in(document: Any, index: int, at: FieldPath = ()) -> Iterator[Resource]:
    """The objects of one document: none where it is empty, the items of a `List` one by one."""
    if document is None:
        return
    if not isinstance(document, dict):
        yield Resource({}, index, at)
        return
    kind, items = document.get("kind"), document.get("items")
    if isinstance(kind, str) and kind.endswith("List") and isinstance(items, list):
        for position, item in enumerate(items):
            yield from resources_in(item, index, (*at, "items", position))
    else:
        yield Resource(document, index, at)
