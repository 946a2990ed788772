"""Turn rendered YAML into resources."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from vllm_kustomize.kustomize.yaml.reader import dump_yaml, parse_yaml
from vllm_kustomize.model import Error, FieldPath, Resource

_SEPARATOR = "\n---\n"
"""What the engine writes between documents; within one every line that begins so is indented."""
_LONG = 20_000
"""Characters from which a document is worth keeping for the next overlay."""
_MOST_LONG = 256


def load_rendered(output: bytes, name: str) -> Iterator[Resource]:
    """Read what the engine rendered for the overlay `name`.

    Raises `Error` where it is not valid YAML.
    """
    try:
        texts = output.decode("utf-8").split(_SEPARATOR)
        documents = [
            document for text in texts for document in (_read_long if len(text) > _LONG else _read)(text)
        ]
    except UnicodeDecodeError as error:
        raise Error(f"{name}: the engine's output is not UTF-8 (byte {error.start})") from None
    except ValueError as error:
        raise Error(f"{name}: the engine's output is not YAML: {error}") from None
    for index, document in enumerate(documents):
        yield from resources_in(document, index)


def texts_of(output: bytes, resources: Sequence[Resource]) -> list[str]:
    """The text of each object as the engine rendered it; of the items of a `List`, as YAML of their own."""
    documents = output.decode("utf-8").removesuffix("\n").split(_SEPARATOR)
    return [
        dump_yaml(resource.manifest) if resource.at else documents[resource.document]
        for resource in resources
    ]


def _read(text: str) -> tuple[Any, ...]:
    return tuple(parse_yaml(text))


_read_long = lru_cache(_MOST_LONG)(_read)
"""Overlays render the same long documents, definitions of custom resources above all."""


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
