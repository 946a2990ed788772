"""How much memory a vLLM server needs: weights, KV cache per token, tokens that fit.

Pure arithmetic on an `Architecture`. Sizes are bytes of one GPU unless said otherwise, lengths are tokens.
The formulas are vLLM's own (files of the 0.33 source tree); the two estimates that cannot be derived,
`OVERHEAD` and the activation factors, are fitted to what vLLM 0.26 reported for nine runs on an NVIDIA H200.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from vllm_kustomize.vllm.sizing.models import Architecture, Layers

MIB = 1 << 20
GIB = 1 << 30

GPU_MEMORY_UTILIZATION = 0.92
"""Share of a GPU's memory that vLLM takes by default (vllm/config/cache.py)."""

OVERHEAD = int(0.8 * GIB)
"""CUDA context, libraries and workspaces: what remains of the measured gap after activations."""

CUDA_GRAPHS = int(0.15 * GIB)
"""Captured graphs of a 7B model; vLLM subtracts its own measurement (vllm/v1/worker/gpu_worker.py)."""

DTYPE_BYTES = {"auto": None, "half": 2, "float16": 2, "bfloat16": 2, "float": 4, "float32": 4}
"""`--dtype`; auto takes the checkpoint's, and 2 bytes for a float32 checkpoint (vllm/config/model.py)."""

KV_DTYPE_BYTES = {
    "auto": None,
    "float16": 2,
    "bfloat16": 2,
    "fp8": 1,
    "fp8_e4m3": 1,
    "fp8_e5m2": 1,
    "fp8_inc": 1,
}
"""`--kv-cache-dtype`, bytes per element; formats that pack scales between elements are not listed."""


@dataclass(frozen=True, slots=True)
class Parallelism:
    """How a model is cut: tensor-parallel ranks share each layer, pipeline stages share the layers."""

    tensor: int = 1
    pipeline: int = 1

    @property
    def world_size(self) -> int:
        """GPUs that one copy of the model takes (vllm/config/parallel.py)."""
        return self.tensor * self.pipeline


@dataclass(frozen=True, slots=True)
class Scheduling:
    """What the scheduler asks of the KV cache beside the requests themselves.

    `batched_tokens` are those of one step (`--max-num-batched-tokens`), `overlapping` whether a step is
    prepared while another one runs (async scheduling, the default on GPUs), `block_tokens` what a block of
    the cache holds (`DEFAULT_BLOCK_SIZE` in vllm/config/cache.py).
    """

    batched_tokens: int = 8192
    overlapping: bool = True
    block_tokens: int = 16


ON_CPU = Scheduling(batched_tokens=2048, overlapping=False, block_tokens=128)
"""The defaults of the CPU backend (vllm/platforms/cpu.py, get_batch_defaults in vllm/engine/arg_utils.py)."""


def weight_bytes(
    model: Architecture,
    parallel: Parallelism = Parallelism(),
    dtype_bytes: int | None = None,
    bits: float | None = None,
) -> int:
    """Weights on the fullest GPU.

    Matrices and vocabulary tables are split over tensor ranks (vllm/model_executor/layers/linear.py,
    vocab_parallel_embedding.py); the fullest pipeline stage holds ceil(layers / stages) layers
    (vllm/distributed/utils.py, get_pp_indices) and at most one vocabulary table unless it is the only stage.
    `bits` quantises on load (`--quantization fp8` is 8) where the checkpoint itself is not quantised.
    """
    plain = dtype_bytes or model.dtype_bytes
    bits = model.bits if model.bits is not None else bits
    packed = bits / 8 if bits is not None else plain
    layers = (
        model.linear * (plain if model.experts_only else packed)
        + model.experts * packed
        + model.other * plain
    )
    share = ceil(model.layer_count / parallel.pipeline) / model.layer_count
    tables = 1 if model.tied or parallel.pipeline > 1 else 2
    return int((layers * share + tables * model.embedding * plain) / parallel.tensor)


def kv_bytes_per_layer(model: Architecture, tensor: int = 1, element_bytes: int | None = None) -> int:
    """KV cache of one token in one layer on one GPU (AttentionSpec in vllm/v1/kv_cache_interface.py).

    kv heads x (key + value) x bytes, with the heads split over tensor ranks and at least one on each
    (get_num_kv_heads in vllm/config/model.py). Latent attention keeps one vector of kv_lora_rank +
    qk_rope_head_dim elements on every rank, as a single head that is not split.
    """
    size = element_bytes or model.dtype_bytes
    if model.latent_dim is not None:
        return model.latent_dim * size
    return max(1, model.kv_heads // tensor) * 2 * model.head_dim * size


def kv_bytes_per_token(
    model: Architecture, parallel: Parallelism = Parallelism(), element_bytes: int | None = None
) -> int:
    """KV cache of one token on the fullest GPU while every layer still keeps it (no window has passed)."""
    layers = ceil(model.layer_count / parallel.pipeline)
    return layers * kv_bytes_per_layer(model, parallel.tensor, element_bytes)


def kv_tokens(
    model: Architecture,
    available: int,
    max_model_len: int,
    parallel: Parallelism = Parallelism(),
    element_bytes: int | None = None,
    scheduling: Scheduling = Scheduling(),
) -> int:
    """The "KV cache size" in tokens that vLLM logs for `available` bytes.

    get_kv_cache_capacity in vllm/v1/core/kv_cache_utils.py: requests of full length that fit, times that
    length. Layers of different kinds are put into groups of equal size that draw blocks from one pool
    (_get_kv_cache_groups_uniform_page_size in kv_cache_planning.py).
    """
    group_layers, groups = _groups(model, parallel.pipeline)
    token = group_layers * kv_bytes_per_layer(model, parallel.tensor, element_bytes)
    block = token * scheduling.block_tokens
    needed = sum(
        count * _blocks(window, max_model_len, scheduling, parallel.pipeline) for count, window in groups
    )
    return max(0, available // block) * max_model_len // needed


def longest_context(
    model: Architecture,
    available: int,
    parallel: Parallelism = Parallelism(),
    element_bytes: int | None = None,
    scheduling: Scheduling = Scheduling(),
) -> int:
    """The largest --max-model-len for which one request fits, at most the model's own context.

    The search that vLLM runs for its advice and for `--max-model-len auto` (estimate_max_model_len in
    vllm/v1/core/kv_cache_planning.py). 0 where nothing fits.
    """
    low, high = 0, model.max_model_len
    while low < high:
        middle = (low + high + 1) // 2
        if kv_tokens(model, available, middle, parallel, element_bytes, scheduling) >= middle:
            low = middle
        else:
            high = middle - 1
    return low


def default_batched_tokens(gpu_memory: int, gpu_name: str = "") -> int:
    """`--max-num-batched-tokens` of an API server where none is given (get_batch_defaults, arg_utils.py)."""
    if gpu_memory >= 160 * GIB:
        return 16384
    return 8192 if gpu_memory >= 70 * GIB and "a100" not in gpu_name.lower() else 2048


def largest_batched_tokens(gpu_memory: int) -> int:
    """The default of the offline `LLM` class, which is larger than a server's (get_batch_defaults)."""
    return 16384 if gpu_memory >= 70 * GIB else 8192


def activation_bytes(model: Architecture, batched_tokens: int, tensor: int = 1) -> int:
    """Peak of one forward pass: the MLP's gate, up and product, and three hidden states, 2 bytes each."""
    return 2 * batched_tokens * (model.widest_activation // tensor + 3 * model.hidden_size)


def available_kv_bytes(
    model: Architecture,
    gpu_memory: int,
    weights: int,
    batched_tokens: int,
    tensor: int = 1,
    utilization: float = GPU_MEMORY_UTILIZATION,
    eager: bool = False,
) -> int:
    """Memory left for the KV cache: the share taken, less weights, activations and overhead.

    determine_available_memory in vllm/v1/worker/gpu_worker.py measures what this estimates. Negative where
    not even the weights fit.
    """
    used = (
        weights + activation_bytes(model, batched_tokens, tensor) + OVERHEAD + (0 if eager else CUDA_GRAPHS)
    )
    return int(gpu_memory * utilization) - used


def tensor_sizes(model: Architecture, most: int = 16) -> list[int]:
    """Tensor-parallel sizes that the model's heads allow, among powers of two.

    Attention heads must divide evenly (vllm/config/model.py), and so must KV heads or else be replicated
    evenly (vllm/model_executor/models/llama.py).
    """
    sizes = [2**power for power in range(most.bit_length()) if 2**power <= most]
    return [
        size
        for size in sizes
        if model.attention_heads % size == 0
        and (model.latent_dim is not None or model.kv_heads % size == 0 or size % model.kv_heads == 0)
    ]


SHM_CHECKED_SINCE = (0, 27)
"""The release from which on vLLM looks at the free shared memory, and stops; before, it runs out later."""


def shm_bytes(local_ranks: int, local_engines: int = 1) -> int:
    """What /dev/shm must hold for ranks that talk through it.

    A ring buffer of 16 MiB x 10 for each engine and of 24 MiB x 10 for each of its ranks
    (VLLM_MQ_MAX_CHUNK_BYTES_MB in vllm/envs.py, vllm/v1/executor/multiproc_executor.py,
    vllm/distributed/device_communicators/shm_broadcast.py), all slots full. NCCL's share comes on top.
    """
    return local_engines * (160 + 240 * local_ranks) * MIB


def _groups(model: Architecture, pipeline: int) -> tuple[int, list[tuple[int, int | None]]]:
    """Layers in each KV cache group of one stage; for each kind the number of groups and their window."""
    kinds = [Layers(ceil(kind.count / pipeline), kind.window) for kind in model.layers]
    smallest, largest = min(kind.count for kind in kinds), max(kind.count for kind in kinds)
    size = largest if largest < 1.5 * smallest else smallest
    return size, [(ceil(kind.count / size), kind.window) for kind in kinds]


def _blocks(window: int | None, max_model_len: int, scheduling: Scheduling, pipeline: int) -> int:
    """Blocks that one request of full length takes in one group.

    A window keeps its own tokens and those in flight, and one block more since it need not start at a block
    (SlidingWindowSpec in vllm/v1/kv_cache_interface.py). A batch for every stage is in flight, and another
    one where steps overlap (max_concurrent_batches in vllm/config/vllm.py).
    """
    if window is None:
        return -(-max_model_len // scheduling.block_tokens)
    in_flight = scheduling.batched_tokens * (pipeline + scheduling.overlapping)
    kept = min(window - 1 + in_flight, max_model_len)
    return -(-kept // scheduling.block_tokens) + 1
