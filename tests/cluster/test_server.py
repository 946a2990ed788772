"""`validate --server` against a real API server: what it passes on, and what it says is the reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cluster.control_plane import Cluster
from conftest import RunCli

NAMESPACE = "asked"
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: vllm
spec:
  selector:
    matchLabels: {app: vllm}
  template:
    metadata:
      labels: {app: vllm, part: server}
    spec:
      containers:
        - name: vllm
          image: vllm/vllm-openai:v0.33.0
"""
WIDGET = """\
apiVersion: example.com/v1
kind: Widget
metadata:
  name: widget
"""
DEFINITION = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: widgets.example.com
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Widget, plural: widgets}
  versions:
    - name: v1
      served: true
      storage: true
      deprecated: true
      schema: {openAPIV3Schema: {type: object}}
"""


def findings(result: Any) -> list[tuple[str, str, str]]:
    """Severity, path and message of what the server says."""
    found = json.loads(result.output)["findings"]
    return [
        (each["severity"], each["path"], each["message"]) for each in found if each["rule"] == "api-server"
    ]


def test_the_server_says_what_only_it_knows(
    cluster: Cluster, run_cli: RunCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig))
    cluster.namespace(NAMESPACE, warn="restricted")
    cluster.kubectl("apply", "--namespace", NAMESPACE, "--filename", "-", text=DEPLOYMENT)
    (tmp_path / "definition.yaml").write_text(DEFINITION)
    cluster.install(tmp_path / "definition.yaml")
    changed = DEPLOYMENT.replace("matchLabels: {app: vllm}", "matchLabels: {part: server}")
    other = DEPLOYMENT.replace("name: vllm\nspec", "name: other\nspec")
    (tmp_path / "objects.yaml").write_text("---\n".join((changed, other, WIDGET)))
    asked = ("validate", "--server", "--namespace", NAMESPACE, "--format", "json", "objects.yaml")

    result = run_cli(*asked, cwd=tmp_path)

    assert result.errors == ""
    summary = json.loads(result.output)["summary"]
    assert (summary["cluster"]["namespace"], summary["skipped"]) == (NAMESPACE, [])
    (immutable, security, deprecated) = findings(result)
    assert security[0] == "warning"
    assert security[2].startswith('would violate PodSecurity "restricted:latest": allowPrivilegeEscalation')
    assert immutable[:2] == ("error", "spec.selector")
    assert immutable[2].startswith("differs from the object that is there: Invalid value: ")
    assert deprecated == ("warning", "apiVersion", "example.com/v1 Widget is deprecated")


def test_a_user_who_is_not_let_in(
    cluster: Cluster, run_cli: RunCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "objects.yaml").write_text(DEPLOYMENT)
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(cluster.kubeconfig.read_text())
    cluster.kubectl("--kubeconfig", kubeconfig, "config", "set-credentials", "admin", "--token=wrong")
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    result = run_cli("validate", "--server", "objects.yaml", cwd=tmp_path)
    assert (result.code, "does not accept the user's credentials" in result.errors) == (2, True), (
        result.errors
    )
