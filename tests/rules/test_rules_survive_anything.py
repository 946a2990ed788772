"""No manifest, however broken, makes reading a server or a rule raise."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from vllm_kustomize import rules
from vllm_kustomize.model import Build, Outcome, Resource
from vllm_kustomize.vllm.container.reading import servers

GOLDEN = Path(__file__).parents[1] / "golden"
JUNK: list[Any] = [
    None,
    True,
    -1,
    10**30,
    0.5,
    "",
    "x",
    "$(HF_TOKEN)",
    "\x00\ud800",
    [],
    [None],
    [[]],
    {},
    {"x": 1},
]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield from places(inner, (*path, step))


def replaced(value: Any, path: tuple[Any, ...], junk: Any) -> Any:
    changed = copy.deepcopy(value)
    target = changed
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = junk
    return changed


def check(build: Build) -> list[Outcome]:
    found, _ = servers(build)
    return [
        problem
        for server in found
        for rule in rules.load().values()
        if rule.check_server
        for problem in rule.check_server(server)
    ]


@pytest.mark.parametrize("overlay", ["cpu", "amd"])
def test_junk_in_any_field_is_survived(overlay: str) -> None:
    documents = list(yaml.safe_load_all((GOLDEN / f"{overlay}.yaml").read_text(encoding="utf-8")))
    deployment = next(document for document in documents if document["kind"] == "Deployment")
    others = tuple(Resource(document) for document in documents if document is not deployment)
    for path in places(deployment):
        for junk in JUNK if path else ():
            check(Build((Resource(replaced(deployment, path, junk)), *others)))


@pytest.mark.parametrize(
    "words",
    [
        ["m", "--tensor-parallel-size", "0"],
        ["m", "--tensor-parallel-size=-1", "--nnodes=0", "--data-parallel-size=-7"],
        ["m", "--pipeline-parallel-size=99999999999999999999"],
        ["meta-llama/Llama-3.1-8B", "--tensor-parallel-size=0", "--max-model-len=-5", "--port=999999999"],
        [
            "meta-llama/Llama-3.1-8B",
            "--tensor-parallel-size=1000000007",
            "--pipeline-parallel-size=1000000007",
        ],
        ["m", "--api-key"],
        ["m", "--api-key", "$(A)", "$(B)"],
        ["--"],
        [],
        ["x" * 1_000_000],
        ["m", "--hf-overrides", "{" * 10_000],
        ["m", "--max-model-len=1" + "0" * 5000],
        [
            "meta-llama/Llama-3.1-8B",
            "--max-model-len=1" + "0" * 400,
            "--max-num-batched-tokens=1" + "0" * 400,
        ],
        ["meta-llama/Llama-3.1-8B", "--gpu-memory-utilization=nan", "--port=nan"],
        ["meta-llama/Llama-3.1-8B", "--gpu-memory-utilization=1e308"],
        ["meta-llama/Llama-3.1-8B", "--gpu-memory-utilization=-inf"],
        ["m", "\x00\x01\ud800", "--\x7f=\x00"],
        ["$(A)", "--port=$(B)", "$(C)=$(C)"],
    ],
    ids=range(18),
)
@pytest.mark.parametrize(
    "image", ["vllm/vllm-openai:v0.33.0", "vllm/vllm-openai-cpu:v0.33.0", "vllm:junk@@::/"]
)
def test_any_command_line_is_survived(words: list[str], image: str) -> None:
    container: dict[str, Any] = {
        "name": "vllm",
        "image": image,
        "args": words,
        "env": [{"name": "A", "value": "$(A)$(B)"}, {"name": "B", "value": "$(A)"}],
        "resources": {"limits": {"nvidia.com/gpu": "1", "memory": "1Gi"}},
        "startupProbe": {"httpGet": {"path": "/health", "port": 8000}, "failureThreshold": 360},
    }
    selector = {"nvidia.com/gpu.product": "NVIDIA-L4"}
    container["env"].append({"name": "VLLM_CPU_KVCACHE_SPACE", "value": "9" * 400})
    pod = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [container], "nodeSelector": selector}}
    check(Build((Resource(pod),)))
