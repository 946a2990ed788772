"""The estimates against what real vLLM servers reported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from vllm_kustomize.vllm.sizing import memory
from vllm_kustomize.vllm.sizing.memory import GIB, MIB, ON_CPU, Parallelism, Scheduling
from vllm_kustomize.vllm.sizing.models import UnknownModel, architecture_of, known_models, read_config

H200_RUNS = json.loads((Path(__file__).parents[2] / "conformance" / "vllm-kv-cache-h200.json").read_text())
H200 = 143771 * MIB


@pytest.mark.parametrize("run", H200_RUNS["runs"], ids=lambda run: f"{run['model']}-{run['max_model_len']}")
def test_agrees_with_vllm_on_an_h200(run: Any) -> None:
    model = read_config(run["config"])
    weights = memory.weight_bytes(model)
    available = memory.available_kv_bytes(model, H200, weights, 16384, utilization=0.9, eager=True)
    tokens = memory.kv_tokens(model, available, run["max_model_len"], scheduling=Scheduling(16384))
    assert weights / GIB == pytest.approx(run["weights_gib"], rel=0.03)
    assert tokens == pytest.approx(run["kv_tokens"], rel=0.05)


@pytest.mark.parametrize("run", H200_RUNS["runs"], ids=lambda run: f"{run['model']}-{run['max_model_len']}")
def test_tokens_follow_from_the_memory_that_vllm_measured(run: Any) -> None:
    tokens = memory.kv_tokens(
        read_config(run["config"]),
        int(run["available_kv_gib"] * GIB),
        run["max_model_len"],
        scheduling=Scheduling(16384),
    )
    assert tokens == pytest.approx(run["kv_tokens"], rel=0.0005)


def test_agrees_with_the_documented_nvidia_manifest_on_an_h200() -> None:
    """vLLM 0.26 with CUDA graphs, --max-num-batched-tokens 1024 and the default utilization."""
    model = architecture_of("mistralai/Mistral-7B-Instruct-v0.3")
    available = memory.available_kv_bytes(model, H200, memory.weight_bytes(model), 1024)
    assert memory.kv_tokens(model, available, 32768, scheduling=Scheduling(1024)) == pytest.approx(
        938_944, rel=0.01
    )


CPU_RUNS = json.loads((Path(__file__).parents[2] / "conformance" / "vllm-kv-cache-cpu.json").read_text())


@pytest.mark.parametrize("run", CPU_RUNS["runs"], ids=lambda run: run["model"])
def test_agrees_with_vllm_on_a_cpu(run: Any) -> None:
    """With the space for the KV cache given, nothing is estimated: the figures are the same."""
    space = CPU_RUNS["kv_cache_space_gib"] * GIB
    tokens = memory.kv_tokens(read_config(run["config"]), space, run["max_model_len"], scheduling=ON_CPU)
    assert tokens == run["kv_tokens"]


PUBLISHED_PARAMETERS = {  # billions, as the model cards state them
    "TinyLlama/TinyLlama-1.1B-Chat-v1.0": 1.10,
    "meta-llama/Llama-2-7b-hf": 6.74,
    "meta-llama/Llama-3.1-8B-Instruct": 8.03,
    "meta-llama/Llama-3.3-70B-Instruct": 70.6,
    "meta-llama/Llama-3.1-405B-Instruct": 406,
    "meta-llama/Llama-3.2-1B-Instruct": 1.24,
    "meta-llama/Llama-3.2-3B-Instruct": 3.21,
    "mistralai/Mistral-7B-Instruct-v0.3": 7.25,
    "mistralai/Mistral-Nemo-Instruct-2407": 12.2,
    "mistralai/Mixtral-8x7B-Instruct-v0.1": 46.7,
    "mistralai/Mixtral-8x22B-Instruct-v0.1": 141,
    "Qwen/Qwen2.5-0.5B-Instruct": 0.494,
    "Qwen/Qwen2.5-7B-Instruct": 7.62,
    "Qwen/Qwen2.5-72B-Instruct": 72.7,
    "Qwen/Qwen3-0.6B": 0.596,
    "Qwen/Qwen3-32B": 32.8,
    "Qwen/Qwen3-30B-A3B": 30.5,
    "Qwen/Qwen3-235B-A22B": 235,
    "google/gemma-2-9b-it": 9.24,
    "google/gemma-2-27b-it": 27.2,
    "google/gemma-3-4b-it": 4.30,
    "google/gemma-3-27b-it": 27.4,
    "microsoft/phi-4": 14.7,
    "deepseek-ai/DeepSeek-V2-Lite": 15.7,
    "deepseek-ai/DeepSeek-R1": 671,
    "openai/gpt-oss-20b": 20.9,
    "openai/gpt-oss-120b": 117,
}


@pytest.mark.parametrize(("model", "billions"), PUBLISHED_PARAMETERS.items())
def test_counts_the_published_parameters(model: str, billions: Any) -> None:
    assert architecture_of(model).parameters / 1e9 == pytest.approx(billions, rel=0.005)


KV_BYTES = [  # model, tensor, pipeline, bytes per element -> bytes per token and GPU
    ("meta-llama/Llama-3.1-8B-Instruct", 1, 1, 2, 131072),
    ("meta-llama/Llama-3.1-8B-Instruct", 8, 1, 2, 16384),
    ("meta-llama/Llama-3.1-8B-Instruct", 16, 1, 2, 16384),  # 8 KV heads: each on two ranks
    ("meta-llama/Llama-3.1-8B-Instruct", 1, 2, 2, 65536),
    ("meta-llama/Llama-3.1-8B-Instruct", 1, 1, 1, 65536),
    ("meta-llama/Llama-2-7b-hf", 1, 1, 2, 524288),
    ("deepseek-ai/DeepSeek-R1", 8, 1, 2, 61 * 576 * 2),  # the latent is on every rank
]


@pytest.mark.parametrize(("model", "tensor", "pipeline", "element", "expected"), KV_BYTES)
def test_kv_bytes_a_token(model: str, tensor: Any, pipeline: Any, element: Any, expected: Any) -> None:
    parallel = Parallelism(tensor, pipeline)
    assert memory.kv_bytes_per_token(architecture_of(model), parallel, element) == expected


def test_a_window_keeps_less_than_full_attention() -> None:
    """gpt-oss alternates full layers with windows of 128 tokens: a long request takes little over half."""
    windowed = architecture_of("openai/gpt-oss-20b")
    available = windowed.layer_count * memory.kv_bytes_per_layer(windowed) * 131072
    assert memory.longest_context(windowed, available, scheduling=Scheduling(2048)) == 131072
    assert memory.kv_tokens(windowed, available, 131072, scheduling=Scheduling(2048)) > 1.9 * 131072


def test_longest_context_is_the_largest_that_fits() -> None:
    model = architecture_of("meta-llama/Llama-3.1-8B-Instruct")
    available = 1000 * 131072
    longest = memory.longest_context(model, available)
    assert longest == 992  # whole blocks of 16 tokens
    assert memory.longest_context(model, 0) == 0
    assert memory.longest_context(model, -5) == 0


def test_tensor_sizes_divide_the_heads() -> None:
    assert memory.tensor_sizes(architecture_of("Qwen/Qwen2.5-7B-Instruct")) == [1, 2, 4]  # 28 heads
    assert memory.tensor_sizes(architecture_of("Qwen/Qwen2.5-0.5B-Instruct")) == [1, 2]  # 14 heads
    assert memory.tensor_sizes(architecture_of("google/gemma-3-1b-it")) == [1, 2, 4]  # 4 heads, 1 KV head


def test_shm_of_ranks() -> None:
    assert [memory.shm_bytes(ranks) // MIB for ranks in (1, 2, 8)] == [400, 640, 2080]


LLAMA = H200_RUNS["runs"][6]["config"]
QUANTISED = [
    ({"quant_method": "awq", "bits": 4, "group_size": 128}, 5.7e9),
    ({"quant_method": "gptq", "bits": 8, "group_size": -1}, 9.1e9),
    ({"quant_method": "fp8"}, 9.1e9),
    ({"quant_method": "bitsandbytes", "load_in_4bit": True}, 6.0e9),
    (
        {"quant_method": "compressed-tensors", "config_groups": {"group_0": {"weights": {"num_bits": 4}}}},
        5.7e9,
    ),
]


@pytest.mark.parametrize(("quantisation", "expected"), QUANTISED)
def test_quantised_checkpoints(quantisation: Any, expected: Any) -> None:
    """Sizes of the published 4- and 8-bit checkpoints of Llama 3.1 8B, embeddings left in 16 bits."""
    model = read_config({**LLAMA, "quantization_config": quantisation})
    assert memory.weight_bytes(model) == pytest.approx(expected, rel=0.03)


UNREADABLE = [
    ({}, "no hidden_size"),
    ({**LLAMA, "num_hidden_layers": "32"}, "num_hidden_layers is not a number of things: '32'"),
    ({**LLAMA, "num_attention_heads": 0}, "num_attention_heads is 0"),
    ({**LLAMA, "hidden_size": True}, "hidden_size is not a number of things: True"),
    ({**LLAMA, "hidden_size": -4096}, "hidden_size is not a number of things: -4096"),
    (
        {**LLAMA, "num_attention_heads": 5000, "head_dim": None},
        "5000 attention heads do not share 4096 elements",
    ),
    ({**LLAMA, "text_config": [1]}, "text_config is not an object"),
    ({**LLAMA, "mamba_d_state": 16}, "it has Mamba layers (mamba_d_state)"),
    ({**LLAMA, "layer_types": ["linear_attention"]}, "it has linear_attention layers"),
    ({**LLAMA, "quantization_config": {"quant_method": "spqr"}}, "its quantisation 'spqr' is not one"),
    ({**LLAMA, "is_encoder_decoder": True}, "it is an encoder-decoder model"),
]


@pytest.mark.parametrize(("config", "message"), UNREADABLE)
def test_says_what_it_cannot_estimate(config: Any, message: str) -> None:
    with pytest.raises(UnknownModel) as caught:
        read_config(config)
    assert str(caught.value).startswith(message)


JUNK: list[object] = [None, True, -1, 0, 2**39, 10**30, 0.5, "", [], [[]], {}, {"x": 1}]


@pytest.mark.parametrize("model", ["google/gemma-3-27b-it", "deepseek-ai/DeepSeek-V3", "openai/gpt-oss-20b"])
def test_junk_in_any_key_is_an_estimate_or_one_clear_error(model: str) -> None:
    config = known_models()[model]
    keys = [(key, None) for key in config] + [(key, "text_config") for key in config.get("text_config", ())]
    for key, holder in keys:
        for junk in JUNK:
            changed = {**config, holder: {**config[holder], key: junk}} if holder else {**config, key: junk}
            try:
                read = read_config(changed)
            except UnknownModel:
                continue
            available = memory.available_kv_bytes(read, H200, memory.weight_bytes(read), 8192)
            assert memory.longest_context(read, available) >= 0
            assert memory.tensor_sizes(read)
