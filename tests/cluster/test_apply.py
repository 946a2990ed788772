"""Every overlay, combination and GitOps object: applied, and applied again without a change."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import yaml

from cluster.control_plane import Cluster
from conftest import RunCli
from renders import RENDERS
from vllm_kustomize import pipeline

PRIVILEGED = {"amd", "nvidia-with-model-cache-hostpath"}
"""What asks the host for more than Pod Security's level baseline allows, as the overlay or component says."""

SYSTEMS = ("argocd", "flux-system", "kubeai")
"""The namespaces of systems that are in the cluster before our objects are."""

RESTRICTED = {"amd-with-restricted", "cpu-with-restricted", "nvidia-with-restricted"}


@cache
def rendered(name: str) -> str:
    return pipeline.build(str(RENDERS[name])).decode()


def objects(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(rendered(name)))


def undefined(cluster: Cluster, name: str) -> set[str]:
    """The kinds of a render that the API server does not know."""
    served = {
        (line.split()[-1], line.split()[-3])
        for line in cluster.kubectl("api-resources", "--no-headers").splitlines()
    }
    return {item["kind"] for item in objects(name) if (item["kind"], item["apiVersion"]) not in served}


def prepare(cluster: Cluster, name: str) -> list[str]:
    """Make the namespaces that a render needs and return the options to apply it with."""
    own = {item["metadata"]["namespace"] for item in objects(name) if "namespace" in item["metadata"]}
    made = {item["metadata"]["name"] for item in objects(name) if item["kind"] == "Namespace"}
    for namespace in own - made:
        if not cluster.get("namespace", namespace):
            cluster.namespace(namespace)
    if own:
        return []
    level = "restricted" if name in RESTRICTED else "baseline"
    return ["--namespace", cluster.namespace(name, warn=level)]


@pytest.mark.parametrize("name", RENDERS)
def test_applies_and_applies_again_without_a_change(cluster: Cluster, name: str) -> None:
    if missing := undefined(cluster, name):
        pytest.skip(
            f"no definition of {', '.join(sorted(missing))}; $VLLM_KUSTOMIZE_CRDS names a folder with them"
        )
    options = prepare(cluster, name)
    first = cluster.apply(rendered(name), *options)
    refused = [line for line in first.warnings if "violate PodSecurity" in line]
    assert bool(refused) == (name in PRIVILEGED), first.warnings
    assert [line for line in first.warnings if line not in refused] == []
    before = versions(cluster, name, options)
    cluster.apply(rendered(name), *options)
    assert versions(cluster, name, options) == before
    stored = contents(cluster, name, options)
    again = cluster.apply(rendered(name), *options, "--server-side", "--force-conflicts")
    assert again.warnings == first.warnings
    assert contents(cluster, name, options) == stored


def versions(cluster: Cluster, name: str, options: list[str]) -> list[str]:
    """The version of each object: kubectl calls some configured whose fields do not change."""
    return [item["metadata"]["resourceVersion"] for item in stored_objects(cluster, name, options)]


def contents(cluster: Cluster, name: str, options: list[str]) -> list[Any]:
    """What stands in the cluster of a render's objects, less who wrote it and its status."""
    items = stored_objects(cluster, name, options)
    for item in items:
        item.pop("status", None)
        for key in ("managedFields", "resourceVersion", "generation"):
            item["metadata"].pop(key, None)
        item["metadata"].get("annotations", {}).pop("kubectl.kubernetes.io/last-applied-configuration", None)
    return items


def stored_objects(cluster: Cluster, name: str, options: list[str]) -> list[Any]:
    result = cluster.run("get", *options, "--filename", "-", "--output", "yaml", text=rendered(name))
    assert result.returncode == 0, result.stderr
    found = yaml.safe_load(result.stdout)
    return list(found["items"] if found["kind"] == "List" else [found])


def test_validate_asks_the_server(cluster: Cluster, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch) -> None:
    """`validate --server` finds nothing that the API server, which takes them all, would not."""
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig))
    for namespace in SYSTEMS:
        if not cluster.get("namespace", namespace):
            cluster.namespace(namespace)
    result = run_cli("validate", "--server", "--no-cache")
    assert (result.code, result.errors) == (0, ""), result.output
