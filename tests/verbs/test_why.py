"""`why` names the place that wrote each value, as `validate` does."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import REPO
from renders import GOLDEN, RENDERS
from vllm_kustomize.findings.locate import locate
from vllm_kustomize.kustomize.discover import overlay_at
from vllm_kustomize.kustomize.replay.tree import SourceTree
from vllm_kustomize.model import Build, Diagnosis, Precision, Severity, format_path
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


KUSTOMIZATION = """\
namePrefix: my-
resources: [pod.yaml]
buildMetadata: [originAnnotations]
vars:
  - name: HOST
    objref: {apiVersion: v1, kind: Service, name: server}
"""
SOURCE = """\
apiVersion: v1
kind: Service
metadata:
  name: server
---
apiVersion: example.com/v1
kind: Route
metadata:
  name: route
spec:
  args: [--url=http://$(HOST):80/$(OTHER), --url=http://$(HOST)/x]
  backendRefs:
    - name: server
      port: 80
"""
RENDERED = """\
apiVersion: example.com/v1
kind: Route
metadata:
  annotations:
    config.kubernetes.io/origin: |
      path: pod.yaml
  name: my-route
spec:
  args:
  - --url=http://my-server:80/x
  - --url=http://my-server/x
  backendRefs:
  - name: my-server
    port: 80
"""


def test_variables_renamed_items_and_generated_annotations_are_found(tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text(KUSTOMIZATION)
    (tmp_path / "pod.yaml").write_text(SOURCE)
    (answer,) = explain(RENDERED, tmp_path, SourceTree())
    found = {}
    for value in answer.values:
        at = value.written.location
        notes = tuple(each.location.note for each in value.earlier)
        found[format_path(value.path)] = (Path(at.file).name, at.line, str(at.precision), *notes)
    assert found == {
        "apiVersion": ("pod.yaml", 6, "exact"),
        "kind": ("pod.yaml", 7, "exact"),
        "metadata.annotations[config.kubernetes.io/origin]": ("kustomization.yaml", 3, "exact"),
        "metadata.name": ("pod.yaml", 9, "exact", "namePrefix is added here"),
        "spec.args[0]": ("pod.yaml", 11, "parent"),  # a variable that nobody defines explains nothing
        "spec.args[1]": ("pod.yaml", 11, "exact", "defines $(HOST)"),
        "spec.backendRefs[0].name": ("pod.yaml", 13, "exact", "names Service/my-server"),
        "spec.backendRefs[0].port": ("pod.yaml", 14, "exact"),
    }
