"""Components in company: every one is used by a case in `combinations/`, and every case is clean.

A case is a folder with a kustomization that lays components over an overlay.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import REPO, RunCli
from renders import ROOTS

COMBINATIONS = REPO / "tests/combinations"
COMPONENTS = REPO / "components"
CRDS = Path(os.environ.get("VLLM_KUSTOMIZE_CRDS", REPO.parent / "shared/crds"))


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
    assert {path.name for path in COMPONENTS.iterdir() if path.resolve() not in used} == set()


def test_combinations_and_gitops_are_clean(run_cli: RunCli) -> None:
    # The documented arguments that the overlays keep include --trust-remote-code.
    ignored = ("--ignore", "trust-remote-code")
    result = run_cli(
        "validate", str(COMBINATIONS), str(REPO / "gitops"), "--fail-on", "warning", "--quiet", *ignored
    )
    assert (result.code, result.output) == (0, "")


def test_custom_resources_pass_their_schemas(run_cli: RunCli) -> None:
    if not CRDS.is_dir():
        pytest.skip(f"no CRDs in {CRDS}; VLLM_KUSTOMIZE_CRDS names another folder")
    arguments = [*map(str, ROOTS), "--schema-location", str(CRDS)]
    result = run_cli("validate", *arguments, "--select", "schema", "--format", "json")
    report = json.loads(result.output)
    assert (result.code, report["findings"], report["summary"]["skipped"]) == (0, [], [])
