"""What is read out of a container that runs vLLM: one row a fact."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from conftest import RunCli
from vllm_kustomize.model import Build, Resource, format_path
from vllm_kustomize.vllm.container.reading import servers
from vllm_kustomize.vllm.server import Server


def container(text: str) -> dict[str, Any]:
    return {"name": "vllm", "image": "vllm/vllm-openai:v0.33.0", **yaml.safe_load(text)}


def pod(text: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "server"},
        "spec": {"containers": [container(text)], **spec},
    }


def server(*manifests: dict[str, Any]) -> Server:
    found, skipped = servers(Build(tuple(map(Resource, manifests))))
    assert skipped == ()
    (only,) = found
    return only


FACTS: list[tuple[str, Callable[[Server], Any], Any]] = [
    ("args: [m]", lambda s: (s.model, s.release, s.exact, s.port, s.tls), ("m", "0.33.0", True, 8000, False)),
    ("args: []", lambda s: s.model, "Qwen/Qwen3-0.6B"),
    ("args: [m, -tp, '4', --pp-size=9]", lambda s: s.world_size, 4),
    ("args: [m, -tp=2, -pp=3]", lambda s: (s.world_size, s.local_gpus, s.local_ranks), (6, 6, 6)),
    ("args: [m, -tp=2, -dp=4]", lambda s: (s.local_engines, s.local_gpus, s.local_ranks), (4, 8, 2)),
    ("args: [m, -tp=8, -pp=2, --nnodes=2]", lambda s: (s.local_gpus, s.local_ranks), (8, 8)),
    ("args: [m, -dp=8, --data-parallel-size-local=2]", lambda s: s.local_engines, 2),
    ("args: [m, -dp=8, --data-parallel-rank=3]", lambda s: s.local_engines, 1),
    ("args: [m]", lambda s: s.ranks_through_shared_memory, False),
    ("{image: 'vllm/vllm-openai-cpu:v0.33.0', args: [m]}", lambda s: s.ranks_through_shared_memory, True),
    ("{image: 'vllm/vllm-openai-rocm:v0.33.0', args: [m]}", lambda s: s.accelerator, "rocm"),
    ("{image: 'acme/vllm:1', command: [vllm, serve, m]}", lambda s: (s.accelerator, s.exact), (None, False)),
    (
        "{args: [m], resources: {limits: {nvidia.com/mig-3g.40gb: 1}}}",
        lambda s: s.gpus and (s.gpus.value, s.gpus.shown),
        (1, "nvidia.com/mig-3g.40gb"),
    ),
    ("args: [m, --port, '$(PORT)']", lambda s: s.port, 8000),
    ("{args: [m, --port, '$(PORT)'], env: [{name: PORT, value: '81'}]}", lambda s: s.port, 81),
    ("args: [m, --ssl-certfile=/tls.crt]", lambda s: s.tls, True),
    ("args: [m, --headless]", lambda s: s.headless, True),
    ("args: [m]", lambda s: s.files.hugging_face_cache, "/root/.cache/huggingface/hub"),
    ("{args: [m], securityContext: {runAsUser: 2000}}", lambda s: s.files.home, "/home/vllm"),
    ("{args: [m], securityContext: {runAsUser: 7}}", lambda s: s.files.hugging_face_cache, None),
    (
        "{args: [m], env: [{name: HF_HOME, value: /data}]}",
        lambda s: s.files.hugging_face_cache,
        "/data/hub",
    ),
    (
        "{args: [m, --download-dir=/d], env: [{name: HF_HOME, value: /data}]}",
        lambda s: s.files.hugging_face_cache,
        "/d",
    ),
    ("args: [/models/m]", lambda s: s.downloads, False),
    ("args: [m]", lambda s: s.downloads, True),
    (
        "{command: [sh, -c], args: ['set -e; exec vllm serve m --port 81']}",
        lambda s: (s.model, s.port, format_path(s.model_path)),
        ("m", 81, "spec.containers[0].args[0]"),
    ),
    ("args: [m, --max-model-len=8k]", lambda s: (s.value("max_model_len"), s.shown("max_model_len")),
     (8000, "--max-model-len=8k")),
    ("args: [m, --max-model-len, 8k]", lambda s: s.shown("max_model_len"), "--max-model-len=8k"),
    ("args: [m, --no-enable-prefix-caching]", lambda s: s.shown("enable_prefix_caching"),
     "--no-enable-prefix-caching"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "fact", "expected"), FACTS)
def test_fact(text: str, fact: Callable[[Server], Any], expected: Any) -> None:
    assert fact(server(pod(text))) == expected


def test_a_value_points_at_the_field_that_sets_it() -> None:
    found = server(pod("{args: [m, -tp=2], env: [{name: VLLM_API_KEY, value: x}]}"))
    assert format_path(found.place("tensor_parallel_size")) == "spec.containers[0].args[1]"
    assert found.api_key is not None
    assert format_path(found.api_key.path) == "spec.containers[0].env[0].value"


def test_the_gpu_that_the_pod_selects() -> None:
    by_label = pod("args: [m]", nodeSelector={"nvidia.com/gpu.product": "NVIDIA-L4"})
    assert server(by_label).gpu is not None
    assert server(pod("args: [m]", nodeSelector={"nvidia.com/gpu.product": "Future-GPU"})).gpu is None


def test_a_configuration_file_of_the_build() -> None:
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "vllm"},
        "data": {"config.yaml": "model: m\nport: 81\n"},
    }
    mounts = "volumeMounts: [{name: config, mountPath: /etc/vllm}]"
    volumes = [{"name": "config", "configMap": {"name": "vllm"}}]
    found = server(config, pod(f"{{args: [--config, /etc/vllm/config.yaml], {mounts}}}", volumes=volumes))
    assert (found.model, found.port, found.shown("port")) == ("m", 81, "port: 81")


TEMPLATE = {"spec": {"containers": [container("args: [m]")]}}


@pytest.mark.parametrize(
    ("manifest", "path"),
    [
        (
            {"apiVersion": "apps/v1", "kind": "StatefulSet", "spec": {"template": TEMPLATE}},
            "spec.template.spec",
        ),
        (
            {"apiVersion": "apps/v1", "kind": "DaemonSet", "spec": {"template": TEMPLATE}},
            "spec.template.spec",
        ),
        ({"apiVersion": "batch/v1", "kind": "Job", "spec": {"template": TEMPLATE}}, "spec.template.spec"),
        (
            {
                "apiVersion": "batch/v1",
                "kind": "CronJob",
                "spec": {"jobTemplate": {"spec": {"template": TEMPLATE}}},
            },
            "spec.jobTemplate.spec.template.spec",
        ),
        (
            {
                "apiVersion": "leaderworkerset.x-k8s.io/v1",
                "kind": "LeaderWorkerSet",
                "spec": {"leaderWorkerTemplate": {"workerTemplate": TEMPLATE}},
            },
            "spec.leaderWorkerTemplate.workerTemplate.spec",
        ),
        (
            {
                "apiVersion": "serving.kserve.io/v1beta1",
                "kind": "InferenceService",
                "spec": {"predictor": TEMPLATE["spec"]},
            },
            "spec.predictor",
        ),
        (
            {
                "apiVersion": "serving.kserve.io/v1alpha1",
                "kind": "ServingRuntime",
                "spec": {**TEMPLATE["spec"], "supportedModelFormats": []},
            },
            "spec",
        ),
        (
            {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "spec": {"template": TEMPLATE}},
            "spec.template.spec",
        ),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else "",
)
def test_every_kind_of_workload(manifest: dict[str, Any], path: str) -> None:
    assert format_path(server(manifest).container.path) == f"{path}.containers[0]"


def test_a_command_that_a_controller_replaces_is_not_judged() -> None:
    groups = {"rayClusterConfig": {"workerGroupSpecs": [{"template": TEMPLATE}]}}
    service = {"apiVersion": "ray.io/v1", "kind": "RayService", "metadata": {"name": "a"}, "spec": groups}
    found, skipped = servers(Build((Resource(service),)))
    assert found == ()
    assert [(each.what, each.reason) for each in skipped] == [
        ("container 'vllm' of RayService/a", "KubeRay replaces its command")
    ]


SKIPPED = [
    ("command: [/start.sh]", "what the script /start.sh does is not known"),
    ("{image: 'acme/my-vllm:1', args: [m]}", "the entrypoint of the image acme/my-vllm:1 is not known"),
    ("args: [--config, /etc/config.yaml]", "the file /etc/config.yaml of --config is not known"),
    ("args: m", "its args is not a list of strings"),
]


@pytest.mark.parametrize(("text", "reason"), SKIPPED)
def test_what_is_not_known_is_said(text: str, reason: str) -> None:
    found, skipped = servers(Build((Resource(pod(text)),)))
    assert found == ()
    assert [(each.what, each.reason.startswith(reason)) for each in skipped] == [
        ("container 'vllm' of Pod/server", True)
    ]


@pytest.mark.parametrize(
    "image", ["acme/vllm-router:1", "acme/vllm-optimizer-frontend:1", "acme/mock-for-vllm:1"]
)
def test_an_image_that_only_sounds_like_vllm_is_no_server(image: str) -> None:
    assert servers(Build((Resource(pod(f"{{image: '{image}', args: [m]}}")),))) == ((), ())


def test_red_hats_image_needs_a_command_to_be_read() -> None:
    image = "registry.redhat.io/rhaiis/vllm-cuda-rhel9:3.0.0"
    _, unread = servers(Build((Resource(pod(f"{{image: '{image}', args: [--model=m]}}")),)))
    assert [each.reason for each in unread] == [
        f"the entrypoint of the image {image} is not known; give a command"
    ]
    found = server(pod(f"{{image: '{image}', command: [vllm, serve], args: [m]}}"))
    assert (found.certain, found.files.user, found.vllm) == (False, None, "vLLM 0.8.4")


def test_a_model_that_a_controller_adds_is_not_the_default() -> None:
    template = {"containers": [container("{name: main, command: [vllm, serve], args: [--port=8000]}")]}
    service = {
        "apiVersion": "serving.kserve.io/v1alpha2",
        "kind": "LLMInferenceService",
        "metadata": {"name": "a"},
        "spec": {"model": {"uri": "hf://m/m"}, "template": template},
    }
    assert server(service).model is None


def test_a_given_version_comes_before_the_image() -> None:
    (found,), _ = servers(Build((Resource(pod("{image: 'vllm/vllm-openai:v0.33.0', args: [m]}")),)), "0.30.0")
    assert (found.vllm, found.exact) == ("vLLM 0.30.0", True)


def test_a_release_that_nobody_named_is_assumed() -> None:
    assert server(pod("{image: 'vllm/vllm-openai', args: [m]}")).vllm == "assumed vLLM 0.33.0"


def test_a_version_that_is_none(run_cli: RunCli) -> None:
    result = run_cli("validate", "overlays/cpu", "--vllm-version", "newest")
    assert (result.code, result.output) == (2, "")
    assert result.errors == "vllm-kustomize: 'newest' is not a vLLM version; write it as 0.33.0\n"


def test_another_container_is_no_server() -> None:
    assert servers(Build((Resource(pod("{image: 'nginx:1', args: [m]}")),))) == ((), ())
