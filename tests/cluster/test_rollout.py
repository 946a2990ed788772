"""On the fake nodes: pods run where they are meant to, and survive what nodes go through."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from cluster.control_plane import Cluster
from conftest import REPO
from vllm_kustomize import pipeline

PLACES = {
    "cpu": {"vllm-server": {"cpu-0", "amd-0"}},
    "nvidia": {"vllm-server": {"gpu-0", "gpu-1"}},
    "amd": {"vllm-server": {"amd-0"}},
    "nvidia-replicas": {"vllm-server": {"gpu-0", "gpu-1"}, "vllm-router": {"cpu-0", "amd-0"}},
    "integrations/llama-stack": {"vllm-server": {"gpu-0", "gpu-1"}, "llama-stack": {"cpu-0", "amd-0"}},
}
"""The nodes that each Deployment of an overlay may run on."""


SERVER = ("Deployment", "vllm-server")


def objects(overlay: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(pipeline.build(str(REPO / "overlays" / overlay))))


@pytest.fixture
def namespace(nodes: Cluster, request: pytest.FixtureRequest) -> Iterator[str]:
    name = request.node.name.translate({ord(letter): "-" for letter in "[]/_"}).strip("-")[:60]
    yield nodes.namespace(name)
    nodes.kubectl("delete", "namespace", name, "--wait=false")
    nodes.kubectl("delete", "pods", "--all", "--namespace", name, "--force", "--grace-period=0", check=False)


def running(cluster: Cluster, namespace: str, *options: str) -> list[dict[str, Any]]:
    pods = cluster.items("pods", "--namespace", namespace, *options)
    return [pod for pod in pods if pod["status"].get("phase") == "Running"]


@pytest.mark.parametrize("overlay", PLACES)
def test_rolls_out_where_it_is_meant_to(nodes: Cluster, namespace: str, overlay: str) -> None:
    manifests = [item for item in objects(overlay) if item["kind"] != "ScaledObject"]
    nodes.apply(yaml.safe_dump_all(manifests), "--namespace", namespace)
    for name, places in PLACES[overlay].items():
        nodes.kubectl("rollout", "status", f"deployment/{name}", "--namespace", namespace, "--timeout=120s")
        pods = [pod for pod in running(nodes, namespace) if pod["metadata"]["name"].startswith(f"{name}-")]
        assert pods
        assert {pod["spec"]["nodeName"] for pod in pods} <= places
    assert [
        pod for pod in nodes.items("pods", "--namespace", namespace) if pod not in running(nodes, namespace)
    ] == []


def test_a_gpu_more_than_a_node_has_is_pending(nodes: Cluster, namespace: str) -> None:
    """What the test above means by pending is seen where it has to be."""
    manifests = objects("nvidia")
    (deployment,) = (item for item in manifests if item["kind"] == "Deployment")
    for amounts in deployment["spec"]["template"]["spec"]["containers"][0]["resources"].values():
        amounts["nvidia.com/gpu"] = "9"
    nodes.apply(yaml.safe_dump_all(manifests), "--namespace", namespace)
    unschedulable = nodes.wait(
        "the pod is unschedulable",
        lambda: [
            condition["message"]
            for pod in nodes.items("pods", "--namespace", namespace)
            for condition in pod["status"].get("conditions", [])
            if condition["type"] == "PodScheduled" and condition["status"] == "False"
        ],
    )
    assert "Insufficient nvidia.com/gpu" in unschedulable[0]


def test_a_rollout_of_the_base_needs_no_second_gpu(nodes: Cluster, namespace: str) -> None:
    nodes.apply(pipeline.build(str(REPO / "overlays/nvidia")).decode(), "--namespace", namespace)
    nodes.kubectl("rollout", "status", "deployment/vllm-server", "--namespace", namespace, "--timeout=120s")
    nodes.kubectl("set", "env", "deployment/vllm-server", "CHANGED=yes", "--namespace", namespace)
    nodes.kubectl("rollout", "status", "deployment/vllm-server", "--namespace", namespace, "--timeout=120s")
    assert len(running(nodes, namespace)) == 1


def test_a_drain_takes_one_replica_at_a_time(nodes: Cluster, namespace: str) -> None:
    """The component pod-disruption-budget: the second eviction waits until the first pod is replaced."""
    left_out = ("ScaledObject", "PodMonitor")
    manifests = [item for item in objects("nvidia-replicas") if item["kind"] not in left_out]
    (server,) = (item for item in manifests if (item["kind"], item["metadata"]["name"]) == SERVER)
    server["spec"]["replicas"] = 2
    nodes.apply(yaml.safe_dump_all(manifests), "--namespace", namespace)
    nodes.kubectl("rollout", "status", "deployment/vllm-server", "--namespace", namespace, "--timeout=120s")
    nodes.wait("one may go", lambda: allowed(nodes, namespace) == 1)
    selector = "--selector=app.kubernetes.io/component=server"
    first, second = (pod["metadata"]["name"] for pod in running(nodes, namespace, selector))
    assert evict(nodes, namespace, first) == ""
    assert "disruption budget" in evict(nodes, namespace, second)


def allowed(cluster: Cluster, namespace: str) -> int | None:
    """How many pods the budget lets go now; None before its controller has said."""
    status = cluster.get("poddisruptionbudget", "vllm-server", "--namespace", namespace).get("status", {})
    return status["disruptionsAllowed"] if "observedGeneration" in status else None


def evict(cluster: Cluster, namespace: str, pod: str) -> str:
    """What the API server says to an eviction, which is what a drain asks for."""
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod, "namespace": namespace},
    }
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}/eviction"
    result = cluster.run("create", "--raw", path, "--filename", "-", text=yaml.safe_dump(eviction))
    return result.stderr
