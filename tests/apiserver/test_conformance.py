"""The checks against the recorded verdicts of a real kube-apiserver, and against objects that it accepts."""

from __future__ import annotations

import pytest

from conformance.verdicts import baselines, errors, figures, problems, verdicts
from vllm_kustomize.model import Severity

CAUGHT, LOCATED, FALSE = 0.995, 0.97, 0.001


def test_the_three_figures():
    found = figures(errors)
    print(
        f"caught {found.caught:.2%}, at the server's path {found.located:.2%}, false alarms {found.false:.2%}"
    )
    assert found.rejected > 4000
    assert found.accepted > 2000
    assert found.caught >= CAUGHT, [str(verdict) for verdict in found.missed[:20]]
    assert found.located >= LOCATED, [str(verdict) for verdict in found.elsewhere[:20]]
    assert found.false <= FALSE, [str(verdict) for verdict in found.false_alarms[:20]]


@pytest.mark.parametrize("index", range(len(baselines())))
def test_a_baseline_has_no_errors(index):
    assert errors(baselines()[index]) == []


def test_what_the_server_warns_of_is_warned_of():
    silent = [
        str(verdict)
        for verdict in verdicts()
        if verdict.warnings
        and not any(problem.severity is Severity.WARNING for problem in problems(verdict.manifest()))
    ]
    assert silent == []
