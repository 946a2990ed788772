"""The ConfigMaps and Secrets that a kustomization generates.

Source: api/internal/generators and api/kv of kubernetes-sigs/kustomize.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator

from vllm_kustomize.kustomize.replay.objects import Source
from vllm_kustomize.kustomize.yaml.nodes import Node, written_over
from vllm_kustomize.model import Precision

ReadFile = Callable[[Node, str], tuple[str, bytes]]
"""Reads a file of an entry: (entry, path) to the name to show and the content, empty if unreadable."""


def generate(kind: str, entry: Node, options: Node | None, text: str, read: ReadFile) -> Source:
    """Return the object that one entry of `configMapGenerator:` or `secretGenerator:` stands for.

    `options` is the kustomization's `generatorOptions`, `text` that of its file.
    """
    here = Node(None, entry.file, entry.line, entry.column, precision=Precision.PARENT)
    metadata: dict[str, Node] = {}
    for field in ("name", "namespace"):
        node = entry.get(field)
        if node is not None and node.value:
            metadata[field] = node
    own = entry.get("options")
    for field in ("labels", "annotations"):
        pairs = [
            node.value
            for level in (options, own)
            if level and (node := level.get(field)) and isinstance(node.value, dict)
        ]
        if pairs:
            metadata[field] = here.replace({name: node for pair in pairs for name, node in pair.items()})
    fields = {
        "apiVersion": here.replace("v1"),
        "kind": here.replace(kind),
        "metadata": here.replace(metadata),
    }
    if kind == "Secret":
        fields["type"] = entry.get("type") or here.replace("Opaque")
    data: dict[str, Node] = {}
    binary: dict[str, Node] = {}
    for key, raw, at in _pairs(entry, text.splitlines(), read):
        if kind == "Secret":
            data[key] = at.replace(base64.b64encode(raw).decode())
            continue
        try:
            data[key] = at.replace(raw.decode())
        except UnicodeDecodeError:
            binary[key] = at.replace(base64.b64encode(raw).decode())
    for field, values in (("data", data), ("binaryData", binary)):
        if values:
            fields[field] = here.replace(values)
    if (immutable := _option("immutable", own, options)) is not None and immutable.value is True:
        fields["immutable"] = immutable
    unhashed = _option("disableNameSuffixHash", own, options)
    return Source(
        here.replace(fields),
        entry.file,
        hashed=unhashed is None or unhashed.value is not True,
        behavior=entry.text("behavior") or "create",
    )


def merge_generated(old: Source, new: Source) -> Source:
    """Return what `behavior: merge` or `replace` makes of an object that was there before."""
    fields = dict(new.root.value)
    if new.behavior == "merge":
        for name in ("data", "binaryData"):
            before, after = old.root.get(name), new.root.get(name)
            if before is not None and after is not None:
                values = {key: written_over(node, before.value.get(key)) for key, node in after.value.items()}
                fields[name] = before.replace({**before.value, **values})
            elif before is not None:
                fields[name] = before
    metadata_before, metadata_after = old.root.get("metadata"), new.root.get("metadata")
    if metadata_before is not None and metadata_after is not None:
        metadata = {**metadata_after.value, **metadata_before.value}
        for name in ("labels", "annotations"):
            pairs = [node.value for node in (metadata_before.get(name), metadata_after.get(name)) if node]
            if pairs:
                merged = {key: node for pair in pairs for key, node in pair.items()}
                metadata[name] = metadata[name].replace(merged)
        fields["metadata"] = metadata_before.replace(metadata)
    hashed = old.hashed and new.hashed  # tried: the engine appends a hash where neither switches it off
    return Source(old.root.replace(fields), old.file, old.previous, hashed, old.behavior)


def _pairs(entry: Node, lines: list[str], read: ReadFile) -> Iterator[tuple[str, bytes, Node]]:
    """Every key with its content and where that is written."""
    envs = [node for node in (entry.get("env"),) if node is not None and isinstance(node.value, str)]
    for item in [*entry.items("envs"), *envs]:
        name, content = read(item, str(item.value))
        for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
            text = line.removeprefix("\ufeff").lstrip() if number == 1 else line.lstrip()
            key, equals, value = text.partition("=")
            if text and not text.startswith("#") and equals:
                at = Node(None, name, number, len(line) - len(text) + len(key) + 2)
                yield key, value.encode(), at
    for item in entry.items("literals"):
        key, equals, value = str(item.value).partition("=")
        if equals:
            if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
                value = value[1:-1]
            yield key, value.encode(), _behind(item, f"{key}=", lines[item.line - 1][item.column - 1 :])
    for item in entry.items("files"):
        key, equals, path = str(item.value).partition("=")
        path = path if equals else key
        name, content = read(item, path)
        if name:
            yield (key if equals else path.rpartition("/")[2]), content, Node(None, name, 1, 1)


def _behind(item: Node, key: str, written: str) -> Node:
    """The place of a literal's value: behind its key, where the two are written as they are."""
    quotes = 1 if written[:1] in ("'", '"') else 0
    offset = quotes + len(key) if written[quotes:].startswith(key) else 0
    return Node(None, item.file, item.line, item.column + offset)


def _option(name: str, *levels: Node | None) -> Node | None:
    return next((node for level in levels if level is not None and (node := level.get(name))), None)
