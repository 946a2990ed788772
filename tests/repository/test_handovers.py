"""What is handed to another system is the nvidia overlay's server: same model, flags, image and GPUs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from conftest import REPO
from vllm_kustomize import pipeline

OURS = {
    "--shutdown-timeout=45",
    "--shutdown-timeout=25",
}  # belong to the grace period, the base's or KubeAI's


BASE = yaml.safe_load((REPO / "base/deployment.yaml").read_text(encoding="utf-8"))
IMAGE = BASE["spec"]["template"]["spec"]["containers"][0]["image"]


@dataclass(frozen=True)
class Server:
    """What a hand-over has to have in common with the nvidia overlay."""

    model: str
    flags: frozenset[str]
    gpus: str


def objects(overlay: str) -> Iterator[dict[str, Any]]:
    yield from yaml.safe_load_all(pipeline.build(str(REPO / "overlays" / overlay)))


def only(overlay: str, kind: str) -> dict[str, Any]:
    (found,) = (item for item in objects(overlay) if item["kind"] == kind)
    return found


def from_container(container: dict[str, Any], arguments: list[str]) -> Server:
    model, *flags = arguments
    assert container["image"] == IMAGE
    gpus = container["resources"]["limits"]["nvidia.com/gpu"]
    return Server(model, frozenset(flags) - OURS, str(gpus))


def nvidia() -> Server:
    container = only("nvidia", "Deployment")["spec"]["template"]["spec"]["containers"][0]
    return from_container(container, container["args"])


def kserve() -> Server:
    container = only("integrations/kserve", "InferenceService")["spec"]["predictor"]["containers"][0]
    return from_container(container, container["args"])


def kserve_llm() -> Server:
    spec = only("integrations/kserve-llm", "LLMInferenceService")["spec"]
    container = spec["template"]["containers"][0]
    assert spec["model"]["uri"] == f"hf://{spec['model']['name']}"
    return from_container(container, [spec["model"]["name"], *container["args"]])


def kubeai() -> Server:
    spec = only("integrations/kubeai", "Model")["spec"]
    assert spec["image"] == IMAGE
    return Server(
        spec["url"].removeprefix("hf://"),
        frozenset(spec["args"]) - OURS,
        spec["resourceProfile"].split(":")[1],
    )


def llmaz() -> Server:
    model, playground, runtime = (
        only("integrations/llmaz", kind)["spec"] for kind in ("OpenModel", "Playground", "BackendRuntime")
    )
    assert f"{runtime['image']}:{runtime['version']}" == IMAGE
    (flavor,) = model["inferenceConfig"]["flavors"]
    return Server(
        model["source"]["modelHub"]["modelID"],
        frozenset(playground["backendRuntimeConfig"]["args"]),
        flavor["limits"]["nvidia.com/gpu"],
    )


def production_stack() -> Server:
    spec = only("integrations/production-stack", "VLLMRuntime")["spec"]
    flags = {*spec["vllmConfig"]["extraArgs"]}
    if spec["vllmConfig"]["enableChunkedPrefill"]:
        flags.add("--enable-chunked-prefill")
    return Server(spec["model"]["modelURL"], frozenset(flags), spec["deploymentConfig"]["resources"]["gpu"])


def helm() -> Server:
    values = yaml.safe_load((REPO / "examples/helm/values.yaml").read_text(encoding="utf-8"))
    image = values["image"]
    assert image["command"][:2] == ["vllm", "serve"]
    container = {"image": f"{image['repository']}:{image['tag']}", "resources": values["resources"]}
    return from_container(container, image["command"][2:])


@pytest.mark.parametrize("hand_over", [kserve, kserve_llm, kubeai, llmaz, production_stack, helm])
def test_same_server(hand_over: Any) -> None:
    assert hand_over() == nvidia()


def test_aibrix_routes_to_the_name_that_the_server_answers_to() -> None:
    deployment = only("integrations/aibrix", "Deployment")
    labels = deployment["metadata"]["labels"]
    assert labels.items() >= {"model.aibrix.ai/port": "8000"}.items()
    template = deployment["spec"]["template"]
    container = template["spec"]["containers"][0]
    name = labels["model.aibrix.ai/name"]
    assert template["metadata"]["labels"]["model.aibrix.ai/name"] == name
    assert f"--served-model-name={name}" in container["args"]
    services = {
        item["metadata"]["name"]: item for item in objects("integrations/aibrix") if item["kind"] == "Service"
    }
    assert [port["port"] for port in services[name]["spec"]["ports"]] == [8000]


def test_llama_stack_asks_our_service() -> None:
    container = next(
        item["spec"]["template"]["spec"]["containers"][0]
        for item in objects("integrations/llama-stack")
        if item["kind"] == "Deployment" and item["metadata"]["name"] == "llama-stack"
    )
    service = next(
        item
        for item in objects("integrations/llama-stack")
        if item["kind"] == "Service" and item["metadata"]["name"] == "vllm-server"
    )
    environment = {variable["name"]: variable.get("value") for variable in container["env"]}
    assert environment["VLLM_SERVICE"] == service["metadata"]["name"]
    assert environment["VLLM_URL"] == "http://$(VLLM_SERVICE)/v1"
    assert service["spec"]["ports"][0]["port"] == 80
