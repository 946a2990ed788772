"""A run ends with 0 only where all that was asked for was checked."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from conftest import POD, RunCli

BROKEN = {"overlays/bad/kustomization.yaml": "resources: [missing.yaml]\n"}


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    files = {
        "overlays/good/kustomization.yaml": "resources: [pod.yaml]\n",
        "overlays/good/pod.yaml": POD,
        "overlays/empty/kustomization.yaml": "resources: []\n",
        "invalid.yaml": 'a: "\n',
        **BROKEN,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    "options", [["--select", "unpinned-image"], ["--select", "api-*,schema"], ["--ignore", "*"]]
)
@pytest.mark.parametrize(
    ("target", "rule"),
    [("overlays/bad", "build-failed"), ("overlays/empty", "empty-build"), ("invalid.yaml", "invalid-yaml")],
)
def test_no_option_hides_that_nothing_could_be_checked(
    run_cli: RunCli, repo: Path, target: str, rule: str, options: list[str]
) -> None:
    result = run_cli("validate", target, *options, "--concise", cwd=repo)
    assert (result.code, f"[{rule}]" in result.output) == (1, True)


@pytest.mark.parametrize(
    "rule", ["build-failed", "invalid-yaml", "empty-build", "internal-error", "not-checked"]
)
@pytest.mark.parametrize(
    "settings",
    ["severities: {%s: info}\n", "ignore: [{rule: %s, reason: it does not matter here}]\n"],
)
def test_no_setting_does(run_cli: RunCli, repo: Path, settings: str, rule: str) -> None:
    assert run_cli("validate", "overlays/good", "--ignore", rule, cwd=repo).code == 2
    (repo / ".vllm-kustomize.yaml").write_text(settings % rule)
    result = run_cli("validate", "overlays/good", cwd=repo)
    assert (result.code, "cannot be ignored or changed" in result.errors) == (2, True)


def test_patterns_of_severities_leave_them_as_they_are(run_cli: RunCli, repo: Path) -> None:
    (repo / ".vllm-kustomize.yaml").write_text(
        "severities: {'*': info}\nignore: [{rule: '*', reason: all of it}]\n"
    )
    assert run_cli("validate", "overlays/bad", cwd=repo).code == 1


@pytest.mark.parametrize(
    "pattern", ["zzz*", "shrt-*", "'host-*'", '"schema"', "schema,shrt-*", "hostnamespaces"]
)
@pytest.mark.parametrize("option", ["--select", "--ignore"])
def test_a_pattern_that_fits_no_rule_is_an_error(
    run_cli: RunCli, repo: Path, option: str, pattern: str
) -> None:
    for _ in range(2):  # and again with what is remembered
        result = run_cli("validate", "overlays/good", option, pattern, cwd=repo)
        assert (result.code, "no rule" in result.errors, result.output) == (2, True, "")


@pytest.mark.parametrize(
    "settings",
    [
        "select: ['shrt-*']\n",
        "ignore: [{rule: 'zzz*', reason: it does not matter here}]\n",
        "severities: {'zzz-*': info}\n",
    ],
)
def test_so_is_one_in_the_settings(run_cli: RunCli, repo: Path, settings: str) -> None:
    run_cli("validate", "overlays/good", cwd=repo)
    (repo / ".vllm-kustomize.yaml").write_text(settings)
    result = run_cli("validate", "overlays/good", cwd=repo)
    assert (result.code, "no rule fits" in result.errors) == (2, True)


def test_the_closest_rule_is_named(run_cli: RunCli, repo: Path) -> None:
    result = run_cli("validate", "--select", "host-namespace*", "--ignore", "host-namespaces-*", cwd=repo)
    assert "did you mean 'host-namespaces'?" in result.errors


def test_commas_separate_rules(run_cli: RunCli, repo: Path) -> None:
    result = run_cli(
        "validate", "overlays/good", "--select", "host-namespaces, schema", "--concise", cwd=repo
    )
    assert "host-namespaces" in result.output


@pytest.mark.parametrize(
    "arguments", [["--changed"], ["--schema-location", ""], ["--config", "a", "--isolated"]]
)
def test_what_names_nothing_is_an_error(run_cli: RunCli, repo: Path, arguments: list[str]) -> None:
    result = run_cli("validate", *arguments, cwd=repo)
    assert (result.code, result.output) == (2, "")
    assert result.errors


def test_a_model_that_does_not_fit_is_a_finding(run_cli: RunCli) -> None:
    arguments = ["size", "--model", "meta-llama/Llama-3.3-70B-Instruct", "--tp", "1"]
    assert run_cli(*arguments, "--gpu", "24Gi").code == 1
    assert run_cli(*arguments, "--gpu", "900Gi").code == 0


def test_settings_come_from_the_repository_alone(run_cli: RunCli, repo: Path) -> None:
    (repo / ".vllm-kustomize.yaml").write_text("select: [host-namespaces]\n")
    inner = repo / "overlays/good"
    (inner / ".git").mkdir()
    found = run_cli("validate", "-v", "--concise", cwd=inner)
    assert "host-namespaces" not in found.output
    (inner / ".git").rmdir()
    assert "host-namespaces" in run_cli("validate", "--concise", cwd=inner).output
    assert "host-namespaces" not in run_cli("validate", "--isolated", "--concise", cwd=inner).output
    assert "../.vllm-kustomize.yaml" in run_cli("validate", "-v", cwd=inner).output.replace(f"{repo}/", "../")


def test_a_settings_file_can_be_named(run_cli: RunCli, repo: Path) -> None:
    (repo / "ci.yaml").write_text("select: [schema]\n")
    (repo / "ci.toml").write_text("[tool.vllm-kustomize]\nselect = ['schema']\n")
    (repo / "other.toml").write_text("[tool.other]\n")
    for name in ("ci.yaml", "ci.toml"):
        result = run_cli("validate", "overlays/good", "--config", name, "--concise", cwd=repo)
        assert (result.code, result.output) == (0, "")
    assert run_cli("validate", "--config", "other.toml", cwd=repo).code == 2
    assert run_cli("validate", "--config", "missing.yaml", cwd=repo).code == 2


def test_entries_of_a_baseline_that_match_nothing_are_told(run_cli: RunCli, repo: Path) -> None:
    arguments = [
        "validate",
        "overlays/good",
        "--select",
        "host-namespaces,unused-suppression",
        "--baseline",
        "known.json",
    ]
    run_cli(*arguments, "--write-baseline", cwd=repo)
    assert run_cli(*arguments, "-q", cwd=repo).output == ""
    (repo / "overlays/good/pod.yaml").write_text(POD.replace("  hostPID: true\n", ""))
    result = run_cli(*arguments, "--concise", cwd=repo)
    assert "known.json:1:1: info[unused-suppression] 1 entry of the baseline matches nothing" in result.output


def test_a_file_that_cannot_be_read_is_not_checked(run_cli: RunCli, repo: Path) -> None:
    """Whatever the reason; here it is too large. What was asked for besides it is checked."""
    with (repo / "large.yaml").open("wb") as file:
        file.truncate((64 << 20) + 1)
    (repo / "good.yaml").write_text(POD)
    result = run_cli("validate", "large.yaml", "good.yaml", "--concise", "--select=host-namespaces", cwd=repo)
    assert (result.code, result.output) == (
        2,
        "good.yaml:6:12: warning[host-namespaces] Pod/p: the pod runs in the host's process namespace\n"
        "large.yaml:1:1: error[not-checked] not checked: it cannot be read: larger than 64 MiB\n",
    )


@pytest.mark.parametrize("named", ["overlays", "."])
def test_a_folder_that_cannot_be_read_is_not_passed_over(
    run_cli: RunCli, repo: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    closed = repo / "overlays"
    real = os.scandir

    def scandir(path: Any) -> Any:
        if Path(path).absolute() == closed:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    result = run_cli("validate", named, cwd=repo)
    assert result.code == 2
    assert "overlays: Permission denied" in result.errors
