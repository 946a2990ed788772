"""docs/api-server-coverage.md says what the recorded verdicts and the checks come to now.

`make coverage` writes the page; what kubernetes-validate finds takes it minutes, and is left to it here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pytest

from conformance.coverage import DOCUMENT, rules_table
from conformance.verdicts import VERSION, baselines, verdicts
from conftest import REPO, Golden

PAGE = DOCUMENT.read_text(encoding="utf-8")
TOTAL = "all kinds"


def disagreements() -> Iterator[tuple[str, str]]:
    """The kind and the sort of each disagreement that test_conformance.py knows of."""
    for file in (REPO / "tests/apiserver/verdicts").glob("*.txt"):
        for line in file.read_text(encoding="utf-8").splitlines():
            if match := re.match(rf"{VERSION[0]}\.{VERSION[1]} (missed|elsewhere|false alarm): ", line):
                yield file.stem.rpartition("-")[0], match[1]


def counts() -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {TOTAL: Counter()}
    for verdict in verdicts():
        for kind in (TOTAL, baselines()[verdict.base]["kind"]):
            found.setdefault(kind, Counter())["accepted" if verdict.accepted else "rejected"] += 1
    for kind, sort in disagreements():
        found[TOTAL][sort] += 1
        found[kind][sort] += 1
    return found


COUNTS = counts()


@pytest.mark.parametrize("kind", sorted(set(COUNTS) - {TOTAL}))
def test_the_row_of_a_kind_is_current(kind: str) -> None:
    count = COUNTS[kind]
    (row,) = re.findall(rf"^\| {kind} \| (\d+) \| (\S+) \| \S+ \| (\d+) \| (\d+) \|", PAGE, re.MULTILINE)
    caught = 1 - count["missed"] / (count["rejected"] or 1)
    assert row == (
        str(count["rejected"]),
        f"{caught:.1%}",
        str(count["accepted"]),
        str(count["false alarm"]),
    )


def test_the_headline_is_current() -> None:
    count = COUNTS[TOTAL]
    rejected, accepted, missed = count["rejected"], count["accepted"], count["missed"]
    assert f"{rejected + accepted:,} objects, each with one change" in PAGE
    assert f"it rejected {rejected:,} and accepted {accepted:,}." in PAGE
    located = 1 - (missed + count["elsewhere"]) / rejected
    figures = f"{1 - missed / rejected:.2%} | {located:.2%} | {count['false alarm'] / accepted:.2%}"
    assert f"| vllm-kustomize (schema and API-server checks) | {figures} |" in PAGE


def test_the_table_of_rules_is_current(golden: Golden) -> None:
    head, table, _ = PAGE.partition("| Kind | API version | Rules |")
    assert table
    golden(DOCUMENT, head + "\n".join(rules_table()) + "\n")
