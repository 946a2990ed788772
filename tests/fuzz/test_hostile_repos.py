"""Repos that want to exhaust the machine, or to show what lies outside of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import REPO

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"
OUTSIDE = "outside-marker-4711"
GIGABYTES = 2
"""Of address space, which is more than what is used; the engine, a Go program, reserves one."""


def _validate(directory: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    limited = f'ulimit -v {GIGABYTES << 20}; exec "$0" -m vllm_kustomize validate "$@"'
    return subprocess.run(
        ["sh", "-c", limited, sys.executable, *arguments],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(REPO / "tools"), **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param(BOMB, id="nested aliases"),
        pytest.param("a: " + "- " * 50_000, id="deep in one line"),
        pytest.param("\n".join(" " * level + "- &a" for level in range(9_000)), id="deep in many lines"),
        pytest.param("a: " + "[" * 50_000, id="deep brackets"),
        pytest.param("? " * 50_000, id="deep keys"),
    ],
)
@pytest.mark.parametrize("file", ["a/kustomization.yaml", "rendered.yaml"])
def test_bombs_are_defused(tmp_path: Path, file: str, hostile: str) -> None:
    files = {"a/kustomization.yaml": "resources: [object.yaml]\n", "a/object.yaml": OBJECT}
    for name, text in {**files, file: hostile}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    result = _validate(tmp_path, "." if file.startswith("a/") else file)
    assert result.returncode in (1, 2), result.stderr[-500:]
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "kustomization",
    [
        "resources: [../outside.yaml]\n",
        "resources: [link.yaml]\n",
        "resources: [object.yaml]\npatches: [{path: ../outside.yaml}]\n",
        "resources: [object.yaml]\nconfigMapGenerator: [{name: c, files: [../outside.yaml]}]\n",
        "resources: [object.yaml]\nsecretGenerator: [{name: c, envs: [link.yaml]}]\n",
        "resources: [object.yaml]\nreplacements: [{path: ../outside.yaml}]\n",
        "resources: [object.yaml]\nconfigurations: [../outside.yaml]\n",
    ],
)
def test_nothing_outside_is_read(tmp_path: Path, kustomization: str) -> None:
    (tmp_path / "outside.yaml").write_text(f"{OBJECT}{OUTSIDE}: {OUTSIDE}\n")
    repo = tmp_path / "repo"
    repo.mkdir()
    (repo / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    (repo / "object.yaml").write_text(OBJECT)
    (repo / "kustomization.yaml").write_text(kustomization)
    result = _validate(repo, "--format", "json")
    assert result.returncode == 1
    assert "build-failed" in result.stdout
    assert OUTSIDE not in result.stdout + result.stderr


def test_a_terminal_without_unicode_gets_an_answer(tmp_path: Path) -> None:
    (tmp_path / "rendered.yaml").write_text(OBJECT + "größe: 1\n")
    result = _validate(tmp_path, "rendered.yaml", LC_ALL="C", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
