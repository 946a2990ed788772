"""One control plane for the run, and what is missing said once for each part."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.control_plane import CONTROLLERS, Binaries, Cluster, control_plane, start_controllers
from conftest import REPO

CRDS = Path(os.environ.get("VLLM_KUSTOMIZE_CRDS", REPO.parent / "shared/crds"))


@pytest.fixture(scope="session")
def binaries() -> Binaries:
    return Binaries.from_environment()


def skip_without(binaries: Binaries, *names: str) -> None:
    """Skip a part, and say what it would need."""
    if missing := binaries.missing(*names):
        pytest.skip(f"no {', '.join(missing)} in $KUBEBUILDER_ASSETS ({binaries.kubernetes}) or $CLUSTER_BIN")


@pytest.fixture(scope="session")
def cluster(binaries: Binaries, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """etcd and kube-apiserver, with the definitions of all custom resources that the overlays use."""
    skip_without(binaries, "etcd", "kube-apiserver")
    with control_plane(tmp_path_factory.mktemp("cluster"), binaries) as cluster:
        llmaz = binaries.manifests("llmaz") / "crds"  # BackendRuntime is in no other place
        folders = (CRDS, llmaz) if CRDS.is_dir() else sorted(binaries.others.glob("manifests/*/crds"))
        cluster.install(*(folder for folder in folders if folder.is_dir()))
        yield cluster


@pytest.fixture(scope="session")
def nodes(cluster: Cluster) -> Cluster:
    """The cluster with controllers, a scheduler and nodes."""
    skip_without(cluster.binaries, *CONTROLLERS, "kwok")
    start_controllers(cluster)
    return cluster


def pytest_report_header() -> list[str]:
    found = Binaries.from_environment()
    return [f"control plane: {found.kubernetes}", f"controllers: {found.others}", f"definitions: {CRDS}"]
