"""The model cannot be cut into as many pieces as --tensor-parallel-size says.

Each rank takes an equal share of a layer's attention heads; where they do not divide evenly, vLLM stops with
"Total number of attention heads must be divisible by tensor parallel size".

Bad:   Qwen/Qwen2.5-7B-Instruct with --tensor-parallel-size=8       # 28 attention heads
Good:  Qwen/Qwen2.5-7B-Instruct with --tensor-parallel-size=4

Source: verify_with_parallel_config in vllm/config/model.py, vllm/model_executor/models/llama.py
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.model import Outcome, Problem, Severity
from vllm_kustomize.vllm import missing
from vllm_kustomize.vllm.server import Server
from vllm_kustomize.vllm.sizing.memory import tensor_sizes

SEVERITY = Severity.ERROR
HELP = "Choose a size that divides the model's heads; `vllm-kustomize size` lists those that also fit."


def check_server(server: Server) -> Iterator[Outcome]:
    """Yield tensor-parallel sizes that do not divide the heads of a known model."""
    model = server.architecture
    size = server.count("tensor_parallel_size")
    if size < 2:
        return
    if model is None:
        yield missing.model(server)
        return
    replicates = model.latent_dim is not None or model.kv_heads % size == 0 or size % model.kv_heads == 0
    if model.attention_heads % size or not replicates:
        sizes = ", ".join(map(str, tensor_sizes(model)))
        yield Problem(
            server.place("tensor_parallel_size"),
            f"{server.shown('tensor_parallel_size')} does not divide the {model.attention_heads} attention "
            f"heads and {model.kv_heads} KV heads of {server.model}; possible are {sizes} ({server.vllm})",
            related=(server.related_model("the model is set here"),),
        )
