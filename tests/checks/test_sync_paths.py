"""Folders that GitOps objects sync, against the repository that the objects stand in."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import RunCli

FLUX = """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: fleet, namespace: flux-system}
spec: {interval: 1m, url: "URL"}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec: {interval: 1m, prune: true, path: ./apps/prod, sourceRef: {kind: GitRepository, name: fleet}}
"""
ONLY = ("validate", "-", "--isolated", "--concise", "--select", "missing-sync-path")
MISSING = (
    "<stdin>:9:41: error[missing-sync-path] Kustomization/apps: the repository has no folder apps/prod\n"
)


def repository(folder: Path, remote: str) -> None:
    (folder / ".git").mkdir()
    (folder / ".git/config").write_text(f'[remote "origin"]\n\turl = {remote}\n')


@pytest.mark.parametrize(
    ("remote", "url"),
    [
        ("git@git.example.com:platform/fleet.git", "https://git.example.com/platform/fleet"),
        ("https://user@git.example.com/platform/fleet", "ssh://git@git.example.com:22/platform/fleet.git"),
    ],
)
def test_a_path_of_this_repository_is_judged(run_cli: RunCli, tmp_path: Path, remote: str, url: str) -> None:
    repository(tmp_path, remote)
    text = FLUX.replace("URL", url).encode()
    assert run_cli(*ONLY, cwd=tmp_path, stdin=text).output == MISSING
    (tmp_path / "apps/prod").mkdir(parents=True)
    assert run_cli(*ONLY, cwd=tmp_path, stdin=text).output == ""


def test_a_path_of_another_repository_is_undecided(run_cli: RunCli, tmp_path: Path) -> None:
    repository(tmp_path, "https://git.example.com/platform/fleet")
    url = "https://git.example.com/others/fleet"
    result = run_cli(*ONLY[:3], *ONLY[4:], "-v", cwd=tmp_path, stdin=FLUX.replace("URL", url).encode())
    reason = f"the folder apps/prod is in {url}, which this repository was not cloned from"
    assert f"undecided Kustomization/apps in <stdin>: {reason} (missing-sync-path)\n" in result.output


def test_a_folder_that_goes_is_noticed(run_cli: RunCli, tmp_path: Path) -> None:
    repository(tmp_path, "https://git.example.com/platform/fleet")
    (tmp_path / "apps/prod").mkdir(parents=True)
    (tmp_path / "gitops").mkdir()
    (tmp_path / "gitops/kustomization.yaml").write_text("resources: [flux.yaml]\n")
    text = FLUX.replace("URL", "https://git.example.com/platform/fleet")
    (tmp_path / "gitops/flux.yaml").write_text(text)
    ask = ("validate", "gitops", *ONLY[2:])
    assert [run_cli(*ask, cwd=tmp_path).code for _ in range(2)] == [0, 0]
    (tmp_path / "apps/prod").rmdir()
    assert run_cli(*ask, cwd=tmp_path).code == 1
