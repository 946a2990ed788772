"""What the table of controllers says of the objects that this repo hands over, and of other people's."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from vllm_kustomize.kubernetes.controllers import Effect, controller_of
from vllm_kustomize.model import Resource

LEAVES, FILLS, EXTENDS, OVERWRITES = Effect


def resource(api_version: str, kind: str, **contents: Any) -> Resource:
    return Resource({"apiVersion": api_version, "kind": kind, "metadata": {"name": "llama"}, **contents})


@pytest.mark.parametrize(
    ("api_version", "kind", "field", "effect"),
    [
        ("ray.io/v1", "RayCluster", "containers.command", OVERWRITES),
        ("ray.io/v1", "RayService", "containers.livenessProbe", FILLS),
        ("ray.io/v1", "RayJob", "sharedMemory", FILLS),
        ("ray.io/v1", "RayCluster", "containers.startupProbe", LEAVES),
        ("orchestration.aibrix.ai/v1alpha1", "RayClusterFleet", "containers.args", OVERWRITES),
        ("orchestration.aibrix.ai/v1alpha1", "StormService", "containers.command", LEAVES),
        ("orchestration.aibrix.ai/v1alpha1", "StormService", "containers.env", EXTENDS),
        ("workloads.x-k8s.io/v1alpha2", "RoleBasedGroup", "containers.args", OVERWRITES),
        ("serving.kserve.io/v1beta1", "InferenceService", "containers.readinessProbe", FILLS),
        ("serving.kserve.io/v1alpha1", "ServingRuntime", "containers.args", EXTENDS),
        ("serving.kserve.io/v1alpha2", "LLMInferenceService", "containers.command", FILLS),
        ("leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet", "containers.command", LEAVES),
        ("kubeai.org/v1", "Model", "terminationGracePeriodSeconds", OVERWRITES),
        ("production-stack.vllm.ai/v1alpha1", "VLLMRuntime", "selector", OVERWRITES),
        ("production-stack.vllm.ai/v1alpha1", "VLLMRouter", "containers.args", OVERWRITES),
        ("inference.llmaz.io/v1alpha1", "Playground", "containers.image", OVERWRITES),
        ("llm-d.ai/v1alpha1", "ModelService", "containers.resources", FILLS),
        ("nvidia.com/v1alpha1", "DynamoGraphDeployment", "containers.startupProbe", FILLS),
    ],
)
def test_what_becomes_of_a_field(api_version: str, kind: str, field: str, effect: Effect) -> None:
    controller = controller_of(resource(api_version, kind))
    assert controller is not None
    assert controller.effect(field) is effect


@pytest.mark.parametrize(
    ("api_version", "kind"), [("apps/v1", "Deployment"), ("v1", "Service"), ("example.com/v1", "Model")]
)
def test_nobody_completes_other_kinds(api_version: str, kind: str) -> None:
    assert controller_of(resource(api_version, kind)) is None


def test_a_field_may_be_written_from_a_release_on() -> None:
    controller = controller_of(resource("serving.kserve.io/v1alpha2", "LLMInferenceService"))
    assert controller is not None
    assert controller.since("containers.securityContext") == "0.18"
    assert controller.since("containers.command") is None


def test_an_annotation_keeps_ray_from_the_command() -> None:
    controller = controller_of(resource("ray.io/v1", "RayCluster"))
    assert controller is not None
    own = {"ray.io/overwrite-container-cmd": "true"}
    assert controller.effect("containers.command", own) is LEAVES
    assert controller.effect("containers.livenessProbe", own) is FILLS


@pytest.mark.parametrize(
    ("kind", "container", "index", "completed"),
    [
        ("ray.io/v1/RayCluster", "ray", 0, True),
        ("ray.io/v1/RayCluster", "sidecar", 1, False),
        ("serving.kserve.io/v1beta1/InferenceService", "kserve-container", 1, True),
        ("serving.kserve.io/v1beta1/InferenceService", "sidecar", 0, False),
        ("kubeai.org/v1/Model", "server", 0, True),
    ],
)
def test_which_container_is_completed(kind: str, container: str, index: int, completed: bool) -> None:
    api_version, _, name = kind.rpartition("/")
    controller = controller_of(resource(api_version, name))
    assert controller is not None
    assert controller.completes(container, index) is completed


def test_options_are_those_of_the_object() -> None:
    spec = {"vllmConfig": {"port": 9000, "extraArgs": ["--dtype=half", "--port", "8000"]}}
    controller = controller_of(resource("production-stack.vllm.ai/v1alpha1", "VLLMRuntime", spec=spec))
    assert controller is not None
    assert (controller.options["--port"].value, controller.options["--port"].fatal) == ("9000", True)
    assert controller.options["--dtype"].value is None
    assert list(controller.arguments()) == [
        (("spec", "vllmConfig", "extraArgs", 0), "--dtype=half"),
        (("spec", "vllmConfig", "extraArgs", 1), "--port"),
        (("spec", "vllmConfig", "extraArgs", 2), "8000"),
    ]


def test_arguments_of_a_container_in_a_list() -> None:
    manifest = yaml.safe_load(
        """
        apiVersion: serving.kserve.io/v1alpha2
        kind: LLMInferenceService
        spec: {template: {containers: [{name: main, args: [--max-num-seqs=8]}]}}
        """
    )
    controller = controller_of(Resource(manifest))
    assert controller is not None
    assert list(controller.arguments()) == [
        (("spec", "template", "containers", 0, "args", 0), "--max-num-seqs=8")
    ]
