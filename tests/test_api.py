"""What the package promises to programs, used as docs/api.md says and through nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import vllm_kustomize
from conftest import POD, REPO
from vllm_kustomize import Error, Settings, Severity, validate

PAGE = (REPO / "docs/api.md").read_text(encoding="utf-8")


@pytest.fixture
def pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    Path("pod.yaml").write_text(POD, encoding="utf-8")
    return "pod.yaml"


def test_a_finding_says_what_is_wrong_and_where(pod: str) -> None:
    report = validate([pod], Settings(select=("host-namespaces",)))
    (finding,) = report.findings
    assert (report.documents, report.overlays, report.skipped) == (1, 0, ())
    assert (finding.rule, finding.severity, str(finding.resource)) == (
        "host-namespaces",
        Severity.WARNING,
        "Pod/p",
    )
    assert finding.location is not None
    assert (finding.location.file, finding.location.line, finding.location.column) == ("pod.yaml", 6, 12)


def test_settings_are_optional(pod: str) -> None:
    assert validate([pod]).documents == 1


def test_what_cannot_be_checked_is_an_error() -> None:
    with pytest.raises(Error, match="gone does not exist"):
        validate(["gone"])


def test_the_page_lists_every_name_and_its_example_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = re.findall(r"^\| `(\w+)", PAGE, re.MULTILINE)
    assert sorted(listed) == sorted(vllm_kustomize.__all__)
    assert all(hasattr(vllm_kustomize, name) for name in listed)
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    monkeypatch.chdir(REPO)
    exec(example, {})
    assert capsys.readouterr().out == ""


def test_there_is_no_other_name() -> None:
    with pytest.raises(AttributeError, match="module 'vllm_kustomize' has no attribute 'Vallidate'"):
        vllm_kustomize.Vallidate  # noqa: B018
