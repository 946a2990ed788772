"""Components in company: every one is used by a case in `combinations/`, and every case is clean.

A case is a folder with a kustomization that lays components over an overlay.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import REPO
from renders import ROOTS
from vllm_kustomize.model import Report, Severity
from vllm_kustomize.pipeline import validate
from vllm_kustomize.settings import Settings

COMBINATIONS = REPO / "tests/combinations"
COMPONENTS = REPO / "components"


def read(directory: Path) -> dict[str, Any]:
    kustomization = yaml.safe_load((directory / "kustomization.yaml").read_text(encoding="utf-8"))
    assert isinstance(kustomization, dict)
    return kustomization


def reached(directory: Path) -> set[Path]:
    """The folders that a kustomization takes in, through whatever lies between."""
    kustomization = read(directory)
    entries = [*kustomization.get("resources", ()), *kustomization.get("components", ())]
    folders = {(directory / entry).resolve() for entry in entries if (directory / entry).is_dir()}
    return folders.union(*map(reached, folders))


def test_every_component_is_used_by_a_combination() -> None:
    cases = [path.parent for path in COMBINATIONS.glob("*/kustomization.yaml")]
    used = set().union(*map(reached, cases))
    components = {
        path.parent for path in COMPONENTS.glob("*/kustomization.yaml")
    }  # test_models.py has the rest
    assert {path.name for path in components if path.resolve() not in used} == set()


@pytest.fixture(scope="module")
def report() -> Report:
    """One run over everything that is rendered."""
    return validate([str(root) for root in ROOTS], Settings(cache=False))


def test_combinations_and_gitops_are_clean(report: Report) -> None:
    # amd asks for the host access that upstream documents, and the documented arguments trust remote code.
    found = [
        finding
        for finding in report.findings
        if finding.severity >= Severity.WARNING and finding.rule != "trust-remote-code"
    ]
    assert [(finding, names) for finding in found if (names := others(finding.overlays))] == []


def others(overlays: tuple[str, ...]) -> list[str]:
    return [name for name in overlays if not name.endswith("overlays/amd")]


def test_every_custom_resource_is_judged(report: Report) -> None:
    unjudged = ("schema", "not checked")
    assert [skipped for skipped in report.skipped if any(word in skipped.reason for word in unjudged)] == []
