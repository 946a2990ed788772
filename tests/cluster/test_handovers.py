"""What the controllers of other systems make of the hand-overs, and what the rules say of that.

The golden files hold the object that each makes (image, command, arguments, probes, volumes, GPUs), and below
it the findings of `validate` in it: a hand-over's own object says little of the server that will run.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster import controllers
from cluster.conftest import skip_without
from cluster.control_plane import Cluster
from conftest import REPO, Golden, RunCli
from vllm_kustomize import pipeline

GOLDEN = Path(__file__).parent / "golden"


def overlay(name: str) -> str:
    return pipeline.build(str(REPO / "overlays" / name)).decode()


@pytest.fixture(scope="module")
def lws(nodes: Cluster) -> Cluster:
    skip_without(nodes.binaries, "lws")
    nodes.namespace("lws-system")
    controllers.start_lws(nodes)
    return nodes


def clean(item: dict[str, Any]) -> dict[str, Any]:
    """An object without what the cluster adds to every one."""
    metadata = {
        key: value for key, value in item["metadata"].items() if key in ("name", "labels", "annotations")
    }
    metadata.get("annotations", {}).pop("deployment.kubernetes.io/revision", None)
    return {**{key: item[key] for key in ("apiVersion", "kind")}, "metadata": metadata, "spec": item["spec"]}


def judge(name: str, item: dict[str, Any], golden: Golden, run_cli: RunCli, folder: Path) -> None:
    """Compare an object, and what the rules find in it, with the golden file."""
    rendered = yaml.safe_dump(clean(item), sort_keys=True)
    (folder / "rendered.yaml").write_text(rendered)
    found = run_cli("validate", "rendered.yaml", "--quiet", cwd=folder)
    assert found.errors == ""
    findings = "".join(
        f"# {line}\n" for line in found.output.splitlines() if line.startswith("rendered.yaml")
    )
    golden(GOLDEN / f"{name}.yaml", f"{rendered}{findings}")


def test_leader_worker_set(lws: Cluster, golden: Golden, run_cli: RunCli, tmp_path: Path) -> None:
    namespace = lws.namespace("multinode")
    lws.apply(overlay("nvidia-multinode"), "--namespace", namespace)

    def group() -> list[dict[str, Any]]:
        pods = lws.items("pods", "--namespace", namespace)
        return [pod for pod in pods if pod["status"].get("phase") == "Running"]

    lws.wait("leader and worker run", lambda: len(group()) == 2, 120)
    leader, worker = sorted(group(), key=lambda pod: pod["metadata"]["name"])
    assert {leader["spec"]["nodeName"], worker["spec"]["nodeName"]} == {"gpu-0", "gpu-1"}
    for index, pod in enumerate((leader, worker)):
        environment = {each["name"]: each.get("value") for each in pod["spec"]["containers"][0]["env"]}
        assert environment["LWS_LEADER_ADDRESS"] == f"vllm-group-0.vllm-group.{namespace}"
        assert environment["LWS_GROUP_SIZE"] == "2"
        assert pod["metadata"]["labels"]["leaderworkerset.sigs.k8s.io/worker-index"] == str(index)
    uid = leader["metadata"]["uid"]
    lws.kubectl(
        "delete", "pod", worker["metadata"]["name"], "--namespace", namespace, "--force", "--grace-period=0"
    )
    lws.wait(
        "the whole group is made anew",
        lambda: len(group()) == 2 and uid not in [pod["metadata"]["uid"] for pod in group()],
        120,
    )
    # The group takes every GPU that there is.
    lws.kubectl("delete", "leaderworkersets", "--all", "--namespace", namespace)


STARTERS: dict[str, Callable[[Cluster], None]] = {
    "production-stack": controllers.start_production_stack,
    "kubeai": controllers.start_kubeai,
    "llmaz": controllers.start_llmaz,
}
RESULTS = {
    "production-stack": ("deployment", "vllm-server"),
    "kubeai": ("pods", "--selector=model=mistral-7b-instruct"),
    "llmaz": ("leaderworkersets", "mistral-7b-instruct"),
}


@pytest.mark.parametrize("name", STARTERS)
def test_what_a_controller_makes(
    nodes: Cluster, request: pytest.FixtureRequest, golden: Golden, run_cli: RunCli, tmp_path: Path, name: str
) -> None:
    skip_without(nodes.binaries, name)
    if name == "llmaz":
        request.getfixturevalue("lws")
    namespace = "kubeai" if name == "kubeai" else f"of-{name}"
    if not nodes.get("namespace", namespace):
        nodes.namespace(namespace)
    STARTERS[name](nodes)
    options = () if name == "kubeai" else ("--namespace", namespace)
    nodes.apply(overlay(f"integrations/{name}"), *options)
    made = nodes.wait("the controller has made it", lambda: first(nodes, namespace, *RESULTS[name]), 120)
    nodes.wait("its pods run", lambda: any_running(nodes, namespace), 120)
    judge(name, made, golden, run_cli, tmp_path)


def test_aibrix_routes_to_a_service_that_is_there(nodes: Cluster) -> None:
    skip_without(nodes.binaries, "aibrix")
    namespace = nodes.namespace("of-aibrix")
    nodes.namespace("aibrix-system")
    controllers.start_aibrix(nodes)
    nodes.apply(overlay("integrations/aibrix"), "--namespace", namespace)
    routes = ("httproutes.gateway.networking.k8s.io", "--namespace", "aibrix-system")
    (route,) = nodes.wait("the route is made", lambda: nodes.items(*routes), 120)
    (backend,) = route["spec"]["rules"][0]["backendRefs"]
    service = nodes.get("service", backend["name"], "--namespace", backend["namespace"])
    assert backend["port"] in [port["port"] for port in service["spec"]["ports"]]
    nodes.wait(
        "the autoscaler has looked",
        lambda: (
            nodes.items("podautoscalers", "--namespace", namespace)[0].get("status", {}).get("conditions")
        ),
        120,
    )


def test_keda_makes_the_autoscaler(nodes: Cluster) -> None:
    skip_without(nodes.binaries, "keda")
    namespace = nodes.namespace("of-keda")
    nodes.namespace("keda")
    controllers.start_keda(nodes)
    nodes.apply(overlay("nvidia-replicas"), "--namespace", namespace)
    autoscaler = ("horizontalpodautoscalers", "keda-hpa-vllm-server", "--namespace", namespace)
    spec = nodes.wait("the autoscaler is made", lambda: nodes.get(*autoscaler), 120)["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 8)
    assert spec["scaleTargetRef"]["name"] == "vllm-server"
    nodes.wait("both replicas run", lambda: replicas(nodes, namespace) == 2, 120)
    nodes.kubectl("scale", "deployment/vllm-server", "--replicas=3", "--namespace", namespace)
    for options in ((), ("--server-side", "--force-conflicts")):
        nodes.apply(overlay("nvidia-replicas"), "--namespace", namespace, *options)
        assert replicas(nodes, namespace) == 3


def replicas(cluster: Cluster, namespace: str) -> int:
    """How many the Deployment asks for."""
    return int(cluster.get("deployment", "vllm-server", "--namespace", namespace)["spec"]["replicas"])


def first(cluster: Cluster, namespace: str, *arguments: str) -> dict[str, Any]:
    found = cluster.get(*arguments, "--namespace", namespace)
    return next(iter(found["items"]), {}) if "items" in found else found


def any_running(cluster: Cluster, namespace: str) -> bool:
    return any(
        pod["status"].get("phase") == "Running" and "router" not in pod["metadata"]["name"]
        for pod in cluster.items("pods", "--namespace", namespace)
    )
