"""One request of full length does not fit into the GPU's memory.

After the weights, what is left of the GPU's memory becomes the KV cache, and vLLM stops unless one request of
--max-model-len tokens fits: "To serve at least one request with the model's max seq len". Known models and
GPUs are estimated; the GPU is the one that the pod selects by nvidia.com/gpu.product or its like. On CPUs the
space is VLLM_CPU_KVCACHE_SPACE.

Bad:   meta-llama/Llama-3.1-8B-Instruct on one NVIDIA-L4, at its context of 131,072 tokens
Good:  the same with --max-model-len=32768

Source: vllm/v1/core/kv_cache_planning.py, vllm/v1/kv_cache_interface.py
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.model import Outcome, Problem, Related, Severity, Undecided
from vllm_kustomize.vllm import missing
from vllm_kustomize.vllm.server import Server
from vllm_kustomize.vllm.sizing import memory
from vllm_kustomize.vllm.sizing.gpus import Gpu
from vllm_kustomize.vllm.sizing.memory import GIB, Parallelism
from vllm_kustomize.vllm.sizing.models import Architecture

SEVERITY = Severity.WARNING
HELP = "Lower --max-model-len, raise --tensor-parallel-size, or see `vllm-kustomize size` for what fits."

_CHANGES_THE_SIZES = (
    "quantization",
    "hf_overrides",
    "cpu_offload_gb",
    "kv_cache_memory_bytes",
    "speculative_config",
)
_SIZES = ("tensor_parallel_size", "pipeline_parallel_size", "max_model_len")


def check_server(server: Server) -> Iterator[Outcome]:
    """Yield servers whose model or context does not fit their memory, as far as that is known."""
    if server.accelerator not in ("cpu", "cuda", "rocm") or not server.parsed.accepted:
        return
    if server.accelerator != "cpu" and server.gpu is None:
        yield missing.gpu(server)
    elif server.architecture is None:
        yield missing.model(server)
    elif server.unknown(*_SIZES):
        yield missing.value(server, *_SIZES)
    elif changed := next((option for option in _CHANGES_THE_SIZES if server.value(option)), None):
        yield Undecided(f"what {server.shown(changed)} does to the sizes is not estimated")
    else:
        yield from _check(server, server.architecture)


def _check(server: Server, model: Architecture) -> Iterator[Problem]:
    dtype, cache_dtype = str(server.value("dtype")), str(server.value("kv_cache_dtype"))
    length = server.count("max_model_len", model.max_model_len)
    if length < 1 or dtype not in memory.DTYPE_BYTES or cache_dtype not in memory.KV_DTYPE_BYTES:
        return
    element = memory.KV_DTYPE_BYTES[cache_dtype] or memory.DTYPE_BYTES[dtype]
    if server.accelerator == "cpu":
        yield from _check_cpu(server, model, length, element)
    elif server.gpu is not None:
        yield from _check_gpu(server, server.gpu, model, length, element)


def _check_cpu(server: Server, model: Architecture, length: int, element: int | None) -> Iterator[Problem]:
    """On CPUs the space for the KV cache is given, so that nothing is estimated."""
    available = server.cpu_cache_space
    if not available:
        return
    space = server.env["VLLM_CPU_KVCACHE_SPACE"]
    fits = memory.kv_tokens(model, available, length, _parallelism(server), element, memory.ON_CPU)
    if fits < length:
        longest = memory.longest_context(model, available, _parallelism(server), element, memory.ON_CPU)
        yield Problem(
            server.model_path,
            f"a request of {length} tokens of {server.model} does not fit into {space.shown} GiB, which is "
            f"enough for --max-model-len={longest} ({server.vllm})",
            severity=Severity.ERROR,
            related=(space.related("the space is set here"),),
        )


def _check_gpu(
    server: Server, gpu: Gpu, model: Architecture, length: int, element: int | None
) -> Iterator[Problem]:
    parallel = _parallelism(server)
    dtype, utilization = (
        memory.DTYPE_BYTES[str(server.value("dtype"))],
        server.value("gpu_memory_utilization"),
    )
    if not isinstance(utilization, float | int) or not 0 < utilization <= 1:
        return
    batched = server.count("max_num_batched_tokens", memory.default_batched_tokens(gpu.memory, gpu.product))
    scheduling = memory.Scheduling(batched)
    weights = memory.weight_bytes(model, parallel, dtype)
    if weights > gpu.memory * utilization:
        yield Problem(
            server.model_path,
            f"{server.model} has {weights / GIB:.1f} GiB of weights a GPU with {_layout(parallel)}, but "
            f"{server.vllm} may use {gpu.memory * utilization / GIB:.1f} GiB of {gpu.product}",
            severity=Severity.ERROR,
            related=_set_by(server, "tensor_parallel_size", "gpu_memory_utilization"),
        )
        return
    available = memory.available_kv_bytes(model, gpu.memory, weights, batched, parallel.tensor, utilization)
    if memory.kv_tokens(model, available, length, parallel, element, scheduling) < length:
        longest = memory.longest_context(model, available, parallel, element, scheduling)
        yield Problem(
            server.model_path,
            f"a request of {length} tokens does not fit: {gpu.product} has about "
            f"{max(0, available) / GIB:.1f} GiB for the KV cache of {server.model} with {_layout(parallel)}, "
            f"enough for --max-model-len={longest} ({server.vllm})",
            related=_set_by(server, "max_model_len", "tensor_parallel_size", "gpu_memory_utilization"),
        )


def _set_by(server: Server, *options: str) -> tuple[Related, ...]:
    """The places of the options that are given, among those that decide the sizes."""
    given = (server.options[option] for option in options if option in server.options)
    return tuple(setting.related(f"{setting.shown} is set here") for setting in given)


def _parallelism(server: Server) -> Parallelism:
    return Parallelism(server.size("tensor_parallel_size"), server.size("pipeline_parallel_size"))


def _layout(parallel: Parallelism) -> str:
    stages = f" --pipeline-parallel-size={parallel.pipeline}" if parallel.pipeline > 1 else ""
    return f"--tensor-parallel-size={parallel.tensor}{stages}"
