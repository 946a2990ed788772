"""Join what was read of some releases with what the package's data files have of the others.

What is the same in several releases stands there once, with the spans of releases that have it, one entry a
line: a new release is a small diff, and the files stay small.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from catalog.facts import Facts
from catalog.spans import covers, spans, version_key

Json = Any

_SECTIONS = ("options", "classes", "behaviours")


def options(catalog: Json, read: Iterable[Json]) -> str:
    """The text of catalog.json with the entries that `extract.py` printed for some releases."""
    entries = {release: _entries(catalog, release) for release in catalog.get("releases", ())}
    entries |= {entry["release"]: _sections(entry) for entry in read}
    releases = sorted(entries, key=version_key)
    blocks = [
        f' "{section}": [\n{_lines([entries[release][section] for release in releases], releases)}\n ]'
        for section in _SECTIONS
    ]
    return "{\n" + ",\n".join([f' "releases": {json.dumps(releases)}', *blocks]) + "\n}\n"


def facts(table: Json, read: Mapping[str, Facts]) -> str:
    """The text of facts.json with the names that `facts.py` found in some releases."""
    known: dict[str, Facts] = {
        release: {
            section: {name for name, where in names.items() if covers(where, release)}
            for section, names in table.items()
            if section != "releases"
        }
        for release in table.get("releases", ())
    }
    known |= read
    releases = sorted(known, key=version_key)
    sections = sorted({section for of_release in known.values() for section in of_release})
    blocks = [
        f'"{section}": {{\n{_names([known[r].get(section) for r in releases], releases)}\n}}'
        for section in sections
    ]
    return "{\n" + ",\n".join([f'"releases": {json.dumps(releases)}', *blocks]) + "\n}\n"


def _entries(catalog: Json, release: str) -> dict[str, list[Json]]:
    return {
        section: [
            {key: value for key, value in entry.items() if key != "in"}
            for entry in catalog[section]
            if covers(entry["in"], release)
        ]
        for section in _SECTIONS
    }


def _sections(entry: Json) -> dict[str, list[Json]]:
    return {
        "options": entry["options"],
        "classes": [{"class": name, **body} for name, body in entry["classes"].items()],
        "behaviours": [{"does": name} for name, does in entry["behaviour"].items() if does],
    }


def _lines(section: list[list[Json]], releases: list[str]) -> str:
    """One line for each distinct entry, sorted so that the variants of one option stand together."""
    present: dict[str, list[int]] = {}
    for index, entries in enumerate(section):
        for entry in entries:
            present.setdefault(json.dumps(entry, sort_keys=True), []).append(index)
    lines = []
    for text, indexes in present.items():
        entry = json.loads(text)
        where = spans([index in indexes for index in range(len(releases))], releases)
        lines.append((_name(entry), indexes[0], {**entry, "in": where}))
    lines.sort(key=lambda line: line[:2])
    return ",\n".join("  " + json.dumps(entry, separators=(",", ":")) for _, _, entry in lines)


def _name(entry: Json) -> str:
    return str(entry.get("dest") or entry.get("class") or entry.get("does"))


def _names(known: list[set[str] | None], releases: list[str]) -> str:
    """One line for each name; a release of which nothing is known is like the one before it."""
    every = sorted(set().union(*(names for names in known if names)))
    return ",\n".join(
        f"  {json.dumps(name)}: "
        + json.dumps(spans([None if names is None else name in names for names in known], releases))
        for name in every
    )
