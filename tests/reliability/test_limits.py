"""What takes too much is left, and the report says so. The limits are injected: no test waits for one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import POD, RunCli
from vllm_kustomize import budget
from vllm_kustomize.kustomize import engine

OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"


def _link(to: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(to)


SPECIAL = [
    pytest.param(lambda path: os.mkfifo(path), id="FIFO"),
    pytest.param(_link("/dev/zero"), id="device"),
    pytest.param(_link("loop.yaml"), id="loop"),
]


@pytest.mark.parametrize(
    ("name", "most", "reason"),
    [
        ("SECONDS", -1.0, "the checks took more than -1 s of processor time"),
        ("MEMORY", -1 << 40, "the checks took more than -1048576 MiB of memory"),
    ],
)
def test_a_build_beyond_its_budget_is_not_checked(
    run_cli: RunCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, most: float, reason: str
) -> None:
    (tmp_path / "large.yaml").write_text("---\n".join([POD] * 400))
    (tmp_path / "other.yaml").write_text(POD)
    monkeypatch.setattr(budget, name, most)
    monkeypatch.setattr(budget, "_INTERVAL", 1e-3)
    result = run_cli("validate", "large.yaml", "--concise", cwd=tmp_path)
    assert (result.code, f"error[not-checked] not checked: {reason}" in result.output) == (2, True)
    monkeypatch.undo()
    assert "not-checked" not in run_cli("validate", "other.yaml", "--concise", cwd=tmp_path).output


@pytest.mark.parametrize("stream", ["", ">&2"])
def test_an_engine_that_prints_without_end_is_ended(
    run_cli: RunCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stream: str
) -> None:
    monkeypatch.setattr(engine, "MAX_OUTPUT", 1 << 16)
    endless = tmp_path / "kustomize"
    endless.write_text(f'#!/bin/sh\n[ "$1" = version ] && echo v5.8.1 || exec yes {stream}\n')
    endless.chmod(0o755)
    (tmp_path / "kustomization.yaml").write_text("resources: []\n")
    result = run_cli("validate", "--engine", str(endless), "--concise", cwd=tmp_path)
    assert (result.code, "[build-failed] the build printed more than 0 MiB" in result.output) == (1, True)


@pytest.mark.parametrize("make", SPECIAL)
def test_what_is_no_regular_file_is_not_read(
    run_cli: RunCli, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    """Beside an overlay, and where the files of a folder are looked through."""
    overlay = tmp_path / "overlay"
    overlay.mkdir()
    (overlay / "kustomization.yaml").write_text("resources: [object.yaml]\n")
    (overlay / "object.yaml").write_text(OBJECT)
    make(overlay / "loop.yaml")
    for _ in range(2):  # and again with what is remembered
        assert run_cli("validate", "overlay", cwd=tmp_path).code == 0
    (overlay / "kustomization.yaml").unlink()
    result = run_cli("validate", "overlay", "--concise", cwd=tmp_path)
    assert result.code == 2
    assert "overlay/loop.yaml:1:1: error[not-checked] not checked: it cannot be read: " in result.output


@pytest.mark.parametrize("make", SPECIAL)
def test_nor_is_what_an_option_names(run_cli: RunCli, tmp_path: Path, make: Callable[[Path], None]) -> None:
    (tmp_path / "pod.yaml").write_text(POD)
    make(tmp_path / "loop.yaml")
    for option in ("--config", "--baseline"):
        result = run_cli("validate", "pod.yaml", option, "loop.yaml", cwd=tmp_path)
        assert (result.code, result.output, "cannot read" in result.errors) == (2, "", True)
    result = run_cli("size", "--model", "loop.yaml", "--gpu", "24Gi", cwd=tmp_path)
    assert (result.code, result.output) == (2, "")
