"""Random changes of baselines, for inputs that no test has seen.

One seed always gives the same mutants. A value is made from the schema of its field, from what the same field
holds elsewhere in the baselines, or from a text that is broken on purpose.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any

from record.mutants import CHOICES, NEVER, NUMBERS, TEXTS, FieldPath, Mutant
from record.schemas import Schema, SchemaOf, property_of, resolved

DEEPEST = 4
"""Levels of a value that is made up; most refusals are about the first two."""
ALPHABET = "ab-_./:A9 é$"


def sample(
    baselines: Sequence[Mapping[str, Any]], schema_of: SchemaOf, seed: int, count: int
) -> Iterator[Mutant]:
    """That many different mutants, each one change of some baseline that leaves its name."""
    random = Random(seed)
    values = Values(random, baselines)
    places = [list(_places((), each, schema_of(each))) for each in baselines]
    seen: set[str] = set()
    while len(seen) < count:
        base = random.randrange(len(baselines))
        path, value, schema = random.choice(places[base])
        mutant = values.mutant(base, path, value, schema)
        text = json.dumps(mutant.as_json(), sort_keys=True)
        if text not in seen and not mutant.sets_null and not mutant.renames(baselines):
            seen.add(text)
            yield mutant


def _places(path: FieldPath, value: Any, schema: Schema) -> Iterator[tuple[FieldPath, Any, Schema]]:
    """Every field of an object, with its value and schema."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if path or name not in NEVER:
                part = property_of(schema, name)
                yield (*path, name), inner, part
                yield from _places((*path, name), inner, part)
    elif isinstance(value, list):
        part = resolved(schema.get("items", {}))
        for index, inner in enumerate(value):
            yield (*path, index), inner, part
            yield from _places((*path, index), inner, part)


class Values:
    """Makes values up, some of them out of what the baselines hold."""

    def __init__(self, random: Random, baselines: Sequence[Mapping[str, Any]]) -> None:
        self._random = random
        self._seen: dict[str, list[Any]] = defaultdict(list)
        for baseline in baselines:
            for path, value, _ in _places((), baseline, {}):
                self._seen[str(path[-1])].append(value)

    def mutant(self, base: int, path: FieldPath, value: Any, schema: Schema) -> Mutant:
        """One change at a place: the field goes, gets another value, or gets one more field or item."""
        dice = self._random.random()
        if dice < 0.1:
            return Mutant(base, path, "delete")
        fields = schema.get("properties", {})
        absent = [name for name in fields if isinstance(value, Mapping) and name not in value]
        if absent and dice < 0.7:
            name = self._random.choice(absent)
            return Mutant(base, (*path, name), "set", self.value(name, resolved(fields[name])))
        if isinstance(value, list) and dice < 0.6:
            added = self.value(str(path[-1]), resolved(schema.get("items", {})))
            return Mutant(base, (*path, len(value)), "set", added)
        return Mutant(base, path, "set", self.value(str(path[-1]), schema, value))

    def value(self, name: str, schema: Schema, instead_of: Any = None, depth: int = DEEPEST) -> Any:
        """A value for a field; one in twenty is of a wrong type."""
        dice = self._random.random()
        if dice < 0.05:
            return self._random.choice([7, True, "str", [], {}, 1.5, ["a"], {"a": "b"}])
        if dice < 0.2 and self._seen[name]:
            return self._random.choice(self._seen[name])
        if dice < 0.4 and name in CHOICES:
            return self._random.choice(CHOICES[name])
        if schema.get("enum") and dice < 0.9:
            return self._random.choice([each for each in schema["enum"] if each is not None])
        return self._of_type(name, schema, instead_of, depth)

    def _of_type(self, name: str, schema: Schema, instead_of: Any, depth: int) -> Any:
        kind = schema.get("type")
        kind = next((each for each in kind if each != "null"), None) if isinstance(kind, list) else kind
        if kind == "boolean":
            return self._random.random() < 0.5
        if kind in ("integer", "number"):
            limits = [schema[key] for key in ("minimum", "maximum") if key in schema]
            bounds = [limit + by for limit in limits for by in (-1, 0, 1)]
            return self._random.choice([*NUMBERS, *bounds, self._random.randrange(70000)])
        if kind == "array":
            return self._items(name, resolved(schema.get("items", {})), depth)
        if kind == "object" or "properties" in schema:
            return self._object(schema, depth)
        return self._text(instead_of)

    def _items(self, name: str, schema: Schema, depth: int) -> list[Any]:
        count = self._random.choice([0, 1, 1, 1, 2, 3]) if depth else 0
        items = [self.value(name, schema, depth=depth - 1) for _ in range(count)]
        return [*items, items[0]] if items and self._random.random() < 0.1 else items

    def _object(self, schema: Schema, depth: int) -> dict[str, Any]:
        fields = schema.get("properties", {})
        if not depth:
            return {}
        if not fields:
            part = resolved(schema.get("additionalProperties") or {})
            keys = [self._text("key") for _ in range(self._random.choice([0, 1, 1, 2]))]
            return {key: self.value(key, part, depth=depth - 1) for key in keys}
        needed = [each for each in schema.get("required", ()) if self._random.random() < 0.95]
        others = [each for each in fields if each not in needed]
        count = min(len(others), self._random.choice([0, 1, 1, 2, 3]))
        chosen = [*needed, *self._random.sample(others, count)]
        return {each: self.value(each, resolved(fields.get(each, {})), depth=depth - 1) for each in chosen}

    def _text(self, instead_of: Any) -> str:
        text = instead_of if isinstance(instead_of, str) else self._random.choice(TEXTS)
        dice = self._random.random()
        if dice < 0.4 or not text:
            return self._random.choice(TEXTS)
        at = self._random.randrange(len(text))
        if dice < 0.6:
            return text[:at] + self._random.choice(ALPHABET) + text[at:]
        if dice < 0.8:
            return text[:at] + text[at + 1 :]
        return text[:at] + self._random.choice(ALPHABET) + text[at + 1 :]
