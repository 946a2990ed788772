"""Faults in repos of many shapes are reported at exactly the line and column that they are written at.

A line of a repo that ends in `# fault RULE` holds a value that the rule rejects: `x2` tells that two objects
get it, `@7` that it begins in column 7 and not behind the line's key. Adding a fault is adding a line.
JSON cannot hold comments, so the faults there are listed below.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import RunCli

REPOS = Path(__file__).parent / "repos"
RULES = ("schema", "api-*", "unpinned-image")

Place = tuple[str, int, int, str]
"""File, line, column, rule."""

_FAULT = re.compile(r"# fault (?P<rule>[\w-]+)(?: x(?P<times>\d+))?(?: @(?P<column>\d+))?$")
_BEFORE_VALUE = re.compile(r"\s*(?:- )*(?:(?:\"[^\"]+\"|[^\s:\"]+):\s+)?(?:&\S+\s+(?=\*))?")

IN_JSON: dict[str, list[tuple[int, int, str]]] = {
    "selected/overlay/large.json": [
        (6, 25, "api-quantity"),
        (8, 19, "api-quantity"),
        (13, 80, "unpinned-image"),
    ],
}


def read_json(text: str) -> Iterator[Place]:
    for finding in json.loads(text)["findings"]:
        place = finding["location"]
        yield place["file"], place["line"], place["column"], finding["rule"]


def read_sarif(text: str) -> Iterator[Place]:
    for result in json.loads(text)["runs"][0]["results"]:
        place = result["locations"][0]["physicalLocation"]
        region = place["region"]
        yield place["artifactLocation"]["uri"], region["startLine"], region["startColumn"], result["ruleId"]


def read_text(text: str) -> Iterator[Place]:
    for match in re.finditer(r"^(\S+?):(\d+):(\d+): \w+\[([\w-]+)\]", text, re.MULTILINE):
        yield match[1], int(match[2]), int(match[3]), match[4]


READERS = {"json": read_json, "sarif": read_sarif, "concise": read_text, "text": read_text}


def expected(repo: Path) -> Counter[Place]:
    places: Counter[Place] = Counter()
    for path in sorted(repo.rglob("*.*")):
        name = path.relative_to(REPOS).as_posix()
        for row, column, rule in IN_JSON.get(name, ()):
            places[name, row, column, rule] += 1
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if fault := _FAULT.search(line):
                before = _BEFORE_VALUE.match(line)
                assert before
                column = int(fault["column"] or before.end() + 1)
                places[name, number, column, fault["rule"]] += int(fault["times"] or 1)
    return places


def arguments(repo: Path) -> list[str]:
    selected = [argument for rule in RULES for argument in ("--select", rule)]
    return ["validate", f"{repo.name}/overlay", *selected]


@pytest.mark.parametrize("repo", sorted(REPOS.iterdir()), ids=lambda repo: repo.name)
def test_every_fault_is_reported_where_it_is_written(repo: Path, tmp_path: Path, run_cli: RunCli) -> None:
    formats = [f"--format={name}={tmp_path / name}" for name in READERS]
    run_cli(*arguments(repo), *formats, cwd=REPOS)
    wanted = sorted(expected(repo).elements())
    for name, read in READERS.items():
        assert sorted(read((tmp_path / name).read_text(encoding="utf-8"))) == wanted, name


def test_there_are_enough_faults() -> None:
    assert sum(len(expected(repo)) for repo in REPOS.iterdir()) >= 80
