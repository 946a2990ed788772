"""Structural schemas, read once into typed nodes.

The shape is that of a CustomResourceDefinition's `openAPIV3Schema` as k8s.io/apiextensions-apiserver reads it
(pkg/apiserver/schema/structural.go). Nothing about the input is certain: what has the wrong type counts as
absent, since the server would not have accepted such a definition. A node reads its children when they are
first asked for, so that an object pays only for the fields that it has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Rule:
    """One of `x-kubernetes-validations`; `help` is what to do, for rules that come with this tool."""

    expression: str
    message: str = ""
    message_expression: str = ""
    field_path: str = ""
    optional_old_self: bool = False
    help: str = ""


class Fields(dict[str, "Schema"]):
    """The schemas of an object's fields, each read when it is first looked up."""

    __slots__ = ("raw",)

    def __init__(self, raw: Mapping[str, Any]) -> None:
        super().__init__()
        self.raw = raw

    def __missing__(self, name: str) -> Schema:
        schema = self[name] = read(self.raw[name])
        return schema

    def of(self, name: str) -> Schema | None:
        """The schema of a field, or None where it has none."""
        return self[name] if name in self.raw else None


@dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """One node: the type of a value, what it may hold and what it must satisfy.

    `additional` is the schema of a map's values, True where a map takes anything, None where fields that
    `fields` lacks are unknown. `default` is None where there is none, as on the server. `atomic` is a mapping
    that server-side apply replaces as a whole.
    """

    types: tuple[str, ...] = ()
    format: str = ""
    nullable: bool = False
    default: Any = None
    fields: Fields = field(default_factory=lambda: Fields({}))
    defaults: Mapping[str, Any] = field(default_factory=dict)
    additional: Schema | bool | None = None
    items: Schema | None = None
    preserve: bool = False
    embedded: bool = False
    int_or_string: bool = False
    atomic: bool = False
    list_type: str = ""
    list_keys: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    enum: tuple[Any, ...] = ()
    minimum: float | None = None
    exclusive_minimum: bool = False
    maximum: float | None = None
    exclusive_maximum: bool = False
    multiple_of: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str = ""
    min_items: int | None = None
    max_items: int | None = None
    min_properties: int | None = None
    max_properties: int | None = None
    all_of: tuple[Schema, ...] = ()
    any_of: tuple[Schema, ...] = ()
    one_of: tuple[Schema, ...] = ()
    negated: Schema | None = None
    rules: tuple[Rule, ...] = ()

    @property
    def kind(self) -> str:
        """The type of a node on the structural spine, of which there is one, or an empty string."""
        return self.types[0] if len(self.types) == 1 else ""

    def child(self, name: str) -> Schema | None:
        """The schema of a field or of a map's value, or None where nothing is known of it."""
        if name in self.fields.raw:
            return self.fields[name]
        return self.additional if isinstance(self.additional, Schema) else None


NOTHING = Schema()
"""A node that says nothing."""


def read(raw: Any) -> Schema:
    """Read one node of an `openAPIV3Schema`."""
    if not isinstance(raw, Mapping):
        return NOTHING
    properties = _mapping(raw, "properties")
    int_or_string = raw.get("x-kubernetes-int-or-string") is True
    kind = raw.get("type")
    types = ("integer", "string") if int_or_string else (kind,) if isinstance(kind, str) and kind else ()
    negated = raw.get("not")
    items = raw.get("items")
    return Schema(
        types=types,
        format=_text(raw, "format"),
        nullable=raw.get("nullable") is True,
        default=raw.get("default"),
        fields=Fields(properties),
        defaults={
            name: part["default"]
            for name, part in properties.items()
            if isinstance(part, Mapping) and part.get("default") is not None
        },
        additional=_additional(raw),
        items=read(items) if isinstance(items, Mapping) else None,
        preserve=raw.get("x-kubernetes-preserve-unknown-fields") is True,
        embedded=raw.get("x-kubernetes-embedded-resource") is True,
        int_or_string=int_or_string,
        atomic=_text(raw, "x-kubernetes-map-type") == "atomic",
        list_type=_text(raw, "x-kubernetes-list-type"),
        list_keys=_texts(raw, "x-kubernetes-list-map-keys"),
        required=_texts(raw, "required"),
        enum=tuple(raw["enum"]) if isinstance(raw.get("enum"), list) else (),
        minimum=_number(raw, "minimum"),
        exclusive_minimum=raw.get("exclusiveMinimum") is True,
        maximum=_number(raw, "maximum"),
        exclusive_maximum=raw.get("exclusiveMaximum") is True,
        multiple_of=_number(raw, "multipleOf"),
        min_length=_integer(raw, "minLength"),
        max_length=_integer(raw, "maxLength"),
        pattern=_text(raw, "pattern"),
        min_items=_integer(raw, "minItems"),
        max_items=_integer(raw, "maxItems"),
        min_properties=_integer(raw, "minProperties"),
        max_properties=_integer(raw, "maxProperties"),
        all_of=_parts(raw, "allOf"),
        any_of=_parts(raw, "anyOf"),
        one_of=_parts(raw, "oneOf"),
        negated=read(negated) if isinstance(negated, Mapping) else None,
        rules=tuple(_rules(raw)),
    )


def _additional(raw: Mapping[str, Any]) -> Schema | bool | None:
    additional = raw.get("additionalProperties")
    if isinstance(additional, Mapping):
        return read(additional)
    return True if additional is True else None


def _rules(raw: Mapping[str, Any]) -> list[Rule]:
    found = raw.get("x-kubernetes-validations")
    return [
        Rule(
            _text(rule, "rule"),
            _text(rule, "message").strip(),
            _text(rule, "messageExpression"),
            _text(rule, "fieldPath"),
            rule.get("optionalOldSelf") is True,
            _text(rule, "help"),
        )
        for rule in (found if isinstance(found, list) else ())
        if isinstance(rule, Mapping) and _text(rule, "rule").strip()
    ]


def _parts(raw: Mapping[str, Any], key: str) -> tuple[Schema, ...]:
    parts = raw.get(key)
    return tuple(read(part) for part in parts) if isinstance(parts, list) else ()


def _mapping(raw: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = raw.get(key)
    return value if isinstance(value, Mapping) else {}


def _text(raw: Mapping[str, Any], key: str) -> str:
    value = raw.get(key)
    return value if isinstance(value, str) else ""


def _texts(raw: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = raw.get(key)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _number(raw: Mapping[str, Any], key: str) -> float | None:
    value = raw.get(key)
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _integer(raw: Mapping[str, Any], key: str) -> int | None:
    value = _number(raw, key)
    return int(value) if value is not None and value == value // 1 else None
