"""Values of an object as CEL sees them: through the schema, which says what is a duration and what is a map.

Source: k8s.io/apiserver/pkg/cel/common/valuesunstructured.go and k8s.io/apiserver/pkg/cel/escaping.go.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from vllm_kustomize.apiserver.custom import formats
from vllm_kustomize.apiserver.custom.cel.functions.standard import parse_timestamp
from vllm_kustomize.apiserver.custom.cel.values import (
    CelError,
    Duration,
    Mapping,
    NoOverload,
    Sequence,
    Timestamp,
    Unsupported,
    equal,
    is_list,
    is_map,
)
from vllm_kustomize.apiserver.custom.correlation import same
from vllm_kustomize.apiserver.custom.schema import Schema

_RESERVED = frozenset(
    [
        "true",
        "false",
        "null",
        "in",
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ]
)
_ESCAPES = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}
_UNESCAPES = {escape: text for text, escape in _ESCAPES.items()}
_ESCAPED = re.compile(r"__[^_]+__")
_UNESCAPED = re.compile(r"__|[-./]")
_IDENTIFIER = re.compile(r"[A-Za-z_./-][A-Za-z0-9_./-]*", re.ASCII)
_IDENTITY = {
    "kind": {"type": "string"},
    "apiVersion": {"type": "string"},
    "metadata": {
        "type": "object",
        "properties": {"name": {"type": "string"}, "generateName": {"type": "string"}},
    },
}


def escape(name: str) -> str:
    """A field's name as CEL spells it, or an empty string where it cannot."""
    if name in _RESERVED:
        return f"__{name}__"
    if not _IDENTIFIER.fullmatch(name):
        return ""
    return _UNESCAPED.sub(lambda match: _ESCAPES[match[0]], name)


def unescape(name: str) -> str:
    """The field that CEL spells so."""
    if "__" not in name:
        return name

    def original(match: re.Match[str]) -> str:
        return _UNESCAPES.get(match[0]) or match[0].strip("_")

    return _ESCAPED.sub(original, name)


def with_identity(schema: Schema) -> Schema:
    """A resource's schema with what every object has, whatever it declares."""
    fields = type(schema.fields)({**schema.fields.raw, **_IDENTITY})
    return replace(schema, fields=fields, types=("object",))


def view(value: Any, schema: Schema) -> Any:
    """A value as CEL sees it; raises CelError where it is not what the schema says."""
    if value is None:
        if schema.nullable:
            return None
        raise CelError("null where the schema has none")
    if schema.int_or_string:
        if isinstance(value, (str, int)) and not isinstance(value, bool):
            return value
        raise CelError("neither an integer nor a string")
    return _OF_KIND.get(schema.kind, _opaque)(value, schema)


def _object(value: Any, schema: Schema) -> Any:
    _expect(value, dict)
    return ObjectView(value, with_identity(schema) if schema.embedded else schema)


def _list(value: Any, schema: Schema) -> Any:
    _expect(value, list)
    if schema.items is None:
        raise CelError("a list without a schema for its items")
    return ListView(value, schema, schema.items)


def _text(value: Any, schema: Schema) -> Any:
    _expect(value, str)
    if schema.format == "duration":
        nanoseconds = formats.duration(value)
        if nanoseconds is not None:
            return Duration(nanoseconds)
    elif schema.format == "date":
        if formats.is_date(value):
            return parse_timestamp(f"{value}T00:00:00Z")
    elif schema.format == "date-time":
        moment = parse_timestamp(value) or parse_timestamp(f"{value}Z")
        if moment is not None or not value:
            return moment or Timestamp(0)
    elif schema.format == "byte":
        try:
            return base64.b64decode(value, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            pass
    else:
        return value
    raise CelError(f"no {schema.format}")


def _number(value: Any, schema: Schema) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise CelError("no number")
    return float(value)


def _integer(value: Any, schema: Schema) -> Any:
    if isinstance(value, bool):
        raise CelError("no integer")
    return _expect(value, int)


def _boolean(value: Any, schema: Schema) -> Any:
    return _expect(value, bool)


def _expect(value: Any, kind: type) -> Any:
    if isinstance(value, kind):
        return value
    raise CelError(f"not the {kind.__name__} that the schema wants")


def _opaque(value: Any, schema: Schema) -> Any:
    return Opaque(value)


_OF_KIND = {
    "object": _object,
    "array": _list,
    "string": _text,
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
}


@dataclass(frozen=True, slots=True, eq=False)
class Opaque:
    """A value that the schema says nothing of: it can be compared, and nothing else."""

    value: Any
    CEL_TYPE = "unknown"

    def __eq__(self, other: object) -> bool:
        return same(self.value, raw(other))


def raw(value: Any) -> Any:
    """What a view stands for."""
    return value.value if isinstance(value, (ObjectView, ListView, Opaque)) else value


@dataclass(frozen=True, slots=True, eq=False)
class ObjectView(Mapping):
    """An object with declared fields, whose names are escaped, or a map, whose keys are not."""

    value: dict[str, Any]
    schema: Schema

    @property
    def is_object(self) -> bool:
        """Whether the fields are declared one by one."""
        return bool(self.schema.fields.raw)

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Iterator[str]:
        for name in self.value:
            if self.schema.child(name) is not None:
                yield (escape(name) or name) if self.is_object else name

    def has(self, key: Any) -> bool:
        """Whether the field is set; one that is null is not."""
        return self._find(key) is not None

    def get(self, key: Any) -> Any:
        """The field's value; raises CelError where it is not set, Unsupported where it is not declared."""
        found = self._find(key)
        if found is None:
            raise CelError(f"no such key: {key}")
        return view(*found)

    def _find(self, key: Any) -> tuple[Any, Schema] | None:
        if not isinstance(key, str):
            raise NoOverload("a field's name", key)
        name = unescape(key) if self.is_object else key
        child = self.schema.child(name)
        if child is None and not isinstance(self.schema.additional, Schema):
            raise Unsupported(f"the schema has no field {name}")
        if child is None or name not in self.value or (self.is_object and self.value[name] is None):
            return None
        return self.value[name], child

    def equals(self, other: Any) -> bool:
        """Field by field; what the schema does not declare as JSON."""
        if not is_map(other):
            raise NoOverload("==", self, other)
        if len(self) != len(other):
            return False
        others = raw(other)
        for name, item in self.value.items():
            child = self.schema.child(name)
            if name not in others or (item is None) != (others[name] is None):
                return False
            if child is None or item is None:
                if not same(item, others[name]):
                    return False
            else:
                theirs = view(others[name], child) if isinstance(other, ObjectView) else others[name]
                if not equal(view(item, child), theirs):
                    return False
        return True


@dataclass(frozen=True, slots=True, eq=False)
class ListView(Sequence):
    """A list; of a `set` or a `map` the order does not matter."""

    value: list[Any]
    schema: Schema
    items: Schema

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Iterator[Any]:
        return (view(item, self.items) for item in self.value)

    def get(self, index: int) -> Any:
        """The item at an index."""
        return view(self.value[index], self.items)

    def equals(self, other: Any) -> bool:
        """Item by item, or as sets."""
        if not is_list(other):
            raise NoOverload("==", self, other)
        if len(self) != len(other):
            return False
        if self.schema.list_type == "set":
            return self._covers(other) and all(any(equal(one, item) for item in self) for one in other)
        if self.schema.list_type == "map":
            return self._covers(other)
        return all(map(equal, self, other))

    def _covers(self, other: Any) -> bool:
        return all(any(equal(item, one) for one in other) for item in self)

    def plus(self, other: Any) -> list[Any]:
        """The items of both: of a `set` each once, of a `map` the later one of each key."""
        mine = list(self)
        if self.schema.list_type == "set":
            return mine + [one for one in other if not any(equal(one, item) for item in mine)]
        if self.schema.list_type != "map":
            return [*mine, *other]
        for one in other:
            at = next((at for at, item in enumerate(mine) if self._key(item) == self._key(one)), None)
            if at is None:
                mine.append(one)
            else:
                mine[at] = one
        return mine

    def _key(self, item: Any) -> list[Any]:
        value = raw(item)
        return [value.get(key) if isinstance(value, dict) else None for key in self.schema.list_keys]
