"""Findings that someone accepts: by a comment, in the settings, or with a baseline."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from conftest import RunCli
from vllm_kustomize import Report, pipeline
from vllm_kustomize.settings import Settings
from vllm_kustomize.settings.file import load_settings

POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: p
spec:
{spec}
  containers:
    - name: c
      image: x:1
"""
REASON = "The agent needs it."
ONLY = ("--select", "host-namespaces", "--select", "*-suppression", "--fail-on", "info", "--concise")


def write(folder: Path, **files: str) -> None:
    """Write files; `__` in a name stands for a slash."""
    for name, text in files.items():
        file = folder / f"{name.replace('__', '/')}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def pod(spec: str) -> str:
    return POD.format(spec=spec)


@pytest.mark.parametrize(
    "spec",
    [
        f"  hostPID: true # vllm-kustomize: allow[host-namespaces] {REASON}",
        f"  # vllm-kustomize: allow[host-namespaces] {REASON}\n  hostPID: true",
        f"  # vllm-kustomize:allow [ host-namespaces ] {REASON}\n\n  # Another comment.\n  hostPID: true",
        f"  # vllm-kustomize: allow[host-namespaces] until 9999-12-31: {REASON}\n  hostPID: true",
        f"  # vllm-kustomize: allow[host-namespaces] {REASON} until 9999-12-31\n  hostPID: true",
        "  # vllm-kustomize: allow[host-namespaces] until the agent is rewritten\n  hostPID: true",
        f"  hostPID:\n    # vllm-kustomize: allow[host-namespaces] {REASON}\n    true",
    ],
)
def test_a_comment_accepts_what_stands_on_its_line(spec: str, run_cli: RunCli, tmp_path: Path) -> None:
    write(tmp_path, pod=pod(spec))
    result = run_cli("validate", "pod.yaml", *ONLY, cwd=tmp_path)
    assert (result.code, result.output) == (0, "")


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        (
            f"  # vllm-kustomize: allow[privileged-container] {REASON}\n  hostPID: true",
            "pod.yaml:7:12: warning[host-namespaces] Pod/p: the pod runs in the host's process namespace",
        ),
        (
            f"  # vllm-kustomize: allow[host-namespaces] {REASON}\n  dnsPolicy: Default\n  hostPID: true",
            "pod.yaml:6:3: warning[unused-suppression] nothing here is found by host-namespaces\n"
            "pod.yaml:8:12: warning[host-namespaces] Pod/p: the pod runs in the host's process namespace",
        ),
    ],
)
def test_a_comment_accepts_nothing_else(spec: str, found: str, run_cli: RunCli, tmp_path: Path) -> None:
    write(tmp_path, pod=pod(spec))
    result = run_cli("validate", "pod.yaml", *ONLY, cwd=tmp_path)
    assert (result.code, result.output) == (1, f"{found}\n")


def test_a_comment_ends_with_its_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(
        tmp_path,
        pod=pod(f"  # vllm-kustomize: allow[host-namespaces] until 2027-03-01 {REASON}\n  hostPID: true"),
    )
    settings = Settings(select=("host-namespaces", "*-suppression"))
    on_the_day = pipeline.validate(["pod.yaml"], replace(settings, today=date(2027, 3, 1)))
    assert on_the_day.findings == ()
    assert [(one.by, one.reason) for one in on_the_day.suppressed] == [("source", REASON)]
    (later,) = pipeline.validate(["pod.yaml"], replace(settings, today=date(2027, 3, 2))).findings
    assert [(at.line, at.note) for at in later.related] == [(6, "was allowed here until 2027-03-01")]


BASE = {
    "base__kustomization": "resources: [pod.yaml]\n",
    "overlays__a__kustomization": "resources: [../../base]\npatches:\n  - path: patch.yaml\n",
    "overlays__a__patch": f"""\
apiVersion: v1
kind: Pod
metadata:
  name: p
spec:
  # vllm-kustomize: allow[host-namespaces] {REASON}
  hostPID: true
""",
    "overlays__b__kustomization": f"""\
resources: [../../base]
patches:
  - patch: |-
      apiVersion: v1
      kind: Pod
      metadata:
        name: p
      spec:
        hostIPC: true # vllm-kustomize: allow[host-namespaces] {REASON}
""",
    "overlays__c__kustomization": "resources: [../../base]\n",
}


def test_a_comment_stands_in_the_patch_that_sets_the_value(run_cli: RunCli, tmp_path: Path) -> None:
    write(tmp_path, base__pod=pod("  dnsPolicy: Default"), **BASE)
    result = run_cli("validate", *ONLY, cwd=tmp_path)
    assert (result.code, result.output) == (0, "")
    result = run_cli("validate", "--select", "hardening", "--format", "json", cwd=tmp_path)
    assert json.loads(result.output)["summary"]["suppressed"] == 2


def test_a_comment_in_a_base_is_judged_only_when_all_overlays_are(run_cli: RunCli, tmp_path: Path) -> None:
    comment = f"  # vllm-kustomize: allow[host-namespaces] {REASON}\n  dnsPolicy: Default"
    write(tmp_path, base__pod=pod(comment), **BASE)
    alone = run_cli("validate", "overlays/c", *ONLY, cwd=tmp_path)
    assert (alone.code, alone.output) == (0, "")
    everything = run_cli("validate", *ONLY, cwd=tmp_path)
    assert (
        everything.output
        == "base/pod.yaml:6:3: warning[unused-suppression] nothing here is found by host-namespaces\n"
    )


def test_nothing_is_called_unused_after_a_failed_build(run_cli: RunCli, tmp_path: Path) -> None:
    comment = f"  # vllm-kustomize: allow[host-namespaces] {REASON}\n  dnsPolicy: Default"
    write(
        tmp_path, base__pod=pod(comment), **{**BASE, "overlays__c__kustomization": "resources: [no.yaml]\n"}
    )
    result = run_cli("validate", *ONLY, "--select", "build-failed", cwd=tmp_path)
    assert [line.split()[1] for line in result.output.splitlines()] == ["error[build-failed]"]


SETTINGS = """\
fail-on: warning
severities:
  host-*: info
ignore:
  - rule: host-namespaces
    overlays: [overlays/a*]
    reason: Only there.
"""


def test_the_settings_accept_in_some_overlays(run_cli: RunCli, tmp_path: Path) -> None:
    write(
        tmp_path, base__pod=pod("  hostPID: true"), **{**BASE, "overlays__a__patch": pod("  hostPID: true")}
    )
    options = ("validate", "--select", "host-namespaces", "--concise")
    before = run_cli(*options, cwd=tmp_path)
    assert before.output.count("\n") == 2
    (tmp_path / ".vllm-kustomize.yaml").write_text(SETTINGS, encoding="utf-8")
    after = run_cli(*options, cwd=tmp_path)
    assert after.code == 0, "info is below fail-on"
    assert after.output == (
        "base/pod.yaml:6:12: info[host-namespaces] Pod/p: the pod runs in the host's process namespace"
        " (in overlays/b, overlays/c)\n"
    )
    (suppressed,) = (one for one in pipeline_report(tmp_path).suppressed if one.by != "source")
    assert (suppressed.by, suppressed.reason, suppressed.finding.overlays) == (
        "settings",
        "Only there.",
        ("overlays/a",),
    )


def pipeline_report(folder: Path) -> Report:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        settings = replace(load_settings(), select=("host-namespaces",))
        return pipeline.validate([], settings)


def test_only_new_findings_fail_with_a_baseline(run_cli: RunCli, tmp_path: Path) -> None:
    write(tmp_path, pod=pod("  hostPID: true"))
    options = ("validate", "pod.yaml", *ONLY, "--baseline", "known.json")
    assert run_cli(*options, cwd=tmp_path).code == 2
    written = run_cli(*options, "--write-baseline", cwd=tmp_path)
    assert (written.code, written.output) == (0, "known.json: 1 known findings\n")
    write(tmp_path, pod="# A line\n# and another.\n" + pod("  hostPID: true\n  hostIPC: true"))
    result = run_cli(*options, cwd=tmp_path)
    assert (result.code, result.output) == (
        1,
        "pod.yaml:9:12: warning[host-namespaces] Pod/p: the pod runs in the host's IPC namespace\n",
    )


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"version": 2, "findings": []}', '{"version": 1, "findings": 1}']
)
def test_a_broken_baseline_is_refused(text: str, run_cli: RunCli, tmp_path: Path) -> None:
    write(tmp_path, pod=pod(""))
    (tmp_path / "known.json").write_text(text, encoding="utf-8")
    result = run_cli("validate", "pod.yaml", "--baseline", "known.json", cwd=tmp_path)
    assert result.code == 2
    assert result.errors.startswith("vllm-kustomize: known.json is not a baseline: ")


def test_a_baseline_cannot_accept_what_was_not_checked(run_cli: RunCli, tmp_path: Path) -> None:
    write(tmp_path, kustomization="resources: [no.yaml]\n")
    options = ("validate", ".", "--baseline", "known.json")
    assert run_cli(*options, "--write-baseline", cwd=tmp_path).code == 1
    assert run_cli(*options, cwd=tmp_path).code == 1


def test_a_baseline_holds_no_values(run_cli: RunCli, tmp_path: Path) -> None:
    secret = (
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {token: s3cr3t}\ndata: {a: s3cr3t}\n"
    )
    write(tmp_path, secret=secret)
    run_cli("validate", "secret.yaml", "--baseline", "known.json", "--write-baseline", cwd=tmp_path)
    assert "s3cr3t" not in (tmp_path / "known.json").read_text(encoding="utf-8")
