"""What a model needs on a kind of GPU, and what to ask the cluster for: `vllm-kustomize size`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from typing import Any

from vllm_kustomize.model import Error
from vllm_kustomize.vllm.sizing import memory
from vllm_kustomize.vllm.sizing.gpus import Gpu, find_gpu
from vllm_kustomize.vllm.sizing.memory import GIB, Parallelism, Scheduling
from vllm_kustomize.vllm.sizing.models import Architecture, architecture_of, read_config_file


@dataclass(frozen=True, slots=True)
class Request:
    """What to size; None takes vLLM's default. `model` is in the table or the path of a config.json."""

    model: str
    gpu: str
    tensor_parallel_size: int | None = None
    pipeline_parallel_size: int = 1
    max_model_len: int | None = None
    dtype: str = "auto"
    kv_cache_dtype: str = "auto"
    gpu_memory_utilization: float = memory.GPU_MEMORY_UTILIZATION
    max_num_batched_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Sizing:
    """The answer. Byte counts are of the fullest GPU; `volume` and `shm` are what to ask for, in bytes."""

    model: str
    gpu: Gpu
    parameters: int
    parallel: Parallelism
    weights: int
    kv_bytes_per_token: int
    available_kv: int
    kv_tokens: int
    max_model_len: int
    longest_context: int
    tensor_sizes: tuple[int, ...]
    """Tensor-parallel sizes up to 16 with which one request of `max_model_len` fits."""
    volume: int
    shm: int

    @property
    def fits(self) -> bool:
        """Whether one request of `max_model_len` tokens fits: vLLM does not start otherwise."""
        return self.kv_tokens >= self.max_model_len


def size(request: Request) -> Sizing:
    """Estimate what `request` needs.

    Without a tensor-parallel size the smallest one that fits is taken, or the largest where none does.

    Raises:
        Error: an unknown model, GPU or dtype, or a size that the model cannot be cut into.
    """
    for option, value, known in (
        ("--dtype", request.dtype, memory.DTYPE_BYTES),
        ("--kv-cache-dtype", request.kv_cache_dtype, memory.KV_DTYPE_BYTES),
    ):
        if value not in known:
            raise Error(f"{option} {value}: its size is not known; use one of {', '.join(known)}")
    if not 0 < request.gpu_memory_utilization <= 1:
        raise Error("--gpu-memory-utilization is a share above 0 and up to 1")
    model = _architecture(request.model)
    gpu = find_gpu(request.gpu)
    possible = memory.tensor_sizes(model)
    wanted = request.tensor_parallel_size
    if wanted is not None and wanted not in possible and model.attention_heads % wanted:
        raise Error(
            f"{request.model} has {model.attention_heads} attention heads, which --tensor-parallel-size "
            f"{wanted} does not divide; possible: {', '.join(map(str, possible))}"
        )
    estimates = {
        tensor: _estimate(request, model, gpu, Parallelism(tensor, request.pipeline_parallel_size))
        for tensor in sorted({*possible, *([wanted] if wanted else [])})
    }
    fitting = tuple(tensor for tensor, sizing in estimates.items() if sizing.fits)
    chosen = wanted or (fitting[0] if fitting else possible[-1])
    return replace(estimates[chosen], tensor_sizes=tuple(size for size in fitting if size in possible))


def describe(sizing: Sizing) -> str:
    """The table for a terminal."""
    gpus = sizing.parallel.world_size
    requests = sizing.kv_tokens / sizing.max_model_len
    sizes = ", ".join(map(str, sizing.tensor_sizes)) or "none up to 16"
    verdict = "" if sizing.fits else "  <- too few: vLLM refuses to start"
    rows = [
        ("parameters", f"{sizing.parameters / 1e9:.2f} billion"),
        ("weights", f"{sizing.weights / GIB:.2f} GiB per GPU"),
        ("memory for KV cache", f"{max(0, sizing.available_kv) / GIB:.2f} GiB per GPU"),
        ("KV cache per token", f"{sizing.kv_bytes_per_token / 1024:.1f} KiB per GPU"),
        (
            "tokens that fit",
            f"{sizing.kv_tokens:,} ({requests:.1f} requests of {sizing.max_model_len:,}){verdict}",
        ),
        ("longest context", f"{sizing.longest_context:,} tokens"),
        ("--tensor-parallel-size", f"fits with {sizes}"),
        ("PVC to ask for", f"{sizing.volume // GIB}Gi"),
        ("/dev/shm to ask for", f"{sizing.shm // GIB}Gi"),
    ]
    head = (
        f"{sizing.model} on {gpus} x {sizing.gpu.product} ({sizing.gpu.memory / GIB:.1f} GiB each), estimated"
    )
    return "\n".join([head, *(f"  {name:<24}{value}" for name, value in rows)])


def as_json(sizing: Sizing) -> dict[str, Any]:
    """The same for programs; sizes in bytes, lengths in tokens."""
    return {
        "version": 1,
        "model": sizing.model,
        "gpu": {"product": sizing.gpu.product, "resource": sizing.gpu.resource, "memory": sizing.gpu.memory},
        "gpus": sizing.parallel.world_size,
        "tensorParallelSize": sizing.parallel.tensor,
        "pipelineParallelSize": sizing.parallel.pipeline,
        "parameters": sizing.parameters,
        "weightsPerGpu": sizing.weights,
        "kvCachePerGpu": max(0, sizing.available_kv),
        "kvBytesPerToken": sizing.kv_bytes_per_token,
        "kvTokens": sizing.kv_tokens,
        "maxModelLen": sizing.max_model_len,
        "longestContext": sizing.longest_context,
        "fits": sizing.fits,
        "tensorParallelSizesThatFit": list(sizing.tensor_sizes),
        "volume": sizing.volume,
        "shm": sizing.shm,
    }


def volume_for(weights: int) -> int:
    """A PVC for a checkpoint of `weights` bytes: a tenth more, 5 GiB of compile cache, in steps of 5 GiB."""
    return 5 * GIB * ceil((weights * 1.1 + 5 * GIB) / (5 * GIB))


def shm_for(local_ranks: int) -> int:
    """A /dev/shm for so many ranks: the ring buffers and 512 MiB for NCCL, in powers of two GiB."""
    needed = memory.shm_bytes(local_ranks) if local_ranks > 1 else 0
    return GIB << (ceil((needed + GIB // 2) / GIB) - 1).bit_length()


def _architecture(model: str) -> Architecture:
    path = Path(model)
    if path.suffix == ".json" or path.is_file():
        return read_config_file(path)
    if (path / "config.json").is_file():
        return read_config_file(path / "config.json")
    return architecture_of(model)


def _estimate(request: Request, model: Architecture, gpu: Gpu, parallel: Parallelism) -> Sizing:
    element = memory.KV_DTYPE_BYTES[request.kv_cache_dtype] or memory.DTYPE_BYTES[request.dtype]
    dtype = memory.DTYPE_BYTES[request.dtype]
    batched = request.max_num_batched_tokens or memory.default_batched_tokens(gpu.memory, gpu.product)
    # A window's reserve grows with the step; taking the larger default makes the answer hold for both.
    scheduling = Scheduling(request.max_num_batched_tokens or memory.largest_batched_tokens(gpu.memory))
    length = request.max_model_len or model.max_model_len
    weights = memory.weight_bytes(model, parallel, dtype)
    available = memory.available_kv_bytes(
        model, gpu.memory, weights, batched, parallel.tensor, request.gpu_memory_utilization
    )
    return Sizing(
        model=request.model,
        gpu=gpu,
        parameters=model.parameters,
        parallel=parallel,
        weights=weights,
        kv_bytes_per_token=memory.kv_bytes_per_token(model, parallel, element),
        available_kv=available,
        kv_tokens=memory.kv_tokens(model, available, length, parallel, element, scheduling),
        max_model_len=length,
        longest_context=memory.longest_context(model, available, parallel, element, scheduling),
        tensor_sizes=(),
        volume=volume_for(memory.weight_bytes(model)),
        shm=shm_for(parallel.tensor),
    )
