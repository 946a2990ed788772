"""`--watch` answers every save, also one that falls into a running validation."""

from __future__ import annotations

import threading
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


def test_a_save_while_it_waits_is_answered(repo: Path) -> None:
    reports = pipeline.watch(["overlays"], Settings)
    assert messages(next(reports)) == []
    text = CONFIG_MAP + "dta: {}\n"
    later = threading.Timer(0.3, (repo / "base/configmap.yaml").write_text, [text])
    later.start()
    assert messages(next(reports)) == ["dta: unknown field"]
    later.join()
