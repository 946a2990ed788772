"""Which folders and files of a repository are validated, and which builds need what is not in it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import RunCli

OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository whose git ignores `build/` and files that are made."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    _write(tmp_path / ".gitignore", "build/\nmade.*\n")
    return tmp_path


def test_what_git_ignores_is_left_out(repository: Path, run_cli: RunCli) -> None:
    _overlay(repository / "a", "configmap.yaml")
    _overlay(repository / "build/b", "configmap.yaml")
    assert run_cli("validate", cwd=repository).output.startswith("1 overlay, 1 object")
    assert run_cli("validate", "build", cwd=repository).output.startswith("1 overlay, 1 object")


def test_ignored_manifests_are_left_out(repository: Path, run_cli: RunCli) -> None:
    _write(repository / "configmap.yaml", OBJECT)
    _write(repository / "made.yaml", OBJECT)
    assert run_cli("validate", cwd=repository).output.startswith("1 object")


def test_a_build_that_needs_what_is_made_first_is_not_checked(repository: Path, run_cli: RunCli) -> None:
    _overlay(repository / "a/base", "made.yaml")
    _overlay(repository / "b/base", "scripted.yaml")
    _write(repository / "b/configure.sh", "envsubst <template >base/scripted.yaml\n")
    result = run_cli("validate", cwd=repository)
    assert result.code == 0
    assert result.output.splitlines()[:2] == [
        "not checked a/base: its input a/base/made.yaml is not here, and git ignores it",
        "not checked b/base: its input b/base/scripted.yaml is not here, and b/configure.sh makes it",
    ]
    assert run_cli("validate", "--strict", cwd=repository).code == 1


def test_a_file_that_a_script_only_uses_is_missing(repository: Path, run_cli: RunCli) -> None:
    _overlay(repository / "a", "gone.yaml")
    _write(repository / "apply.sh", "kubectl apply -f a/gone.yaml\n")
    result = run_cli("validate", "--concise", cwd=repository)
    assert result.output == "a/kustomization.yaml:2:5: error[build-failed] a/gone.yaml does not exist\n"


def _overlay(folder: Path, resource: str) -> None:
    _write(folder / "kustomization.yaml", f"resources:\n  - {resource}\n")
    if resource == "configmap.yaml":
        _write(folder / resource, OBJECT)


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def test_what_flux_will_fill_is_not_checked(tmp_path: Path, run_cli: RunCli) -> None:
    _overlay(tmp_path / "flux-system", "gotk-sync.yaml")
    _write(tmp_path / "flux-system/gotk-sync.yaml", "# flux bootstrap writes this file\n")
    result = run_cli("validate", cwd=tmp_path)
    assert result.code == 0
    assert result.output.startswith(
        "not checked flux-system: flux-system/gotk-sync.yaml is still to be filled in: only comments are"
    )


def test_files_that_are_not_for_kubernetes_are_left_out(tmp_path: Path, run_cli: RunCli) -> None:
    _write(tmp_path / "configmap.yaml", OBJECT)
    _write(tmp_path / "index.yaml", "apiVersion: v1\nentries: {}\n")
    _write(tmp_path / "kind.yaml", "apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\nnodes: []\n")
    result = run_cli("validate", cwd=tmp_path)
    assert result.output.startswith(
        "skipped Cluster (kind.x-k8s.io/v1alpha4): it has no metadata, as every object has: this is some "
        "other tool's file\n2 objects, 0 errors"
    )
