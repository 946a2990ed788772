"""Pod Security against the verdicts of a real kube-apiserver, and where its levels come from."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest
import yaml

from conformance.verdicts import HERE
from conftest import REPO, Golden, RunCli
from vllm_kustomize.apiserver import podsecurity
from vllm_kustomize.apiserver.podsecurity import Standard
from vllm_kustomize.kubernetes.pods import pods
from vllm_kustomize.model import Resource


def test_pods_are_judged_as_the_server_judges_them() -> None:
    wrong = []
    with gzip.open(HERE / "pod-security-1.37.jsonl.gz") as lines:
        for line in lines:
            row = json.loads(line)
            standard = Standard.parse(f"{row['level']}:{row['version']}")
            found = list(podsecurity.check(row["object"], standard, (1, 37)))
            if row["accepted"] == bool(found):
                wrong.append((str(standard), row["object"], row["message"]))
    assert wrong == []


def pod(**spec: object) -> dict[str, object]:
    """A pod that passes every standard but for what is given."""
    security = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    shared = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    containers = [{"name": "c", "image": "a:1", "securityContext": security}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "spec": {"securityContext": shared, "containers": containers, **spec},
    }


@pytest.mark.parametrize(
    ("standard", "kubernetes", "spec", "allowed"),
    [
        # A version newer than the cluster is the cluster's own; `latest` is too.
        ("baseline:v1.37", (1, 33), {"hostUsers": False}, True),
        ("restricted:v1.35", (1, 35), {"hostUsers": False, "securityContext": {"runAsUser": 0}}, False),
        # Image volumes came with 1.33's plugin, whatever version of the standards it applies.
        ("restricted:v1.25", (1, 33), {"volumes": [{"name": "v", "image": {"reference": "a"}}]}, True),
        ("restricted:v1.25", (1, 32), {"volumes": [{"name": "v", "image": {"reference": "a"}}]}, False),
        # Levels before 1.22 knew nothing of dropped capabilities, before 1.19 nothing of seccomp's field.
        ("restricted:v1.21", (1, 37), {"containers": [
            {"name": "c", "image": "a:1", "securityContext": {"allowPrivilegeEscalation": False}}
        ]}, True),
        ("baseline:v1.18", (1, 37), {"securityContext": {"seccompProfile": {"type": "Unconfined"}}}, True),
        ("privileged", (1, 37), {"hostNetwork": True}, True),
    ],
)  # fmt: skip
def test_the_release_decides(
    standard: str, kubernetes: tuple[int, int], spec: dict[str, object], allowed: bool
) -> None:
    found = list(podsecurity.check(pod(**spec), Standard.parse(standard), kubernetes))
    assert (not found) is allowed


NAMESPACE = """\
apiVersion: v1
kind: Namespace
metadata:
  name: llm
  labels:
    pod-security.kubernetes.io/{mode}: {level}
---
"""
POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: p
  namespace: llm
spec:
  hostPID: true
  containers:
    - name: c
      image: a:1
"""


@pytest.mark.parametrize(
    ("namespace", "settings", "option", "expected"),
    [
        ("", "", "", ""),
        ("enforce baseline", "", "", "error baseline:latest, which Namespace/llm enforces"),
        ("warn baseline", "", "", "warning baseline:latest, which Namespace/llm warns of"),
        ("audit baseline", "", "", ""),
        ("", "pod-security: {'*': 'baseline:v1.31'}", "", "error baseline:v1.31, which the settings ask for"),
        ("enforce privileged", "pod-security: {'*': baseline}", "", ""),
        ("enforce privileged", "", "baseline", "error baseline:latest, which --pod-security asks for"),
        ("", "pod-security: {'*': baseline, a.yaml: privileged}", "", ""),
    ],
)
def test_where_the_level_comes_from(
    run_cli: RunCli, tmp_path: Path, namespace: str, settings: str, option: str, expected: str
) -> None:
    mode, _, level = namespace.partition(" ")
    text = NAMESPACE.format(mode=mode, level=level) if namespace else ""
    (tmp_path / "a.yaml").write_text(text + POD, encoding="utf-8")
    (tmp_path / ".vllm-kustomize.yaml").write_text(settings, encoding="utf-8")
    result = run_cli(
        "validate",
        "a.yaml",
        "--format",
        "json",
        "--select",
        "pod-security",
        "--pod-security",
        option,
        cwd=tmp_path,
    )
    found = [
        f"{finding['severity']} {finding['message'].partition('(Pod Security ')[2].rstrip(')')}"
        for finding in json.loads(result.output)["findings"]
    ]
    assert found == ([expected] if expected else [])
    assert result.code == int(expected.startswith("error"))


@pytest.mark.parametrize("level", ["strict", "restricted:1.31", "baseline:v2.0"])
def test_a_level_that_does_not_exist_is_refused(run_cli: RunCli, tmp_path: Path, level: str) -> None:
    (tmp_path / "a.yaml").write_text(POD, encoding="utf-8")
    result = run_cli("validate", "a.yaml", "--pod-security", level, cwd=tmp_path)
    assert (result.code, result.output) == (2, "")
    assert result.errors.startswith("vllm-kustomize: '")


PAGE = """\
# Pod Security

Generated by `make golden`; do not edit.

The level of the [Pod Security Standards][standards] that the pods of every overlay pass, as Kubernetes 1.37
defines it. A namespace that enforces a stricter one refuses the pods.
The component `restricted` (with `without-host-access` on amd) makes an overlay pass level restricted.
`vllm-kustomize validate --pod-security restricted` names the fields that keep yours from it.

[standards]: https://kubernetes.io/docs/concepts/security/pod-security-standards/

| Overlay | Passes |
| --- | --- |
"""


def pods_of(file: Path) -> list[dict[str, object]]:
    """The pods that come of a rendered build, those of a LeaderWorkerSet among them."""
    manifests = yaml.safe_load_all(file.read_text(encoding="utf-8"))
    found = (pod for manifest in manifests if manifest for pod in pods(Resource(manifest)))
    return [{"apiVersion": "v1", "kind": "Pod", "spec": dict(pod.spec)} for pod in found]


def level_of(made: list[dict[str, object]]) -> str:
    """The strictest level that every pod passes."""
    levels = ("restricted", "baseline", "privileged")
    return next(
        level
        for level in levels
        if not any(list(podsecurity.check(each, Standard.parse(level), (1, 37))) for each in made)
    )


def test_the_table_of_levels_is_current(golden: Golden) -> None:
    renders = sorted((REPO / "tests" / "golden").glob("*.yaml"))
    rows = [
        f"| {file.stem.replace('-with-', ' with ')} | {level_of(made)} |\n"
        for file in renders
        if (made := pods_of(file))
    ]
    golden(REPO / "docs" / "pod-security.md", PAGE + "".join(rows))


def test_the_readme_says_which_level_each_overlay_passes() -> None:
    folders = [
        folder for folder in (REPO / "overlays").iterdir() if (folder / "kustomization.yaml").is_file()
    ]
    text = (REPO / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `overlays/([\w-]+)` .*\| (\w+) \|$", text, re.MULTILINE)
    computed = {
        folder.name: level_of(pods_of(REPO / f"tests/golden/{folder.name}.yaml")) for folder in folders
    }
    assert dict(rows) == computed
