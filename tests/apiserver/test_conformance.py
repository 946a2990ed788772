"""The checks against the recorded verdicts of a real kube-apiserver, and against objects that it accepts.

Where the two do not agree, `verdicts/` says so, one file for each object that was changed: a rejected change
that is missed, one whose error names another field than the server's, and an accepted one with an error.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from conformance.verdicts import RECORDED, baselines, errors, figures, problems, verdicts
from conftest import Golden
from vllm_kustomize.model import Severity

EXPECTED = Path(__file__).parent / "verdicts"
BASELINES = [pytest.param(base, id=f"{each['kind']}-{base}") for base, each in enumerate(baselines())]


@pytest.mark.parametrize("base", BASELINES)
def test_disagrees_with_the_server_only_where_it_is_said(base: int, golden: Golden) -> None:
    lines = []
    for version in RECORDED:
        found = figures(partial(errors, version=version), base, version)
        release = f"{version[0]}.{version[1]}"
        lines += [
            *(f"{release} missed: {verdict}" for verdict in found.missed),
            *(f"{release} elsewhere: {verdict}" for verdict in found.elsewhere),
            *(f"{release} false alarm: {verdict}" for verdict in found.false_alarms),
        ]
    golden(EXPECTED / f"{baselines()[base]['kind']}-{base}.txt", "".join(f"{line}\n" for line in lines))


def test_every_verdict_belongs_to_a_baseline() -> None:
    assert {verdict.base for verdict in verdicts()} == set(range(len(baselines())))


@pytest.mark.parametrize("base", BASELINES)
def test_a_baseline_has_no_errors(base: int) -> None:
    assert errors(baselines()[base]) == []


@pytest.mark.parametrize("base", BASELINES)
def test_what_the_server_warns_of_is_warned_of(base: int) -> None:
    silent = [
        str(verdict)
        for verdict in verdicts(base)
        if verdict.warnings
        and not any(problem.severity is Severity.WARNING for problem in problems(verdict.manifest()))
    ]
    assert silent == []
