"""Join the output of `extract.py` for several releases into the catalogue that the package ships.

An option, class or behaviour that is the same in several releases stands there once, with the ranges of
releases that have it, one entry a line: a new release is a small diff, and the file stays small.

Usage: python merge.py FILE... > new.json
    A FILE is an entry that extract.py printed, or a catalogue; of a release that is in several, the last
    counts.
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
    by_release = {entry["release"]: entry for name in sys.argv[1:] for entry in _entries(Path(name))}
    entries = sorted(by_release.values(), key=lambda entry: _version_key(entry["release"]))
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


def _entries(file: Path) -> Iterator[Json]:
    """The entries of a file: the one that it is, or those that a catalogue was joined from."""
    content = json.loads(file.read_text(encoding="utf-8"))
    if "release" in content:
        yield content
        return
    order = {version: index for index, version in enumerate(content["releases"])}
    for version, index in order.items():
        present = {
            section: [
                {key: value for key, value in entry.items() if key != "in"}
                for entry in content[section]
                if any(order[first] <= index <= order[last] for first, last in entry["in"])
            ]
            for section in ("options", "classes", "behaviours")
        }
        yield {
            "release": version,
            "options": present["options"],
            "classes": {entry.pop("class"): entry for entry in present["classes"]},
            "behaviour": {entry["does"]: True for entry in present["behaviours"]},
        }


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
