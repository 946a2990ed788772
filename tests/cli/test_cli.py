"""The command at its edges: what a person sees when something is wrong, and exit codes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from conftest import REPO, RunCli
from vllm_kustomize.kustomize.engine import Engine
from vllm_kustomize.model import Overlay

KUSTOMIZATION = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A small repo: a base, an overlay on it, and a component."""
    for folder, text in {
        "base": f"{KUSTOMIZATION}resources: [configmap.yaml]\n",
        "overlays/one": f"{KUSTOMIZATION}resources: [../../base]\n",
        "components/extra": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n",
    }.items():
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "kustomization.yaml").write_text(text)
    (tmp_path / "base/configmap.yaml").write_text(CONFIG_MAP)
    return tmp_path


def engine(path: Path, script: str) -> str:
    """An executable that stands in for a broken engine."""
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


CANNOT_RUN = [
    pytest.param(["nowhere"], "nowhere does not exist", id="no-such-path"),
    pytest.param(["broken"], "broken is a symbolic link to gone, which does not exist", id="broken-symlink"),
    pytest.param(
        ["empty"],
        "nothing to validate in empty: no kustomization.yaml, and no file of objects",
        id="no-overlay",
    ),
    pytest.param(
        ["-k", "1.99"], "no schemas for Kubernetes 1.99: 1.25 to 1.37 are known", id="unknown-version"
    ),
    pytest.param(["-k", "new"], "'new' is not a Kubernetes version; write it as 1.36", id="no-version"),
    pytest.param(
        ["--select", "unpinned-imag"],
        "no rule 'unpinned-imag', did you mean 'unpinned-image'?; `vllm-kustomize rules` lists them",
        id="unknown-rule",
    ),
    pytest.param(
        ["--engine", "no-such-kubectl"],
        "no engine at no-such-kubectl: give the path of a kubectl or kustomize executable",
        id="no-engine",
    ),
    pytest.param(
        ["--schema-location", "crds", "custom.yaml"],
        "the schema location crds does not exist",
        id="no-schema-location",
    ),
]


@pytest.mark.parametrize(("arguments", "message"), CANNOT_RUN)
def test_it_says_why_it_cannot_run(arguments: list[str], message: str, repo: Path, run_cli: RunCli) -> None:
    (repo / "broken").symlink_to("gone")
    (repo / "empty").mkdir()
    (repo / "latin1.yaml").write_bytes(b"a: \xe9\n")
    (repo / "custom.yaml").write_text("apiVersion: example.com/v1\nkind: Thing\nmetadata:\n  name: thing\n")
    result = run_cli("validate", *arguments, cwd=repo)
    assert (result.code, result.output) == (2, "")
    assert result.errors == f"vllm-kustomize: {message}\n"


def test_usage_errors_exit_with_2(repo: Path, run_cli: RunCli) -> None:
    result = run_cli("validate", "--no-such-option", cwd=repo)
    assert (result.code, result.output) == (2, "")
    assert "No such option" in result.errors


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in engines are shell scripts")
@pytest.mark.parametrize(
    ("script", "message"),
    [
        pytest.param(
            "echo 'Client Version: v1.22.0'; exit 0", "names no Kustomize version", id="too-old-to-say"
        ),
        pytest.param(
            "echo 'Client Version: v1.24.0'; echo 'Kustomize Version: v4.5.4'",
            "is Kustomize 4.5.4; use",
            id="too-old",
        ),
        pytest.param(
            "echo 'unknown command' >&2; exit 1", "is neither kubectl nor kustomize", id="something-else"
        ),
    ],
)
def test_an_engine_that_cannot_serve(script: str, message: str, repo: Path, run_cli: RunCli) -> None:
    result = run_cli("validate", "--engine", engine(repo / "kubectl", script), cwd=repo)
    assert (result.code, result.output) == (2, "")
    assert message in result.errors


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in engines are shell scripts")
def test_an_engine_that_hangs_is_stopped(repo: Path) -> None:
    script = 'case $1 in version) echo "Kustomize Version: v5.8.1";; *) exec sleep 60;; esac'
    with Engine(Path(engine(repo / "kubectl", script)), timeout=2) as started:
        rendered = started.build(Overlay("hangs", repo))
    assert "the build did not end within" in rendered.error


def test_overlays_are_found_and_a_component_is_none(repo: Path, run_cli: RunCli) -> None:
    result = run_cli("validate", "--format", "json", ".", cwd=repo)
    assert '"overlays": 1' in result.output
    assert result.code == 0


def test_a_file_that_is_not_utf_8_is_one_error_and_the_rest_goes_on(repo: Path, run_cli: RunCli) -> None:
    (repo / "latin1.yaml").write_bytes(b"a: \xe9\n")
    result = run_cli("validate", "latin1.yaml", "overlays/one", "--concise", cwd=repo)
    assert (result.code, result.output) == (
        1,
        "latin1.yaml:1:1: error[invalid-yaml] latin1.yaml is not UTF-8 (byte 3)\n",
    )


def test_an_unreadable_file_is_named(repo: Path, run_cli: RunCli) -> None:
    secret = repo / "secret.yaml"
    secret.write_text(CONFIG_MAP)
    secret.chmod(0)
    if os.access(secret, os.R_OK):
        pytest.skip("this user may read every file")
    result = run_cli("validate", "secret.yaml", "--concise", cwd=repo)
    message = "error[not-checked] not checked: it cannot be read: Permission denied"
    assert (result.code, result.output) == (2, f"secret.yaml:1:1: {message}\n")


def test_standard_input(run_cli: RunCli) -> None:
    result = run_cli("validate", "-q", "-", stdin=f"{CONFIG_MAP}dta: {{}}\n".encode())
    assert result.output == "<stdin>:5:6: error[schema] ConfigMap/settings: dta: unknown field\n\n"
    assert result.code == 1


def test_a_list_is_taken_apart(run_cli: RunCli) -> None:
    item = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, dta: {}}"
    text = f"apiVersion: v1\nkind: List\nitems:\n- {item}\n"
    result = run_cli("validate", "-", stdin=text.encode())
    assert result.output.startswith("<stdin>:4:63: error[schema] ConfigMap/a: dta: unknown field\n")
    assert "1 object, 1 error" in result.output


def test_a_removed_api_is_an_error(run_cli: RunCli) -> None:
    text = "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata:\n  name: a\n"
    result = run_cli("validate", "-q", "-", stdin=text.encode())
    message = "Kubernetes 1.37 serves no PodDisruptionBudget in policy/v1beta1"
    assert result.output == f"<stdin>:2:7: error[schema] PodDisruptionBudget/a: kind: {message}\n\n"


def test_a_finding_of_one_version_says_so(run_cli: RunCli) -> None:
    text = (REPO / "base/pvc.yaml").read_text() + "  volumeAttributesClassName: fast\n"
    result = run_cli("validate", "-q", "-k", "1.27", "-k", "1.37", "-", stdin=text.encode())
    assert "spec.volumeAttributesClassName: unknown field (Kubernetes 1.27)\n" in result.output


def test_version_rules_explain_and_completion(run_cli: RunCli) -> None:
    assert run_cli("--version").output.startswith("vllm-kustomize ")
    assert "unpinned-image" in run_cli("rules").output
    assert run_cli("explain", "unpinned-image").output.startswith(
        "unpinned-image (warning)\n\nA container image"
    )
    assert "_VLLM_KUSTOMIZE_COMPLETE=bash_complete" in run_cli("completion", "bash").output


def test_build_prints_what_the_engine_renders(run_cli: RunCli) -> None:
    expected = (REPO / "tests/golden/cpu.yaml").read_text()
    assert run_cli("build", "overlays/cpu").output == expected
