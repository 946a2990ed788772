"""Faults in repos of many shapes are reported at exactly the line and column that they are written at.

A line of a repo that ends in `# fault RULE` holds a value that the rule rejects: `x2` tells that two objects
get it, `@7` that it begins in column 7 and not behind the line's key. Adding a fault is adding a line.
JSON cannot hold comments, so the faults there are listed below.
"""

from __future__ import annotations

import json
import re
from collections import Counter
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


def expected(repo: Path) -> Counter[Place]:
    places: Counter[Place] = Counter()
    for path in sorted(repo.rglob("*.*")):
        name = path.relative_to(REPOS).as_posix()
        for line, column, rule in IN_JSON.get(name, ()):
            places[name, line, column, rule] += 1
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
def test_every_fault_is_reported_where_it_is_written(repo: Path, run_cli: RunCli) -> None:
    result = run_cli(*arguments(repo), "--format", "json", cwd=REPOS)
    findings = json.loads(result.output)["findings"]
    reported = Counter(
        (place["file"], place["line"], place["column"], finding["rule"])
        for finding in findings
        for place in [finding["location"]]
    )
    assert sorted(reported.elements()) == sorted(expected(repo).elements())


def test_there_are_enough_faults() -> None:
    assert sum(len(expected(repo)) for repo in REPOS.iterdir()) >= 80
