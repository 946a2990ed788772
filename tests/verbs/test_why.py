"""`why` names the place that wrote each value, as `validate` does."""

from __future__ import annotations

import pytest

from conftest import REPO
from renders import GOLDEN, RENDERS
from vllm_kustomize.findings.locate import locate
from vllm_kustomize.kustomize.discover import overlay_at
from vllm_kustomize.kustomize.replay.tree import SourceTree
from vllm_kustomize.model import Build, Diagnosis, Precision, Severity
from vllm_kustomize.verbs.why import explain

TREE = SourceTree()


@pytest.mark.parametrize("name", RENDERS)
def test_it_agrees_with_validate_on_every_value(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPO)
    overlay = overlay_at(RENDERS[name])
    rendered = (GOLDEN / f"{name}.yaml").read_text(encoding="utf-8")
    answers = explain(rendered, overlay.directory, TREE)
    diagnoses = [
        Diagnosis("", Severity.ERROR, "", "", answer.resource, value.path)
        for answer in answers
        for value in answer.values
    ]
    found = locate(Build(tuple(answer.resource for answer in answers), overlay), diagnoses, TREE)
    places = [value.written.location for answer in answers for value in answer.values]
    assert places == [finding.location for finding in found]
    exact = sum(place.precision == Precision.EXACT for place in places)
    assert exact / len(places) >= 0.95, f"{exact} of {len(places)} values are located exactly"
