"""Hooks, CI jobs and documents say what works: each is run as far as it goes without its host."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import POD, REPO, Golden, RunCli
from vllm_kustomize.checks import manual
from vllm_kustomize.settings.file import SCHEMA, TOML_FILE, YAML_FILE, load_settings


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repo with one overlay, `overlays/a b`, that has a warning."""
    folder = tmp_path / "overlays/a b"
    folder.mkdir(parents=True)
    (folder / "kustomization.yaml").write_text("resources: [pod.yaml]\n", encoding="utf-8")
    (folder / "pod.yaml").write_text(POD, encoding="utf-8")
    return tmp_path


def shell(script: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a script as GitHub does: `bash -e -o pipefail`."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script],
        cwd=cwd,
        env={**os.environ, "PATH": path, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def blocks(document: str, language: str) -> list[str]:
    text = (REPO / "docs" / document).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_the_hook_validates_what_changed(repo: Path, run_cli: RunCli) -> None:
    (hook,) = yaml.safe_load((REPO / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    command, *arguments = hook["entry"].split()
    assert (command, hook["id"], hook["language"]) == ("vllm-kustomize", "vllm-kustomize", "python")
    options = ("--select", "host-namespaces", "--fail-on", "warning", "-q")
    assert run_cli(*arguments, *options, "overlays/a b/pod.yaml", "README.md", cwd=repo).code == 1
    assert run_cli(*arguments, *options, "README.md", cwd=repo).code == 0


@pytest.mark.parametrize(("paths", "options", "code"), [("", "", 0), ("overlays", "--fail-on warning", 1)])
def test_the_action_annotates_and_writes_sarif(paths: str, options: str, code: int, repo: Path) -> None:
    action = yaml.safe_load((REPO / "action.yml").read_text(encoding="utf-8"))
    step = next(step for step in action["runs"]["steps"] if step.get("name") == "Validate")
    inputs = ("paths", "options", "sarif-file")
    assert list(step["env"].values()) == [f"${{{{ inputs.{name} }}}}" for name in inputs]
    variables = {"PATHS": paths, "OPTIONS": f"{options} --select host-namespaces", "SARIF": "out.sarif"}
    result = shell(step["run"], repo, **variables)
    where = "file=overlays/a b/pod.yaml,line=6,col=12,title=host-namespaces"
    assert result.stdout.startswith(f"::warning {where}::Pod/p: the pod runs in the host's process namespace")
    assert (result.returncode, result.stderr) == (code, "")
    report = json.loads((repo / "out.sarif").read_text(encoding="utf-8"))
    assert [found["ruleId"] for found in report["runs"][0]["results"]] == ["host-namespaces"]


def test_the_scripts_of_the_action_take_no_input_as_code() -> None:
    action = yaml.safe_load((REPO / "action.yml").read_text(encoding="utf-8"))
    assert not [step for step in action["runs"]["steps"] if "${{" in step.get("run", "")]


def test_the_gitlab_job_writes_its_reports(repo: Path) -> None:
    jobs = (yaml.safe_load(text) for text in blocks("integrations.md", "yaml"))
    (job,) = (parsed["validate"] for parsed in jobs if "validate" in parsed)
    install, *script = job["script"]
    assert install.startswith("pip install")
    assert shell("\n".join(script), repo).returncode == 0, "warnings do not fail by default"
    reports = job["artifacts"]["reports"]
    assert json.loads((repo / reports["codequality"]).read_text(encoding="utf-8")) == []
    assert ET.parse(repo / reports["junit"]).getroot().tag == "testsuites"


def test_the_problem_matcher_reads_what_is_printed(repo: Path, run_cli: RunCli) -> None:
    (tasks,) = (json.loads(text) for text in blocks("integrations.md", "json") if '"tasks"' in text)
    pattern = tasks["tasks"][0]["problemMatcher"]["pattern"]
    output = run_cli("validate", "--concise", "--select", "host-namespaces", cwd=repo).output
    match = re.search(pattern["regexp"], output, re.MULTILINE)
    assert match is not None
    named = {name: match[group] for name, group in pattern.items() if name != "regexp"}
    assert named == {
        "file": "overlays/a b/pod.yaml",
        "line": "6",
        "column": "12",
        "severity": "warning",
        "code": "host-namespaces",
        "message": "Pod/p: the pod runs in the host's process namespace",
    }


def test_the_documented_json_is_the_real_one(repo: Path, run_cli: RunCli) -> None:
    (documented,) = (json.loads(text) for text in blocks("integrations.md", "json") if '"findings"' in text)
    output = run_cli("validate", "--format", "json", "--select", "host-namespaces", cwd=repo).output
    assert keys(documented) == keys(json.loads(output))


def keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: keys(item) for key, item in value.items()}
    return [keys(item) for item in value[:1]] if isinstance(value, list) else None


def test_the_documented_settings_are_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example, comment = blocks("settings.md", "yaml")
    assert "allow[" in comment
    assert set(yaml.safe_load(example)) == set(json.loads(SCHEMA.read_text(encoding="utf-8"))["properties"])
    (toml,) = blocks("settings.md", "toml")
    for name, text in ((YAML_FILE, example), (TOML_FILE, toml)):
        folder = tmp_path / name.strip(".")
        folder.mkdir()
        (folder / name).write_text(text, encoding="utf-8")
        monkeypatch.chdir(folder)
        assert load_settings().ignores


def test_the_list_of_rules_is_current(golden: Golden) -> None:
    golden(REPO / "docs/rules.md", manual.page())


def test_every_rule_can_be_explained(run_cli: RunCli) -> None:
    listed = json.loads(run_cli("rules", "--format", "json").output)
    assert {"schema", "api-metadata", "host-namespaces"} <= {entry["id"] for entry in listed}
    assert all(entry["manual"] and entry["help"] and entry["summary"].endswith(".") for entry in listed)
    for name in ("schema", "api-metadata", "host-namespaces"):
        assert run_cli("explain", name).output.startswith(f"{name} (")
    result = run_cli("explain", "scheme")
    assert (result.code, "did you mean 'schema'?" in result.errors) == (2, True)
