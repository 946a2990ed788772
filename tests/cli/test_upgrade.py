"""`upgrade` moves a repository to another release, and writes only what builds and validates."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from conftest import REPO, RunCli, write_files

FILES = {
    "overlays/one/kustomization.yaml": """\
        resources: [deployment.yaml]
        images:
          - name: vllm/vllm-openai
            newTag: "v0.10.2"  # pinned
    """,
    "overlays/one/deployment.yaml": """\
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: server
        spec:
          selector: {matchLabels: {app: vllm}}
          template:
            metadata: {labels: {app: vllm}}
            spec:
              containers:
                - name: vllm
                  image: vllm/vllm-openai:v0.9.1
                  command: [vllm, serve]
                  args:
                    - Qwen/Qwen3-8B
                    - --cuda-graph-sizes=8   # renamed in 0.12
    """,
    "charts/values.yaml": """\
        image:
          repository: mirror.example/vllm/vllm-openai
          tag: v0.9.1
        sidecar: {image: 'vllm/vllm-openai-cpu:v0.9.1-x86_64'}
    """,
    "tests/values.yaml": "image: vllm/vllm-openai:v0.9.1\n",
}

BUMPED = """\
charts/values.yaml:3:8: v0.9.1 -> v0.33.0
charts/values.yaml:4:18: v0.9.1-x86_64 -> v0.33.0-x86_64
overlays/one/deployment.yaml:12:18: v0.9.1 -> v0.33.0 (overlays/one)
overlays/one/kustomization.yaml:4:13: v0.10.2 -> v0.33.0 (overlays/one)
overlays/one/deployment.yaml:16:15: --cuda-graph-sizes -> --cudagraph-capture-sizes (overlays/one)
"""

MIXED = """\
overlays/one/kustomization.yaml:4:13: warning[mixed-releases] the repository names several releases of vLLM: \
0.9.1 (3 x) and 0.10.2 (1 x)
    help: Let all of them name one release: `vllm-kustomize upgrade --vllm X.Y.Z`.
"""


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    write_files(tmp_path, FILES)
    (tmp_path / ".git").mkdir()
    return tmp_path


def state(repo: Path) -> dict[str, str]:
    return {name: (repo / name).read_text() for name in FILES}


def test_every_place_is_bumped_and_renamed_options_follow(repo: Path, run_cli: RunCli) -> None:
    before = state(repo)
    result = run_cli("upgrade", "--vllm", "0.33.0", cwd=repo)
    assert (result.code, result.errors) == (0, "")
    changed, known = result.output.split("\nTo know:\n")
    assert changed == BUMPED
    assert (
        "--gpu-memory-utilization is not set, and its default changes: 0.9 -> 0.92 (overlays/one)\n" in known
    )
    assert MIXED in known
    assert known.endswith("\n\n3 files changed; 1 overlay built, 1 object validated\n")
    after = state(repo)
    assert after["tests/values.yaml"] == before["tests/values.yaml"]
    for name in ("overlays/one/kustomization.yaml", "overlays/one/deployment.yaml", "charts/values.yaml"):
        text = before[name].replace("0.9.1", "0.33.0").replace("0.10.2", "0.33.0")
        assert after[name] == text.replace("--cuda-graph-sizes", "--cudagraph-capture-sizes"), name
    again = run_cli("upgrade", "--vllm", "0.33.0", cwd=repo)
    assert (again.code, again.output) == (0, "nothing to change; 1 overlay built, 1 object validated\n")


def test_a_dry_run_prints_the_change_and_writes_nothing(repo: Path, run_cli: RunCli) -> None:
    before = state(repo)
    result = run_cli("upgrade", "charts", "overlays", "--vllm", "0.33.0", "--diff", cwd=repo)
    assert (result.code, state(repo)) == (0, before)
    assert '-    newTag: "v0.10.2"  # pinned\n+    newTag: "v0.33.0"  # pinned\n' in result.output
    assert result.output.endswith("3 files would change; 1 overlay built, 1 object validated\n")


def test_what_does_not_validate_is_not_written(repo: Path, run_cli: RunCli) -> None:
    file = repo / "overlays/one/deployment.yaml"
    file.write_text(file.read_text().replace("--cuda-graph-sizes=8", "--lora-extra-vocab-size=256"))
    before = state(repo)
    result = run_cli("upgrade", "overlays/one", "--vllm", "0.33.0", "--format", "json", cwd=repo)
    answer = json.loads(result.output)
    assert (result.code, answer["written"], state(repo)) == (1, False, before)
    assert "unknown-flag" in {finding["rule"] for finding in answer["findings"]}
    by_hand = [remark["text"] for remark in answer["remarks"] if remark["kind"] == "by hand"]
    assert by_hand == ["--lora-extra-vocab-size is gone in vLLM 0.33.0"]


def test_what_cannot_be_done_surely_is_left_and_named(repo: Path, run_cli: RunCli) -> None:
    digest = "sha256:" + "0" * 64
    (repo / "charts/values.yaml").write_text(
        f"image: vllm/vllm-openai:v0.9.1@{digest}\n"
        "other: vllm/vllm-openai:v0.9.1-mine\n"
        "newer: {repository: vllm/vllm-openai, tag: v0.33.0}\n"
    )
    result = run_cli("upgrade", "charts", "overlays", "--vllm", "0.32.0", cwd=repo)
    assert result.code == 1
    _, by_hand = result.output.split("\nBy hand:\n")
    assert by_hand.split("\n\n")[0] == (
        "charts/values.yaml:1:8: v0.9.1 stays: a digest says which image it is, whatever the tag\n"
        "charts/values.yaml:2:8: v0.9.1-mine stays: whether there is such an image with '-mine' is not known"
    )
    assert "charts/values.yaml:3:44: v0.33.0 is newer than 0.32.0, and stays\n" in by_hand
    assert "v0.32.0" in (repo / "overlays/one/kustomization.yaml").read_text()


def test_an_object_that_no_overlay_reads_is_validated_by_itself(repo: Path, run_cli: RunCli) -> None:
    text = (repo / "overlays/one/deployment.yaml").read_text()
    (repo / "plain.yaml").write_text(text.replace("--cuda-graph-sizes=8", "--lora-extra-vocab-size=256"))
    before = state(repo)
    result = run_cli("upgrade", "--vllm", "0.33.0", "--diff", cwd=repo)
    assert (result.code, state(repo)) == (1, before)
    assert "plain.yaml:16:15: error[unknown-flag]" in result.output
    assert result.output.splitlines()[-1].startswith("nothing was written: the change of 4 files brings ")


AUTOSCALER = """\
apiVersion: autoscaling/v2beta2
kind: HorizontalPodAutoscaler
metadata:
  name: server
"""


def test_api_versions_that_are_gone_are_replaced_in_objects_and_patches(repo: Path, run_cli: RunCli) -> None:
    (repo / "overlays/one/kustomization.yaml").write_text("resources: [a.yaml]\npatches: [{path: p.yaml}]\n")
    target = "  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: server}\n"
    (repo / "overlays/one/a.yaml").write_text(f"{AUTOSCALER}spec:\n{target}  maxReplicas: 3\n")
    (repo / "overlays/one/p.yaml").write_text(f"{AUTOSCALER}spec:\n  maxReplicas: 4\n")
    result = run_cli("upgrade", "overlays/one", "--kubernetes", "1.37", cwd=repo)
    change = "HorizontalPodAutoscaler: autoscaling/v2beta2 -> autoscaling/v2 (overlays/one)"
    assert (result.code, result.output) == (
        0,
        f"overlays/one/p.yaml:1:13: {change}\noverlays/one/a.yaml:1:13: {change}\n\n"
        "2 files changed; 1 overlay built, 1 object validated\n",
    )
    for file in ("a.yaml", "p.yaml"):
        assert (repo / "overlays/one" / file).read_text().startswith("apiVersion: autoscaling/v2\n")


def test_this_repository_moves_on_clean(tmp_path: Path, run_cli: RunCli) -> None:
    """Some of its overlays; `vllm-kustomize upgrade` of all takes as long as validating them twice."""
    for folder in ("base", "overlays", "components", "examples"):
        shutil.copytree(REPO / folder, tmp_path / folder)
    (tmp_path / ".git").mkdir()
    places = ("base/deployment.yaml", "examples/helm/values.yaml")
    texts = {name: (tmp_path / name).read_text() for name in places}
    for name, text in texts.items():
        (tmp_path / name).write_text(text.replace("v0.33.0", "v0.30.0"))
    result = run_cli("upgrade", "overlays/nvidia", "examples", "--vllm", "0.33.0", cwd=tmp_path)
    assert (result.code, result.errors) == (0, "")
    assert result.output.endswith("2 files changed; 1 overlay built, 4 objects validated\n")
    assert {name: (tmp_path / name).read_text() for name in places} == texts


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "upgrade needs a release to move to: --vllm X.Y.Z, --kubernetes X.Y, or both"),
        (["--vllm", "next"], "'next' is not a vLLM version"),
        (["--vllm", "99.0.0"], "the catalog has no vLLM 99.0.0"),
        (["--kubernetes", "1.99"], "no schemas for Kubernetes 1.99: 1.25 to 1.37 are known"),
        (["--vllm", "0.33.0", "nowhere"], "nowhere does not exist"),
    ],
)
def test_it_says_why_it_cannot_run(arguments: list[str], message: str, repo: Path, run_cli: RunCli) -> None:
    before = state(repo)
    result = run_cli("upgrade", *arguments, cwd=repo)
    assert (result.code, result.output, state(repo)) == (2, "", before)
    assert result.errors.startswith(f"vllm-kustomize: {message}")
    assert result.errors.count("\n") == 1
