"""gitops/flux with Flux's own source-controller and kustomize-controller."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster.conftest import skip_without
from cluster.control_plane import Cluster, free_port
from cluster.repository import Repository, serve
from cluster.test_tokens import TOKEN, WAYS, token
from conftest import REPO
from vllm_kustomize import pipeline

NAMESPACE = "vllm"
SHAPE = "base/deployment.yaml"


@pytest.fixture(scope="module")
def repository(nodes: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """The git repository that Flux syncs, with Flux running and gitops/flux/git applied."""
    skip_without(nodes.binaries, "source-controller", "kustomize-controller")
    nodes.install(
        *(nodes.binaries.manifests(name) / "crds" for name in ("source-controller", "kustomize-controller"))
    )
    repository = serve(nodes, tmp_path_factory.mktemp("repository"))
    nodes.namespace("flux-system")
    start_flux(nodes, tmp_path_factory.mktemp("artifacts"))
    nodes.apply(sync_objects(repository))
    return repository


def start_flux(cluster: Cluster, storage: Path) -> None:
    artifacts = f"127.0.0.1:{free_port()}"
    common = ("--events-addr=", "--enable-leader-election=false")
    for name, options in (
        (
            "source-controller",
            (f"--storage-path={storage}", f"--storage-addr={artifacts}", f"--storage-adv-addr={artifacts}"),
        ),
        ("kustomize-controller", ("--requeue-dependency=5s",)),
    ):
        ports = (f"--metrics-addr=127.0.0.1:{free_port()}", f"--health-addr=127.0.0.1:{free_port()}")
        cluster.start(name, cluster.binaries.find(name) or "", *common, *options, *ports)


def sync_objects(repository: Repository) -> str:
    """gitops/flux/git as it is, with this repository's address and a shorter interval to fetch it."""
    items = list(yaml.safe_load_all(pipeline.build(str(REPO / "gitops/flux/git"))))
    for item in items:
        if item["kind"] == "GitRepository":
            item["spec"] |= {"url": repository.url, "interval": "5s"}
    return yaml.safe_dump_all(items)


def ready(cluster: Cluster) -> dict[str, Any]:
    """The Kustomization's condition Ready with the revision that it was applied at."""
    item = cluster.get("kustomizations.kustomize.toolkit.fluxcd.io", "vllm", "--namespace", "flux-system")
    status = item.get("status", {})
    conditions = [each for each in status.get("conditions", []) if each["type"] == "Ready"]
    return {**(conditions[0] if conditions else {}), "revision": status.get("lastAppliedRevision", "")}


def synced(cluster: Cluster, revision: str) -> bool:
    found = ready(cluster)
    return found.get("status") == "True" and revision in found["revision"]


def deployment(cluster: Cluster) -> dict[str, Any]:
    return cluster.get("deployment", "vllm-server", "--namespace", NAMESPACE)


def test_the_first_sync_makes_its_namespace_and_serves(nodes: Cluster, repository: Repository) -> None:
    revision = repository.git("rev-parse", "HEAD")
    nodes.wait("Flux has applied the first revision", lambda: synced(nodes, revision), 240)
    assert deployment(nodes)["status"]["readyReplicas"] == 1


@pytest.mark.parametrize("way", WAYS)
def test_a_token_is_kept(nodes: Cluster, repository: Repository, way: str) -> None:
    """The column Flux of docs/tokens.md: across a new revision."""
    WAYS[way](nodes, NAMESPACE)
    assert token(nodes, NAMESPACE) == TOKEN
    repository.edit(SHAPE, "sizeLimit: 1Gi", f"sizeLimit: 1Gi # {way}")
    revision = repository.push(f"After {way}")
    nodes.wait("Flux has applied the revision", lambda: synced(nodes, revision), 180)
    assert token(nodes, NAMESPACE) == TOKEN


def test_without_the_annotation_a_token_is_lost(nodes: Cluster, repository: Repository) -> None:
    """The reason for the annotation, and proof that the test above can fail.

    The apply that removes the annotation still finds it on the object that is there; the next one takes back
    what kubectl owns (fluxcd/pkg/ssa 0.77.0, manager_apply.go, `cleanupMetadata`).
    """
    repository.edit("base/secret.yaml", "kustomize.toolkit.fluxcd.io/ssa: Merge", "example.com/note: none")
    revision = repository.push("Without the annotation")
    nodes.wait("Flux has applied the revision", lambda: synced(nodes, revision), 180)
    repository.edit(SHAPE, "sizeLimit: 1Gi", "sizeLimit: 1Gi # without the annotation")
    repository.push("Any other change")
    nodes.wait("the token is gone", lambda: token(nodes, NAMESPACE) is None, 180)
    repository.git("revert", "--no-edit", "HEAD~2..HEAD")
    repository.git("push", "--quiet", "origin", "main")
    nodes.wait("Flux is back", lambda: synced(nodes, repository.git("rev-parse", "HEAD")), 180)


def test_a_fix_of_a_broken_revision_is_taken_up_within_two_minutes(
    nodes: Cluster, repository: Repository
) -> None:
    gpus = "overlays/nvidia/patches/deployment.resources.yaml"
    repository.edit(gpus, 'nvidia.com/gpu: "1"', 'nvidia.com/gpu: "9"')
    repository.push("No node has nine GPUs")
    nodes.wait("the broken revision is applied", lambda: gpu_limit(nodes) == "9", 120)
    repository.edit(gpus, 'nvidia.com/gpu: "9"', 'nvidia.com/gpu: "1"')
    pushed = time.monotonic()
    revision = repository.push("One GPU again")
    nodes.wait("the fix is applied", lambda: gpu_limit(nodes) == "1", 120)
    print(f"a fix was applied after {time.monotonic() - pushed:.0f} s")
    nodes.wait("and Ready", lambda: synced(nodes, revision), 180)


def gpu_limit(cluster: Cluster) -> str:
    containers = deployment(cluster)["spec"]["template"]["spec"]["containers"]
    return str(containers[0]["resources"]["limits"]["nvidia.com/gpu"])


def test_what_is_taken_out_is_pruned_and_drift_is_undone(nodes: Cluster, repository: Repository) -> None:
    overlay = "overlays/nvidia/kustomization.yaml"
    repository.edit(
        overlay, "patches:\n", "components:\n  - ../../components/pod-disruption-budget\npatches:\n"
    )
    repository.push("With a budget")
    budget = ("poddisruptionbudget", "vllm-server", "--namespace", NAMESPACE)
    nodes.wait("the budget is there", lambda: nodes.get(*budget), 180)
    nodes.kubectl("set", "env", "deployment/vllm-server", "DRIFT=yes", "--namespace", NAMESPACE)
    repository.git("revert", "--no-edit", "HEAD")
    repository.git("push", "--quiet", "origin", "main")
    nodes.wait("the budget is gone", lambda: not nodes.get(*budget), 180)
    container = deployment(nodes)["spec"]["template"]["spec"]["containers"][0]
    assert "DRIFT" not in [variable["name"] for variable in container["env"]]
