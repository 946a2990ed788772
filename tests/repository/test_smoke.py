"""The repo's own overlays are all found, and clean: the first thing that a change may break."""

from __future__ import annotations

import pytest

from conftest import REPO, RunCli
from vllm_kustomize.pipeline import validate
from vllm_kustomize.settings.file import load_settings

OVERLAYS = (
    "overlays/amd",
    "overlays/cpu",
    "overlays/integrations/aibrix",
    "overlays/integrations/kserve",
    "overlays/integrations/kserve-llm",
    "overlays/integrations/kubeai",
    "overlays/integrations/llama-stack",
    "overlays/integrations/llmaz",
    "overlays/integrations/production-stack",
    "overlays/intel",
    "overlays/nvidia",
    "overlays/nvidia-disaggregated",
    "overlays/nvidia-multinode",
    "overlays/nvidia-replicas",
    "gitops/argocd/application",
    "gitops/argocd/applicationset",
    "gitops/flux/git",
    "gitops/flux/oci",
)


def test_every_overlay_of_this_repo_is_validated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPO)
    report = validate((), load_settings())
    assert report.targets == OVERLAYS
    assert report.overlays == len(OVERLAYS)
    assert report.skipped == ()
    assert [(each.what, each.reason) for each in report.undecided if "GPU" not in each.reason] == [
        ("container 'main' of LLMInferenceService/vllm-server", "KServe fills in its command"),
        (
            "container 'vllm' of LeaderWorkerSet/vllm-group",
            "the value of --pipeline-parallel-size is known only in the cluster",
        ),
    ]


def test_the_overlays_of_this_repo_are_clean(run_cli: RunCli) -> None:
    result = run_cli("validate", "--quiet", "--fail-on", "warning")
    assert (result.code, result.errors) == (0, "")
