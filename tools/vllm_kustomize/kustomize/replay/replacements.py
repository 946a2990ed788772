"""Copy fields between objects as `replacements:` does, keeping where the copied value was written.

Source: api/filters/replacement of kubernetes-sigs/kustomize.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from vllm_kustomize.kustomize.replay.fields import created
from vllm_kustomize.kustomize.replay.objects import Source
from vllm_kustomize.kustomize.replay.selectors import select
from vllm_kustomize.kustomize.yaml.nodes import Node, written_over
from vllm_kustomize.kustomize.yaml.scalars import resolve, scalar_text
from vllm_kustomize.model import Precision

_STEP = re.compile(r"\[[^\]]*\]?|(?:\\.|[^.\[\\])+")
_NAME = "metadata.name"


def replace_fields(objects: Sequence[Source], entry: Node) -> list[Source]:
    """Apply one replacement; where its source is not one field, which the engine refuses, nothing changes."""
    value = _value(objects, entry)
    result = list(objects)
    if value is None:
        return result
    for target in entry.items("targets"):
        wanted, options = target.get("select"), target.get("options")
        if wanted is None:
            continue
        rejected = {id(source) for reject in target.items("reject") for source in select(reject, result)}
        selected = {id(source) for source in select(wanted, result)} - rejected
        paths = [str(path.value) for path in target.items("fieldPaths")] or [_NAME]
        for index, source in enumerate(result):
            if id(source) in selected:
                root = source.root
                for path in paths:
                    root = _set(root, _steps(path), value, options)
                result[index] = source.changed(root)
    return result


def _value(objects: Sequence[Source], entry: Node) -> Node | None:
    fixed, wanted = entry.get("sourceValue"), entry.get("source")
    if fixed is not None or wanted is None:
        return fixed
    found = [source for source in objects if _is_source(source, wanted)]
    if len(found) != 1:
        return None
    nodes = _lookup(found[0].root, _steps(wanted.text("fieldPath") or _NAME))
    if len(nodes) != 1:
        return None
    delimiter, index = _split(wanted.get("options"))
    if not delimiter:
        return nodes[0]
    parts = str(nodes[0].value).split(delimiter)
    return _inexact(nodes[0], parts[index]) if 0 <= index < len(parts) else None


def _is_source(source: Source, wanted: Node) -> bool:
    return any(
        all(
            wanted.text(field) in ("", value)
            for field, value in zip(("group", "version", "kind", "name", "namespace"), identity, strict=True)
        )
        for identity in source.ids
    )


def _split(options: Node | None) -> tuple[str, int]:
    index = options.get("index") if options else None
    number = index.value if index is not None and isinstance(index.value, int) else 0
    return (options.text("delimiter") if options else ""), number


def _inexact(node: Node, value: object) -> Node:
    return Node(value, node.file, node.line, node.column, past=node.past, precision=Precision.PARENT)


def _steps(path: str) -> list[str]:
    return [step.replace("\\.", ".") for step in _STEP.findall(path)]


def _children(node: Node, step: str) -> list[str | int]:
    """The keys or indexes that a step of a field path stands for."""
    if isinstance(node.value, dict):
        step = _key(step)
        return list(node.value) if step == "*" else [step] if step in node.value else []
    if isinstance(node.value, list):
        if step == "*":
            return list(range(len(node.value)))
        if step.isdecimal() and len(step) < 19:
            return [int(step)] if int(step) < len(node.value) else []
        key, equals, value = step.strip("[]").partition("=")
        if equals:
            return [index for index, item in enumerate(node.value) if _holds(item, key, value)]
    return []


def _key(step: str) -> str:
    """The key that a step names; one with dots may stand in brackets."""
    return step[1:-1] if step.startswith("[") and "=" not in step else step


def _holds(item: Node, key: str, value: str) -> bool:
    """Whether an item is the one of `[key=value]`; without a key the item itself is the value."""
    field = item.get(key) if key else item
    return field is not None and str(field.value) == value


def _lookup(node: Node, steps: list[str]) -> list[Node]:
    if not steps:
        return [node]
    return [found for child in _children(node, steps[0]) for found in _lookup(node.value[child], steps[1:])]


def _set(node: Node, steps: list[str], value: Node, options: Node | None) -> Node:
    if not steps:
        return _replaced(node, value, options)
    children = _children(node, steps[0])
    if not children and isinstance(node.value, dict) and _creates(options):
        if len(steps) == 1 and not _split(options)[0]:
            made = value
        else:
            made = _set(created(None if len(steps) == 1 else {}, node), steps[1:], value, options)
        return node.replace({**node.value, _key(steps[0]): made})
    new = node.value.copy() if children else node.value
    for child in children:
        new[child] = _set(new[child], steps[1:], value, options)
    return node.replace(new) if children else node


def _creates(options: Node | None) -> bool:
    create = options.get("create") if options else None
    return create is not None and create.value is True


def _replaced(old: Node, value: Node, options: Node | None) -> Node:
    delimiter, index = _split(options)
    if not delimiter:
        return written_over(_of_type(value, old), old)
    parts = str(old.value).split(delimiter)
    if index < 0:
        parts.insert(0, str(value.value))
    elif index >= len(parts):
        parts.append(str(value.value))
    else:
        parts[index] = str(value.value)
    return written_over(_inexact(value, delimiter.join(parts)), old)


def _of_type(value: Node, old: Node) -> Node:
    """A value as it is written over a scalar, which keeps its type (copyValueToTarget of replacement.go)."""
    if isinstance(old.value, (dict, list)):
        return value
    text = "" if isinstance(value.value, (dict, list)) else scalar_text(value.value)
    typed = text if isinstance(old.value, str) else resolve(text, yes_is_true=False)
    return value if typed is value.value else value.replace(typed)
