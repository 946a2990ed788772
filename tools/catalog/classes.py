"""Describe the JSON that a configuration class of vLLM takes, from its pydantic schema and by trial."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

Json = Any

LEAVES = {"int": "int", "float": "float", "bool": "bool", "str": "str", "none": "none", "any": "any"}
BOUNDS = ("gt", "ge", "lt", "le")


def describe(cls: type, classes: dict[str, Json]) -> str:
    """Add what a JSON object for `cls` may contain to `classes`, and return its name there."""
    if cls.__name__ in classes:
        return cls.__name__
    try:
        from pydantic import TypeAdapter

        core: Any = TypeAdapter(cls).core_schema
    except Exception as error:
        print(f"no schema for {cls.__name__}: {error}", file=sys.stderr)
        fields = getattr(cls, "__dataclass_fields__", {})
        classes[cls.__name__] = {"fields": dict.fromkeys(fields, "any")}
        return cls.__name__
    definitions: dict[str, Json] = {}
    if core["type"] == "definitions":
        definitions = {schema["ref"]: schema for schema in core["definitions"]}
        core = core["schema"]
    _type(core, definitions, classes)
    return cls.__name__


def _type(schema: Json, definitions: dict[str, Json], classes: dict[str, Json]) -> Json:
    """Translate one node of a pydantic core schema; whatever runs code on the raw value becomes `any`."""
    kind = schema["type"]
    if kind == "definition-ref":
        schema = definitions[schema["schema_ref"]]
        kind = schema["type"]
    if kind in LEAVES:
        bounds = {bound: schema[bound] for bound in BOUNDS if bound in schema}
        return {"type": LEAVES[kind], **bounds} if bounds else LEAVES[kind]
    if kind in ("default", "function-after", "lax-or-strict", "json-or-python"):
        inner = schema.get("schema") or schema.get("lax_schema") or schema["json_schema"]
        return _type(inner, definitions, classes)
    if kind == "nullable" or kind == "function-wrap":
        return {"type": "union", "of": [_type(schema["schema"], definitions, classes), "none"]}
    if kind == "literal":
        return {"type": "literal", "of": [getattr(value, "value", value) for value in schema["expected"]]}
    if kind == "enum" and "missing" not in schema:
        return {"type": "literal", "of": [member.value for member in schema["members"]]}
    if kind in ("list", "set", "frozenset"):
        return {
            "type": "list",
            "of": _type(schema.get("items_schema", {"type": "any"}), definitions, classes),
        }
    if kind == "dict":
        values = schema.get("values_schema", {"type": "any"})
        return {"type": "dict", "of": _type(values, definitions, classes)}
    if kind == "union":
        choices = [choice[0] if isinstance(choice, tuple) else choice for choice in schema["choices"]]
        return {"type": "union", "of": [_type(choice, definitions, classes) for choice in choices]}
    if kind in ("dataclass", "model"):
        return {"type": "class", "name": _dataclass(schema, definitions, classes)}
    if kind == "function-before":
        after = _type(schema["schema"], definitions, classes)
        return after if isinstance(after, dict) and after["type"] == "class" else {"type": "raw", "of": after}
    return "any"


def _dataclass(schema: Json, definitions: dict[str, Json], classes: dict[str, Json]) -> str:
    name: str = schema["cls"].__name__
    if name in classes:
        return name
    entry: dict[str, Json] = {"fields": {}}
    classes[name] = entry
    inner = schema["schema"]
    while "fields" not in inner:
        inner = inner["schema"]
    fields = inner["fields"]
    named = fields.items() if isinstance(fields, dict) else ((field["name"], field) for field in fields)
    required = []
    for field_name, field in named:
        if field.get("init") is False:
            continue
        entry["fields"][field_name] = _type(field["schema"], definitions, classes)
        if not _has_default(field["schema"]):
            required.append(field_name)
    if required:
        entry["required"] = required
    if schema.get("config", {}).get("extra_fields_behavior") != "forbid":
        entry["open"] = True
    _probe(schema["cls"], entry)
    return name


def _has_default(schema: Json) -> bool:
    return schema["type"] == "default" or ("schema" in schema and _has_default(schema["schema"]))


def _probe(cls: type, entry: Json) -> None:
    """Find out by trial what the class's own code refuses, which its schema does not show."""
    from pydantic import TypeAdapter

    adapter: Any = TypeAdapter(cls)
    for name, kind in entry["fields"].items():
        if _runs_code(kind):
            entry["fields"][name] = _probed_kind(adapter, name, kind)
    if needs := _needs(adapter, entry):
        entry["needs"] = needs


def _runs_code(kind: Json) -> bool:
    """Whether code sees the raw value of a field, or a part of it, before its type is checked."""
    if not isinstance(kind, dict) or kind["type"] in ("literal", "class"):
        return False
    inner = kind.get("of", [])
    return kind["type"] == "raw" or any(map(_runs_code, inner if isinstance(inner, list) else [inner]))


RAW_SAMPLES = {"null": None, "word": "no-such-word"}
"""Of other kinds of JSON one refused sample says nothing of the next."""


def _probed_kind(adapter: Any, name: str, after: Json) -> Json:
    """A field whose raw value runs through code first: the kinds of JSON that it refuses, and its words."""
    refuses = [
        kind
        for kind, sample in RAW_SAMPLES.items()
        if _error_types(adapter, {name: sample}) - {"value_error"}
    ]
    words = [word for word in _words(after) if not _error_types(adapter, {name: word})]
    if not words:
        refuses = [kind for kind in refuses if kind != "word"]
    if not refuses:
        return "any"
    return {"type": "raw", "refuses": refuses, **({"words": words} if "word" in refuses else {})}


def _words(kind: Json) -> list[str]:
    """The words that a field takes, alone or in a list."""
    if not isinstance(kind, dict):
        return []
    inner = kind.get("of", [])
    if kind["type"] == "literal":
        return [word for word in inner if isinstance(word, str)]
    return [word for each in (inner if isinstance(inner, list) else [inner]) for word in _words(each)]


def _needs(adapter: Any, entry: Json) -> dict[str, list[Json]]:
    """Fields that the class's own code refuses alone but takes together with one of some other fields.

    `with` are those others; `values` are the values of the field of which that is so, where not of all.
    """
    samples = {name: _samples(kind) for name, kind in entry["fields"].items()}
    needs: dict[str, list[Json]] = {}
    for name, values in samples.items():
        by_others: dict[tuple[str, ...], list[Json]] = {}
        for value in values:
            if _refused_by_own_code(adapter, {name: value}) and (
                others := tuple(_mending(adapter, {name: value}, samples))
            ):
                by_others.setdefault(others, []).append(value)
        for others, refused in by_others.items():
            all_of_them = refused == [value for value in values if value]
            needs.setdefault(name, []).append(
                {"with": list(others), **({} if all_of_them else {"values": refused})}
            )
    return needs


def _mending(adapter: Any, value: Json, samples: dict[str, list[Json]]) -> Iterator[str]:
    """The fields that make a refused value pass, with one of their sample values."""
    for other, others in samples.items():
        if other not in value and any(not _error_types(adapter, {**value, other: each}) for each in others):
            yield other


def _samples(kind: Json) -> list[Json]:
    if isinstance(kind, dict) and kind["type"] == "union":
        return [value for each in kind["of"] for value in _samples(each)]
    if isinstance(kind, dict) and kind["type"] == "literal":
        return list(kind["of"])
    known: dict[str, list[Json]] = {"int": [1], "float": [0.5], "str": ["x"], "bool": [True, False]}
    return known.get(kind, []) if isinstance(kind, str) else []


def _refused_by_own_code(adapter: Any, value: Json) -> bool:
    return bool(_error_types(adapter, value) & {"value_error", "assertion_error"})


def _error_types(adapter: Any, value: Json) -> set[str]:
    from pydantic import ValidationError

    try:
        adapter.validate_json(json.dumps(value))
    except ValidationError as error:
        return {line["type"] for line in error.errors(include_url=False, include_context=False)}
    except Exception as error:
        return {type(error).__name__}
    return set()
