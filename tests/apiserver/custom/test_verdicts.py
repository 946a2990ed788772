"""Custom resources against the recorded verdicts of a kube-apiserver, and where the two differ."""

from __future__ import annotations

import pytest

from conformance.custom_resources import (
    ELSEWHERE,
    FALSE_ALARMS,
    MISSED,
    baselines,
    errors,
    judged_otherwise,
    update_errors,
    verdicts,
)


def test_mutants_are_judged_as_the_server_judges_them() -> None:
    assert judged_otherwise() == (set(MISSED), set(FALSE_ALARMS), set(ELSEWHERE))


def test_updates_are_judged_as_the_server_judges_them() -> None:
    recorded = list(verdicts("custom-resources-updates-1.37"))
    differ = [str(verdict) for verdict in recorded if bool(update_errors(verdict)) is verdict.accepted]
    assert len(recorded) > 2000
    assert differ == []


@pytest.mark.parametrize("index", range(len(baselines())))
def test_a_baseline_has_no_errors(index: int) -> None:
    assert errors(baselines()[index]) == []
