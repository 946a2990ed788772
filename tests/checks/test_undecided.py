"""What no rule could judge is said, with the reason: green never means that nobody looked."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from conftest import RunCli
from vllm_kustomize.checks import plan, run
from vllm_kustomize.model import Build, Resource
from vllm_kustomize.settings import Settings

PLAN = plan.plan(Settings())
IMAGE = "vllm/vllm-openai:v0.33.0"
NO_GPU = "the pod selects no GPU product"
NO_RELEASE = "the image vllm/vllm-openai names no release of vLLM that is known"

CASES: list[tuple[str, str, dict[str, tuple[str, ...]]]] = [
    ("args: [Qwen/Qwen3-8B]", "", {NO_GPU: ("kv-cache-fit", "unsupported-gpu")}),
    (
        "args: [acme/own, --max-model-len=4096, -tp=2]",
        "nodeSelector: {nvidia.com/gpu.product: NVIDIA-L4}",
        {
            "the figures of the model acme/own are not known": (
                "context-beyond-model",
                "indivisible-tensor-parallel",
                "kv-cache-fit",
            )
        },
    ),
    (
        "args: [Qwen/Qwen3-8B, -tp=$(SIZE)]\nenv: [{name: SIZE, valueFrom: {fieldRef: {fieldPath: a}}}]",
        "nodeSelector: {nvidia.com/gpu.product: NVIDIA-L4}",
        {
            "the value of --tensor-parallel-size is known only in the cluster": (
                "kv-cache-fit",
                "missing-shared-memory",
                "tensor-parallel-mismatch",
            )
        },
    ),
    (
        "image: vllm/vllm-openai\nargs: [Qwen/Qwen3-8B, --quantization=awq]\n"
        "env: [{name: VLLM_LOGGING_LEVEL, value: INFO}]",
        "nodeSelector: {nvidia.com/gpu.product: NVIDIA-L4}",
        {
            NO_RELEASE: (
                "deprecated-flag",
                "invalid-flag-value",
                "missing-ray",
                "short-grace-period",
                "unknown-flag",
                "unknown-vllm-variable",
                "unregistered-name",
                "unsupported-gpu",
            ),
            "what --quantization=awq does to the sizes is not estimated": ("kv-cache-fit",),
        },
    ),
    ("image: vllm/vllm-openai-cpu:v0.33.0\nargs: [Qwen/Qwen3-0.6B]", "", {}),
]


@pytest.mark.parametrize(("container", "spec", "expected"), CASES)
def test_what_is_missing_is_named(container: str, spec: str, expected: dict[str, tuple[str, ...]]) -> None:
    server = {"name": "vllm", "image": IMAGE, "resources": {"limits": {"nvidia.com/gpu": "2"}}}
    written: dict[str, Any] = {"containers": [server | yaml.safe_load(container)]}
    if "-cpu" in container:
        del server["resources"]
        written["containers"] = [server | yaml.safe_load(container)]
    written.update(yaml.safe_load(spec) or {})
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": written}
    found: dict[str, tuple[str, ...]] = {}
    for each in run.check(Build((Resource(pod),), file="p.yaml"), PLAN).undecided:
        assert (each.what, each.targets) == ("container 'vllm' of Pod/p", ("p.yaml",))
        found[each.reason] = (*found.get(each.reason, ()), *each.rules)
    assert found == expected


TWO = """\
apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers:
    - {name: vllm, image: "vllm/vllm-openai:v0.33.0", args: [Qwen/Qwen3-8B]}
---
apiVersion: v1
kind: Service
metadata: {name: s}
spec: {selector: {app: a}, ports: [{port: 80}]}
---
apiVersion: acme.example.com/v1
kind: Maker
metadata: {name: m}
"""
ONLY = ("--isolated", "--select", "kv-cache-fit,unsupported-gpu,service-selects-nothing")


def test_the_reasons_are_one_count_and_a_line_each_with_v(run_cli: RunCli) -> None:
    plain = run_cli("validate", "-", *ONLY, stdin=TWO.encode())
    assert plain.code == 0
    assert ", 0 warnings, 1 skipped, 2 undecided (-v says why) in " in plain.output
    verbose = run_cli("validate", "-", *ONLY, "-v", stdin=TWO.encode())
    assert (
        f"undecided container 'vllm' of Pod/a in <stdin>: {NO_GPU} (kv-cache-fit, unsupported-gpu)\n"
        in verbose.output
    )
    assert (
        "undecided Service/s in <stdin>: Maker/m may make pods that the build does not show "
        "(service-selects-nothing)\n"
    ) in verbose.output
    assert ", 2 undecided in " in verbose.output


def test_json_holds_them(run_cli: RunCli) -> None:
    result = run_cli("validate", "-", *ONLY, "--format", "json", stdin=TWO.encode())
    assert json.loads(result.output)["summary"]["undecided"] == [
        {
            "what": "Service/s",
            "reason": "Maker/m may make pods that the build does not show",
            "rules": ["service-selects-nothing"],
            "targets": ["<stdin>"],
        },
        {
            "what": "container 'vllm' of Pod/a",
            "reason": NO_GPU,
            "rules": ["kv-cache-fit", "unsupported-gpu"],
            "targets": ["<stdin>"],
        },
    ]


def test_the_cache_remembers_them(run_cli: RunCli) -> None:
    first, second = (
        json.loads(run_cli("validate", "overlays/nvidia", "--format", "json").output) for _ in range(2)
    )
    assert first["summary"]["undecided"] == second["summary"]["undecided"] != []
