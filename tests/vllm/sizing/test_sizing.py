"""`size`: the table and the JSON for one model on one kind of GPU."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from conftest import RunCli
from vllm_kustomize.model import Error
from vllm_kustomize.vllm.sizing.gpus import Gpu, find_gpu, known_gpus
from vllm_kustomize.vllm.sizing.memory import GIB
from vllm_kustomize.vllm.sizing.models import known_models
from vllm_kustomize.vllm.sizing.sizing import Request, as_json, describe, size

LLAMA_8B = "meta-llama/Llama-3.1-8B-Instruct"


def test_table() -> None:
    assert (
        describe(size(Request("meta-llama/Llama-3.3-70B-Instruct", "H100-80GB")))
        == """\
meta-llama/Llama-3.3-70B-Instruct on 4 x NVIDIA-H100-80GB-HBM3 (79.6 GiB each), estimated
  parameters              70.55 billion
  weights                 32.85 GiB per GPU
  memory for KV cache     38.77 GiB per GPU
  KV cache per token      80.0 KiB per GPU
  tokens that fit         508,144 (3.9 requests of 131,072)
  longest context         131,072 tokens
  --tensor-parallel-size  fits with 4, 8, 16
  PVC to ask for          150Gi
  /dev/shm to ask for     2Gi"""
    )


H200_RUNS = json.loads((Path(__file__).parents[2] / "conformance" / "vllm-kv-cache-h200.json").read_text())


@pytest.mark.parametrize("run", H200_RUNS["runs"], ids=lambda run: f"{run['model']}-{run['max_model_len']}")
def test_the_command_agrees_with_vllm_on_an_h200(run: Any, run_cli: RunCli, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(run["config"]))
    result = run_cli(
        *("size", "--model", str(tmp_path / "config.json"), "--gpu", "NVIDIA-H200", "--tp", "1"),
        *(
            "--gpu-memory-utilization",
            "0.9",
            "--max-model-len",
            str(run["max_model_len"]),
            "--format",
            "json",
        ),
    )
    answer = json.loads(result.output)
    assert answer["weightsPerGpu"] / GIB == pytest.approx(run["weights_gib"], rel=0.03)
    assert answer["kvTokens"] == pytest.approx(run["kv_tokens"], rel=0.05)


def test_says_when_a_context_does_not_fit() -> None:
    text = describe(size(Request(LLAMA_8B, "L4", tensor_parallel_size=1)))
    assert "  <- too few: vLLM refuses to start" in text


def test_json_carries_plain_numbers() -> None:
    answer = json.loads(json.dumps(as_json(size(Request(LLAMA_8B, "NVIDIA-L4", tensor_parallel_size=1)))))
    assert answer["gpu"] == {"product": "NVIDIA-L4", "resource": "nvidia.com/gpu", "memory": 23034 << 20}
    assert (answer["fits"], answer["tensorParallelSizesThatFit"]) == (False, [2, 4, 8, 16])
    assert answer["longestContext"] < answer["maxModelLen"] == 131072
    assert answer["kvBytesPerToken"] == 131072


def test_a_shorter_context_fits_one_gpu() -> None:
    assert size(Request(LLAMA_8B, "L4", max_model_len=8192)).parallel.tensor == 1


def test_a_local_configuration(tmp_path: Path) -> None:
    config = known_models()["mistralai/Mistral-7B-Instruct-v0.3"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    from_file = size(Request(str(tmp_path / "config.json"), "L40S"))
    from_folder = size(Request(str(tmp_path), "L40S"))
    from_table = size(Request("mistralai/Mistral-7B-Instruct-v0.3", "L40S"))
    assert from_file.kv_tokens == from_folder.kv_tokens == from_table.kv_tokens


@pytest.mark.parametrize(
    ("name", "product"),
    [
        ("H100-80GB", "NVIDIA-H100-80GB-HBM3"),
        ("h100 nvl", "NVIDIA-H100-NVL"),
        ("l4", "NVIDIA-L4"),
        ("T4", "Tesla-T4"),
        ("MI300X", "AMD_Instinct_MI300X_OAM"),
        ("NVIDIA-A100-SXM4-80GB", "NVIDIA-A100-SXM4-80GB"),
        ("Tesla-T4-SHARED", "Tesla-T4"),
        ("nvidia-h200", "NVIDIA-H200"),
        ("nvidia-h100-80gb", "NVIDIA-H100-80GB-HBM3"),
        ("a10g", "NVIDIA-A10G"),
    ],
)
def test_gpu_names(name: str, product: str) -> None:
    assert find_gpu(name).product == product


def test_gpu_memory() -> None:
    assert find_gpu("NVIDIA-A100-SXM4-80GB-MIG-3g.40gb").memory == 40 << 30
    assert find_gpu("nvidia.com/mig-1g.10gb").memory == 10 << 30
    assert find_gpu("24Gi").memory == 24 << 30


@pytest.mark.parametrize("model", known_models())
def test_every_known_model_can_be_sized(model: str) -> None:
    assert size(Request(model, "H200")).weights > 0


@pytest.mark.parametrize("gpu", known_gpus(), ids=lambda gpu: gpu.product)
def test_every_known_gpu_is_found_by_its_label(gpu: Gpu) -> None:
    assert find_gpu(gpu.product) == gpu


BROKEN = [
    (
        Request(LLAMA_8B, "L4", gpu_memory_utilization=float("nan")),
        "--gpu-memory-utilization is a share above 0",
    ),
    (
        Request("no/such", "L4"),
        "no model 'no/such' in the built-in table; give the path of its config.json",
    ),
    (
        Request("Qwen/Qwen3-8b", "L4"),
        "no model 'Qwen/Qwen3-8b' in the built-in table (did you mean Qwen/Qwen3-8B?)",
    ),
    (Request(LLAMA_8B, "H10"), "unknown GPU 'H10'; known: NVIDIA-A10, "),
    (Request(LLAMA_8B, ""), "unknown GPU ''"),
    (Request(LLAMA_8B, "h100"), "GPU 'h100' may be any of NVIDIA-H100-80GB-HBM3, NVIDIA-H100-NVL, "),
    (
        Request(LLAMA_8B, "L4", 3),
        f"{LLAMA_8B} has 32 attention heads, which --tensor-parallel-size 3 does not",
    ),
    (
        Request("/nonexistent/config.json", "L4"),
        "/nonexistent/config.json: cannot read a model configuration: ",
    ),
]


@pytest.mark.parametrize(("request_", "message"), BROKEN)
def test_errors_name_the_cause(request_: Any, message: str) -> None:
    with pytest.raises(Error) as caught:
        size(request_)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[]", b"{", b"{}", b"[" * 100000, b"null"])
def test_a_broken_configuration_is_one_clear_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(content)
    with pytest.raises(Error, match=r"config\.json: "):
        size(Request(str(path), "L4"))


def test_the_command(run_cli: RunCli) -> None:
    text = run_cli("size", "--model", LLAMA_8B, "--gpu", "H200", "--tp", "2")
    assert (text.code, text.errors) == (0, "")
    assert text.output.startswith(f"{LLAMA_8B} on 2 x NVIDIA-H200 (140.4 GiB each), estimated\n")
    as_json_ = run_cli("size", "--model", LLAMA_8B, "--gpu", "H200", "--format", "json")
    assert json.loads(as_json_.output)["tensorParallelSize"] == 1


def test_the_command_refuses_what_it_does_not_know(run_cli: RunCli) -> None:
    result = run_cli("size", "--model", LLAMA_8B, "--gpu", "h100")
    assert (result.code, result.output) == (2, "")
    assert result.errors.startswith("vllm-kustomize: GPU 'h100' may be any of ")
