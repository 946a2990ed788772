"""Join the output of `extract.py` for several releases into the catalogue that the package ships.

An option, class or behaviour that is the same in several releases stands there once, with the ranges of
releases that have it, one entry a line: a new release is a small diff, and the file stays small.

Usage: python merge.py 0.32.0.json 0.33.0.json ... > tools/vllm_kustomize/vllm/catalog/catalog.json
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

Json = Any


def main() -> None:
    """Print the joined catalogue."""
    entries = [json.loads(Path(name).read_text(encoding="utf-8")) for name in sys.argv[1:]]
    entries.sort(key=lambda entry: _version_key(entry["release"]))
    releases = [entry["release"] for entry in entries]
    sections = {
        "options": [list(entry["options"]) for entry in entries],
        "classes": [
            [{"class": name, **body} for name, body in entry["classes"].items()] for entry in entries
        ],
        "behaviours": [
            [{"does": name} for name, does in entry["behaviour"].items() if does] for entry in entries
        ],
    }
    print("{")
    print(f' "releases": {json.dumps(releases)},')
    blocks = [f' "{name}": [\n{_lines(each, releases)}\n ]' for name, each in sections.items()]
    print(",\n".join(blocks))
    print("}")


def _version_key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def _lines(section: list[list[Json]], releases: list[str]) -> str:
    """One line for each distinct entry, sorted so that the variants of one option stand together."""
    present: dict[str, list[int]] = {}
    for index, entries in enumerate(section):
        for entry in entries:
            present.setdefault(json.dumps(entry, sort_keys=True), []).append(index)
    lines = []
    for text, indexes in present.items():
        ranges = [[releases[first], releases[last]] for first, last in _ranges(indexes)]
        lines.append((_name(json.loads(text)), indexes[0], {**json.loads(text), "in": ranges}))
    lines.sort(key=lambda line: line[:2])
    return ",\n".join("  " + json.dumps(entry, separators=(",", ":")) for _, _, entry in lines)


def _name(entry: Json) -> str:
    return str(entry.get("dest") or entry.get("class") or entry.get("does"))


def _ranges(indexes: Iterable[int]) -> Iterator[tuple[int, int]]:
    first = last = -1
    for index in indexes:
        if first >= 0 and index == last + 1:
            last = index
            continue
        if first >= 0:
            yield first, last
        first = last = index
    if first >= 0:
        yield first, last


if __name__ == "__main__":
    main()
