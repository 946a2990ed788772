"""Find an object, or a field of one, by what a person calls it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vllm_kustomize.model import Error, FieldPath, Resource, format_path
from vllm_kustomize.wording import did_you_mean, join

HASH = re.compile(r"-[2456789bcdfghkmt]{10}\Z")
"""What Kustomize appends to the names of generated objects: ten characters of a hash of the content.

Source: encode in api/hasher of kubernetes-sigs/kustomize, which leaves out vowels and what looks like one.
"""

_STEP = re.compile(r"\[(?P<bracket>[^\]]*)\]|\.?(?P<plain>(?:\\.|[^.\[\\])+)")
_MOST_LISTED = 8


def find_object(resources: Sequence[Resource], text: str) -> Resource:
    """The one object that `name`, `Kind/name` or `namespace/Kind/name` fits; kinds in any case.

    The name of a generated object may leave out its hash. Raises `Error` where none or several fit.
    """
    fitting = [resource for resource in resources if _fits(resource, text, resource.name)] or [
        resource for resource in resources if _fits(resource, text, HASH.sub("", resource.name))
    ]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise Error(f"'{text}' is {join([_longest(each) for each in fitting])}: name one of them")
    names = list(dict.fromkeys(str(resource) for resource in resources))
    near = did_you_mean(text, [*names, *(HASH.sub("", resource.name) for resource in resources)])
    rest = f" and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else ""
    raise Error(f"no object '{text}'{near}; there are {', '.join(names[:_MOST_LISTED])}{rest}")


def find_field(manifest: Any, text: str) -> FieldPath:
    """The path of the field that a text names, as messages write it: `spec.containers[0].image`.

    Keys with dots stand in brackets, behind backslashes or as they are; an item of a list may be called by
    its name (`containers[vllm]`, `containers[name=vllm]`). Raises `Error` with the closest key where the path
    leads nowhere.
    """
    path = next(_paths(manifest, text.removeprefix("."), ()), None)
    if path is not None:
        return path
    known, rest = _furthest(manifest, text.removeprefix("."))
    value = manifest
    for step in known:
        value = value[step]
    where = f" in {format_path(known)}" if known else ""
    if isinstance(value, Mapping):
        step = _first_step(rest)
        raise Error(f"no field '{step}'{where}{did_you_mean(step, map(str, value))}")
    if isinstance(value, list):
        items = f"it has items 0 to {len(value) - 1}" if value else "the list is empty"
        raise Error(f"no item '{_first_step(rest)}'{where}: {items}")
    raise Error(f"nothing stands below {format_path(known)}, which is a single value")


def _fits(resource: Resource, text: str, name: str) -> bool:
    wanted, _, rest = text.rpartition("/")
    if rest != name:
        return False
    namespace, _, kind = wanted.rpartition("/")
    return kind.lower() in ("", resource.kind.lower()) and namespace in ("", resource.namespace)


def _longest(resource: Resource) -> str:
    return f"{resource.namespace}/{resource}" if resource.namespace else str(resource)


def _paths(value: Any, text: str, path: FieldPath) -> Iterator[FieldPath]:
    """Every path that a text can mean, the likeliest first: a key with dots in it may be written as it is."""
    if not text:
        yield path
    elif isinstance(value, Mapping):
        for key, rest in _keys(value, text):
            yield from _paths(value[key], rest, (*path, key))
    elif isinstance(value, list):
        step = _STEP.match(text)
        index = _item(value, _written(step)) if step else None
        if step and index is not None:
            yield from _paths(value[index], text[step.end() :], (*path, index))


def _keys(value: Mapping[Any, Any], text: str) -> Iterator[tuple[str, str]]:
    """The keys that a text can begin with, each with what is left of the text; the longest key first."""
    step = _STEP.match(text)
    if step and _written(step) in value:
        yield _written(step), text[step.end() :]
    bare = text.removeprefix(".")
    for key in sorted(map(str, value), key=len, reverse=True):
        if "." in key and bare.startswith(key) and bare[len(key) : len(key) + 1] in ("", ".", "["):
            yield key, bare[len(key) :]


def _written(step: re.Match[str]) -> str:
    return step["bracket"] if step["plain"] is None else step["plain"].replace("\\.", ".")


def _item(items: list[Any], step: str) -> int | None:
    if step.isdecimal() and len(step) < 10:
        return int(step) if int(step) < len(items) else None
    key, equals, name = step.partition("=")
    field, wanted = (key, name) if equals else ("name", key)
    return next(
        (i for i, item in enumerate(items) if isinstance(item, Mapping) and str(item.get(field)) == wanted),
        None,
    )


def _furthest(manifest: Any, text: str) -> tuple[FieldPath, str]:
    """How far a text leads, and what is left of it there."""
    value: Any = manifest
    path: FieldPath = ()
    while step := _STEP.match(text):
        key: str | int | None = _written(step)
        if isinstance(value, list):
            key = _item(value, str(key))
        elif not isinstance(value, Mapping) or key not in value:
            break
        if key is None:
            break
        value, path, text = value[key], (*path, key), text[step.end() :]
    return path, text


def _first_step(text: str) -> str:
    step = _STEP.match(text)
    return _written(step) if step else text
