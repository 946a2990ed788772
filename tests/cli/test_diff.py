"""`diff` compares what overlays render with a git revision, or with a cluster, and judges the change."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from conftest import Golden, RunCli, write_files

FILES = {
    "base/kustomization.yaml": """\
        resources: [deployment.yaml, claim.yaml, service.yaml]
        configMapGenerator:
          - name: settings
            literals: [LEVEL=info]
        secretGenerator:
          - name: tokens
            literals: [hf=first]
    """,
    "base/deployment.yaml": """\
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: server
        spec:
          selector:
            matchLabels:
              app: vllm
          template:
            metadata:
              labels:
                app: vllm
            spec:
              containers:
                - name: vllm
                  image: vllm/vllm-openai:v0.33.0
                  resources:
                    limits:
                      nvidia.com/gpu: 1
    """,
    "base/claim.yaml": """\
        apiVersion: v1
        kind: PersistentVolumeClaim
        metadata:
          name: models
    """,
    "base/service.yaml": """\
        apiVersion: v1
        kind: Service
        metadata:
          name: server
    """,
    "overlays/one/kustomization.yaml": "resources: [../../base]\n",
    "overlays/two/kustomization.yaml": "resources: [../../base]\nnamespace: team\n",
    "overlays/other/kustomization.yaml": "resources: [settings.yaml]\n",
    "overlays/other/settings.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: other\n",
}


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    write_files(tmp_path, FILES)
    git(tmp_path, "init", "-q")
    commit(tmp_path)
    return tmp_path


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True)


def commit(repo: Path) -> None:
    git(repo, "add", ".")
    git(repo, "commit", "-qm", "all")


def change(repo: Path, file: str, old: str, new: str) -> None:
    text = (repo / file).read_text()
    assert old in text
    (repo / file).write_text(text.replace(old, new))


@pytest.fixture
def changed(repo: Path) -> Path:
    """The repo with changes of every kind, none of them committed."""
    change(repo, "base/deployment.yaml", "app: vllm\n  template", "app: server\n  template")
    change(repo, "base/deployment.yaml", "labels:\n        app: vllm", "labels:\n        app: server")
    change(repo, "base/claim.yaml", "models", "cache")
    change(repo, "base/kustomization.yaml", "claim.yaml, service.yaml", "claim.yaml")
    change(repo, "base/kustomization.yaml", "LEVEL=info", "LEVEL=debug")
    change(repo, "base/kustomization.yaml", "hf=first", "hf=second")
    return repo


@pytest.mark.parametrize("format_", ["text", "markdown", "json"])
def test_a_change_is_shown_and_judged(format_: str, changed: Path, run_cli: RunCli, golden: Golden) -> None:
    overlays = ["overlays"] if format_ == "markdown" else ["overlays/one", "overlays/other"]
    result = run_cli("diff", *overlays, "--format", format_, cwd=changed)
    assert (result.code, result.errors) == (1, "")
    golden(Path(__file__).parent / f"expected/diff.{format_}", result.output)


def test_what_did_not_change_is_not_built(changed: Path, run_cli: RunCli) -> None:
    (changed / "overlays/other/kustomization.yaml").write_text("resources: [gone.yaml]\n")
    commit(changed)
    result = run_cli("diff", cwd=changed)
    assert (result.code, result.output) == (0, "3 overlays compared with HEAD: nothing differs\n")


def test_what_cannot_be_built_is_named_and_fails_the_run(repo: Path, run_cli: RunCli) -> None:
    change(repo, "overlays/other/kustomization.yaml", "settings.yaml", "gone.yaml")
    result = run_cli("diff", "overlays/other", cwd=repo)
    assert result.code == 2
    assert result.output.startswith("not compared overlays/other: it does not build: ")
    assert result.output.splitlines()[1] == (
        "0 of 1 overlay differ from HEAD, 0 errors, 0 warnings, 0 infos, 1 not compared"
    )


def test_an_overlay_that_is_gone_and_a_new_one(repo: Path, run_cli: RunCli) -> None:
    (repo / "overlays/other").rename(repo / "overlays/new")
    result = run_cli("diff", "--format", "json", "--fail-on", "info", cwd=repo)
    answer = json.loads(result.output)
    assert result.code == 1
    assert [(each["name"], each["change"], each["overlays"]) for each in answer["objects"]] == [
        ("ConfigMap/other", "added", ["overlays/new"]),
        ("ConfigMap/other", "removed", ["overlays/other"]),
    ]
    (finding,) = answer["findings"]
    assert finding["rule"] == "prunes-object"
    assert finding["location"] == {
        "file": "overlays/other/settings.yaml",
        "line": 1,
        "column": 1,
        "precision": "file",
    }


def test_a_patch_that_deletes_is_where_the_object_went(repo: Path, run_cli: RunCli) -> None:
    patch = "patches:\n  - patch: |\n      apiVersion: v1\n      kind: Service\n      metadata:\n"
    patch += "        name: server\n      $patch: delete\n"
    (repo / "overlays/one/kustomization.yaml").write_text(f"resources: [../../base]\n{patch}")
    answer = json.loads(run_cli("diff", "overlays/one", "--format", "json", cwd=repo).output)
    (finding,) = answer["findings"]
    location = finding["location"]
    assert (location["file"], location["line"]) == ("overlays/one/kustomization.yaml", 4)
    (related,) = finding["related"]
    assert (related["file"], related["note"]) == ("base/service.yaml", "it stood here at HEAD")


KUBECTL = """\
#!/bin/sh
case "$1" in
  version) printf 'Client Version: v1.99.0\\nKustomize Version: v5.9.0\\n' ;;
  kustomize)
    [ -f broken ] && { echo 'error: invalid literal source hf=first' >&2; exit 1; }
    echo 'kind: ConfigMap' ;;
  diff)
    [ -f same ] && exit 0
    [ -f refused ] && { echo 'error: connection refused' >&2; exit 1; }
    cat <<'END'
diff -u -N /tmp/LIVE-1/apps.v1.Deployment.team.server /tmp/MERGED-2/apps.v1.Deployment.team.server
--- /tmp/LIVE-1/apps.v1.Deployment.team.server	2026-01-01 00:00:00
+++ /tmp/MERGED-2/apps.v1.Deployment.team.server	2026-01-01 00:00:00
@@ -1,2 +1,2 @@
 spec:
-  replicas: 1
+  replicas: 2
diff -u -N /tmp/LIVE-1/v1.Namespace..team /tmp/MERGED-2/v1.Namespace..team
--- /tmp/LIVE-1/v1.Namespace..team	1970-01-01 00:00:00
+++ /tmp/MERGED-2/v1.Namespace..team	2026-01-01 00:00:00
@@ -0,0 +1 @@
+kind: Namespace
END
    exit 1 ;;
esac
"""

LIVE = """\
Deployment/server in team (overlays/one)
@@ -1,2 +1,2 @@
 spec:
-  replicas: 1
+  replicas: 2

Namespace/team is added (overlays/one)
@@ -0,0 +1 @@
+kind: Namespace

1 of 1 overlay differs from the cluster, 1 object changed, 1 object added, 0 errors, 0 warnings, 0 infos
"""


def test_the_cluster_is_asked_by_kubectl(repo: Path, run_cli: RunCli) -> None:
    kubectl = repo / "kubectl"
    kubectl.write_text(KUBECTL)
    kubectl.chmod(0o755)

    def ask() -> tuple[int, str]:
        result = run_cli("diff", "overlays/one", "--server", "--engine", str(kubectl), cwd=repo)
        return result.code, result.output + result.errors

    assert ask() == (0, LIVE)
    (repo / "refused").touch()
    code, output = ask()
    assert (code, output.splitlines()[0]) == (2, "not compared overlays/one: connection refused")
    (repo / "same").touch()
    assert ask() == (0, "1 overlay compared with the cluster: nothing differs\n")
    (repo / "broken").touch()
    code, output = ask()
    said = "not compared overlays/one: it does not build: invalid literal source hf=[hidden]"
    assert (code, output.splitlines()[0]) == (2, said)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere is not a folder, neither here nor at HEAD"),
        (["base/service.yaml"], "base/service.yaml is not a folder, neither here nor at HEAD"),
        (["--base", "no-such"], "git knows no revision 'no-such' here"),
        (
            ["--server", "--base", "main"],
            "--server compares with the cluster and --base with a revision: leave one of them out",
        ),
    ],
)
def test_it_says_why_it_cannot_compare(
    arguments: list[str], message: str, repo: Path, run_cli: RunCli
) -> None:
    result = run_cli("diff", *arguments, cwd=repo)
    assert (result.code, result.output, result.errors) == (2, "", f"vllm-kustomize: {message}\n")
