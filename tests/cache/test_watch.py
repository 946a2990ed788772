"""`--watch` answers every save, also one that falls into a running validation."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vllm_kustomize import pipeline
from vllm_kustomize.model import Error, Report
from vllm_kustomize.settings import Settings

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n"


def messages(report: Report | Error) -> list[str]:
    assert isinstance(report, Report), report
    return [finding.message for finding in report.findings]


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for folder, resource in (("base", "configmap.yaml"), ("overlays/one", "../../base")):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "kustomization.yaml").write_text(f"resources: [{resource}]\n")
    (tmp_path / "base/configmap.yaml").write_text(CONFIG_MAP)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_save_between_two_looks_is_answered(repo: Path) -> None:
    reports = pipeline.watch(["."], Settings)
    assert messages(next(reports)) == []
    (repo / "base/configmap.yaml").write_text(CONFIG_MAP + "dta: {}\n")
    assert messages(next(reports)) == ["dta: unknown field"]
    (repo / "base/configmap.yaml").write_text(CONFIG_MAP)
    assert messages(next(reports)) == []


def test_a_save_while_it_waits_is_answered(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reports = pipeline.watch(["overlays"], Settings)
    assert messages(next(reports)) == []
    text = CONFIG_MAP + "dta: {}\n"
    monkeypatch.setattr(
        "vllm_kustomize.cache.watch.time.sleep", lambda _: (repo / "base/configmap.yaml").write_text(text)
    )
    assert messages(next(reports)) == ["dta: unknown field"]


CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec:
  group: example.com
  names: {kind: Thing, plural: things}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec: {type: object, properties: {size: {type: TYPE}}}
"""


@pytest.mark.parametrize("linked", [False, True])
def test_a_changed_schema_is_answered(repo: Path, tmp_path: Path, linked: bool) -> None:
    thing = "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: a}\nspec: {size: 1}\n"
    (repo / "base/configmap.yaml").write_text(thing)
    folder = tmp_path / ".elsewhere" if linked else tmp_path / "schemas"
    folder.mkdir()
    if linked:
        (tmp_path / "schemas").symlink_to(folder)
    (folder / "thing.yaml").write_text(CRD.replace("TYPE", "integer"))
    settings = Settings(named_schema_locations=(Path("schemas"),))
    reports = pipeline.watch(["overlays"], lambda: settings)
    assert messages(next(reports)) == []
    (folder / "thing.yaml").write_text(CRD.replace("TYPE", "string"))
    assert messages(next(reports)) == ["spec.size: must be a string, but is an integer"]


def test_a_schema_folder_that_leads_elsewhere_is_a_change(repo: Path, tmp_path: Path) -> None:
    """Two folders of the same names, sizes and times hold different schemas."""
    thing = "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: a}\nspec: {size: 1}\n"
    (repo / "base/configmap.yaml").write_text(thing)
    for name, type_ in (("one", "integer"), ("two", "boolean")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "thing.yaml").write_text(CRD.replace("TYPE", type_))
        os.utime(tmp_path / name / "thing.yaml", (1, 1))
    link = tmp_path / "schemas"
    link.symlink_to("one")
    settings = Settings(named_schema_locations=(Path("schemas"),))
    assert messages(pipeline.validate(["overlays"], settings)) == []
    link.unlink()
    link.symlink_to("two")
    assert messages(pipeline.validate(["overlays"], settings)) != []
