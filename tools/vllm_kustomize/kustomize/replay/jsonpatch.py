"""Apply a JSON patch (RFC 6902) as Kustomize does, keeping where every value was written."""

from __future__ import annotations

from vllm_kustomize.kustomize.replay.fields import created
from vllm_kustomize.kustomize.yaml.nodes import Node, written_over

_MOST_DIGITS = 18
"""No list is longer than a number of so many digits."""


class JsonPatchError(Exception):
    """An operation that cannot be applied; the engine refuses it too."""


def json_patch(target: Node, operations: list[Node]) -> Node:
    """Return `target` after `operations`. Raises JsonPatchError where one of them does not apply."""
    for operation in operations:
        target = _apply(target, operation)
    return target


def _apply(root: Node, operation: Node) -> Node:
    name = operation.text("op")
    path = pointer(operation.text("path"))
    value = operation.get("value")
    if name in ("move", "copy"):
        source = pointer(operation.text("from"))
        value = _lookup(root, source, operation if name == "copy" else None)
        if name == "move":
            root = _edit(root, source, None, operation)
        return _edit(root, path, value, operation, insert=True)
    if name == "remove":
        return _edit(root, path, None, operation)
    if name in ("add", "replace"):
        if value is None:
            value = created(None, operation)
        return _edit(root, path, value, operation, insert=name == "add")
    if name == "test":
        found = _lookup(root, path)
        if value is None or found.data() != value.data():
            raise JsonPatchError(f"test of {operation.text('path')} fails")
        return root
    raise JsonPatchError(f"unknown operation {name!r}")


def pointer(text: str) -> list[str]:
    """Split a JSON pointer (RFC 6901) into its steps."""
    if not text:
        return []
    if not text.startswith("/"):
        raise JsonPatchError(f"{text!r} is not a JSON pointer")
    return [step.replace("~1", "/").replace("~0", "~") for step in text[1:].split("/")]


def _lookup(root: Node, path: list[str], missing: Node | None = None) -> Node:
    """What stands at a path; null in place of a field that is not there if `missing` is the operation.

    The engine copies so (partialDoc.get of gopkg.in/evanphx/json-patch.v4).
    """
    node = root
    for step in path[:-1]:
        node = _child(node, step)
    if missing is not None and path and isinstance(node.value, dict) and path[-1] not in node.value:
        return created(None, missing)
    return _child(node, path[-1]) if path else node


def _child(node: Node, step: str) -> Node:
    if isinstance(node.value, dict) and step in node.value:
        child: Node = node.value[step]
        return child
    if isinstance(node.value, list):
        found: Node = node.value[_index(step, len(node.value) - 1)]
        return found
    raise JsonPatchError(f"nothing at {step!r}")


def _index(step: str, last: int) -> int:
    negative = step[:1] == "-" and step[1:].isdecimal()
    if not (step.isdecimal() or negative):
        raise JsonPatchError(f"{step!r} is not an index")
    if len(step) > _MOST_DIGITS:
        raise JsonPatchError(f"no item {step[:_MOST_DIGITS]}...")
    index = int(step)
    if negative:
        index += last + 1
    if not 0 <= index <= last:
        raise JsonPatchError(f"no item {step}")
    return index


def _edit(node: Node, path: list[str], value: Node | None, operation: Node, *, insert: bool = False) -> Node:
    """Return `node` with `value` at `path`, or without what stands there where `value` is None.

    As in the engine, `replace` adds a field that is missing.
    """
    if not path:
        if value is None:
            raise JsonPatchError("the whole object cannot be removed")
        return written_over(value, node)
    step, rest = path[0], path[1:]
    if rest:
        child = _edit(_child(node, step), rest, value, operation, insert=insert)
        if isinstance(node.value, dict):
            return node.replace({**node.value, step: child})
        items = list(node.value)
        items[_index(step, len(items) - 1)] = child
        return node.replace(items)
    if isinstance(node.value, dict):
        old = node.value.get(step)
        if value is None:
            if old is None:
                raise JsonPatchError(f"nothing at {step!r}")
            fields = {name: field for name, field in node.value.items() if name != step}
            return node.replace(fields, removed={**node.removed, step: operation})
        return node.replace({**node.value, step: written_over(value, old)})
    if not isinstance(node.value, list):
        raise JsonPatchError(f"nothing at {step!r}")
    items = list(node.value)
    if insert:
        assert value is not None
        items.insert(len(items) if step == "-" else _index(step, len(items)), value)
    elif value is None:
        del items[_index(step, len(items) - 1)]
    else:
        index = _index(step, len(items) - 1)
        items[index] = written_over(value, items[index])
    return node.replace(items)
