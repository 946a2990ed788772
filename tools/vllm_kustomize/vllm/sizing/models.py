"""What decides a model's memory, read from the `config.json` it is published with.

Key names are those of Hugging Face configurations, as vLLM reads them
(vllm/transformers_utils/model_arch_config_convertor.py). `data/models.json` holds the configurations of
common models.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from vllm_kustomize.kustomize.yaml.reader import parse_json, read_text
from vllm_kustomize.model import Error
from vllm_kustomize.wording import closest

Config = Mapping[str, Any]
"""A parsed `config.json`."""

_TABLE = Path(__file__).parent.parent / "data" / "models.json"

_PLAIN_MLP = {"opt", "gpt2", "gpt_neox", "gptj", "gpt_bigcode", "starcoder2", "phi", "falcon", "mpt", "bloom"}
"""Model types whose MLP is two matrices (up, down) where a Llama-like one has three (gate, up, down)."""

_ATTENTION_BIAS = {"qwen2", "qwen2_moe", "opt", "gpt2"}
"""Model types with a bias on query, key and value that their configuration does not mention."""

_WINDOW_PATTERN = {"gemma2": 2, "gemma3": 6, "gemma3_text": 6, "cohere2": 4, "gpt_oss": 2}
"""Of this many layers all but the last attend to a window (`sliding_window_pattern` overrides)."""

_GATED = re.compile(r"meta-llama/|google/(?:codegemma-|gemma-(?:1\.1|2|3n?|[27]b)(?![\w.]))")

_BEYOND_THE_FORMULAS = {
    "linear_num_value_heads": "linear attention layers",
    "mamba_d_state": "Mamba layers",
    "ssm_state_size": "Mamba layers",
    "mamba_num_heads": "Mamba layers",
    "hybrid_override_pattern": "Mamba layers",
    "index_head_dim": "a sparse-attention indexer cache",
    "block_configs": "layers of different shapes",
    "cross_attention_layers": "cross-attention layers",
}


class UnknownModel(Error):
    """The model is not in the table, or its configuration has a shape that the formulas do not cover."""


@dataclass(frozen=True, slots=True)
class Layers:
    """A group of attention layers that keep the same state; `window` in tokens, None for full attention."""

    count: int
    window: int | None = None


@dataclass(frozen=True, slots=True)
class Architecture:
    """The figures of one model that decide its memory.

    Parameters are split by what quantisation touches: `linear` (attention and MLP matrices), `experts` (those
    of mixture-of-experts layers), `embedding` (the input table; the output head has the same size, and is the
    same memory when `tied`) and `other` (norms, biases, routers, vision tower).
    """

    model_type: str
    hidden_size: int
    layers: tuple[Layers, ...]
    attention_heads: int
    kv_heads: int
    head_dim: int
    latent_dim: int | None
    """Elements a token and layer of multi-head latent attention (MLA); None for ordinary attention."""
    widest_activation: int
    """Elements a token of the widest MLP activation: gate, up and their product."""
    max_model_len: int
    """Tokens; what vLLM takes without --max-model-len."""
    linear: int
    experts: int
    embedding: int
    other: int
    tied: bool
    bits: float | None
    """Bits a quantised weight takes, scales included; None for an unquantised checkpoint."""
    experts_only: bool
    """Whether the quantisation leaves attention and dense layers alone (mxfp4)."""
    dtype_bytes: int

    @property
    def layer_count(self) -> int:
        """All decoder layers."""
        return sum(group.count for group in self.layers)

    @property
    def parameters(self) -> int:
        """All parameters; a tied output head counts once."""
        return self.linear + self.experts + self.other + self.embedding * (1 if self.tied else 2)


def known_models() -> dict[str, Config]:
    """The configurations in the built-in table, by model id."""
    return {name: entry["config"] for name, entry in _entries().items()}


def is_gated(model: str) -> bool:
    """Whether the Hub asks for a token to download `model`.

    Every meta-llama repository does, and google/gemma up to 3 (huggingface.co/docs/hub/models-gated); of
    others the table's entries say.
    """
    entry = _entries().get(model)
    if entry is not None:
        return bool(entry.get("gated"))
    return _GATED.match(model) is not None


def quantization_of(model: str) -> str | None:
    """How a model's checkpoint is quantised, as its config.json says; empty if it is not, None if unknown."""
    entry = _entries().get(model)
    if entry is None:
        return None
    config = entry["config"].get("quantization_config")
    return "" if config is None else str(config["quant_method"])


def architecture_of(model: str) -> Architecture:
    """The architecture of a model in the table.

    Raises:
        UnknownModel: the table does not have it.
    """
    entry = _entries().get(model)
    if entry is None:
        near = closest(model, _entries())
        hint = f" (did you mean {near}?)" if near else ""
        raise UnknownModel(
            f"no model '{model}' in the built-in table{hint}; give the path of its config.json"
        )
    return read_config(entry["config"])


def read_config_file(path: Path) -> Architecture:
    """The architecture that a local `config.json` describes.

    Raises:
        Error: the file cannot be read, is not JSON, or describes a shape that the formulas do not cover.
    """
    try:
        config = parse_json(read_text(path))
    except (OSError, ValueError) as error:
        raise Error(f"{path}: cannot read a model configuration: {error}") from error
    if not isinstance(config, dict):
        raise Error(f"{path}: not a model configuration: expected a JSON object")
    try:
        return read_config(config)
    except UnknownModel as error:
        raise UnknownModel(f"{path}: {error}") from error


def read_config(config: Config) -> Architecture:
    """Count a model's parameters and describe its attention layers.

    The counts follow the modules of vllm/model_executor/models (llama.py, mixtral.py, qwen3_moe.py,
    deepseek_v2.py, gpt_oss.py): a projection of `a` inputs and `b` outputs has a x b parameters.

    Raises:
        UnknownModel: a needed key is missing or of the wrong type, or the model has parts whose memory the
            formulas do not cover.
    """
    text = config.get("text_config") or config
    if not isinstance(text, Mapping):
        raise UnknownModel("text_config is not an object")
    model_type = str(text.get("model_type") or config.get("model_type") or "")
    _refuse_uncovered(text)
    hidden = _count(text, "hidden_size", "n_embd", "d_model")
    layers = _count(text, "num_hidden_layers", "n_layer", "n_layers")
    heads = _count(text, "num_attention_heads", "n_head", "n_heads")
    kv_heads = _count(
        text, "num_key_value_heads", "num_kv_heads", default=1 if text.get("multi_query") else heads
    )
    head_dim = _count(text, "head_dim", default=hidden // heads)
    if not head_dim or not kv_heads:
        raise UnknownModel(f"{heads} attention heads do not share {hidden} elements")
    intermediate = _count(text, "intermediate_size", "ffn_dim", "n_inner", default=4 * hidden)
    matrices = 2 if model_type in _PLAIN_MLP else 3

    latent = _count(text, "kv_lora_rank", default=0)
    if latent:
        attention, latent_dim = _latent_attention(text, hidden, heads, latent)
    else:
        attention, latent_dim = hidden * head_dim * (2 * heads + 2 * kv_heads), None
    expert_layers, expert, shared, router = _experts(text, hidden, layers, intermediate)
    dense_mlp = matrices * hidden * intermediate
    bias = head_dim * (heads + 2 * kv_heads) if _has_attention_bias(model_type, text) else 0
    bits, experts_only = _quantisation(config.get("quantization_config") or text.get("quantization_config"))
    return Architecture(
        model_type=model_type,
        hidden_size=hidden,
        layers=_attention_groups(model_type, text, layers),
        attention_heads=heads,
        kv_heads=kv_heads,
        head_dim=head_dim,
        latent_dim=latent_dim,
        widest_activation=matrices * intermediate + _count(text, "num_experts_per_tok", default=0) * hidden,
        max_model_len=_context(text),
        linear=layers * attention + (layers - expert_layers) * dense_mlp + expert_layers * shared,
        experts=expert_layers * expert,
        embedding=_count(text, "vocab_size") * hidden,
        other=layers * (2 * hidden + bias) + hidden + expert_layers * router + _vision_tower(config),
        tied=_tied(config, text, model_type),
        bits=bits,
        experts_only=experts_only,
        dtype_bytes=2,
    )


@cache
def _entries() -> dict[str, dict[str, Any]]:
    table = json.loads(_TABLE.read_text(encoding="utf-8"))
    return {name: entry for entry in table["models"] for name in entry["models"]}


def _count(config: Config, *names: str, default: int | None = None) -> int:
    for name in names:
        value = config.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**40:
            if value or default is not None:
                return value or default or 0
            raise UnknownModel(f"{name} is 0")
        if value is not None:
            raise UnknownModel(f"{name} is not a number of things: {value!r:.40}")
    if default is None:
        raise UnknownModel(f"no {names[0]}")
    return default


def _refuse_uncovered(config: Config) -> None:
    for key, what in _BEYOND_THE_FORMULAS.items():
        if config.get(key):
            raise UnknownModel(f"it has {what} ({key}), whose memory the formulas do not cover")
    if config.get("is_encoder_decoder"):
        raise UnknownModel("it is an encoder-decoder model, whose memory the formulas do not cover")
    kinds = config.get("layer_types")
    if isinstance(kinds, list):
        for kind in kinds:
            if kind not in ("full_attention", "sliding_attention", "chunked_attention"):
                raise UnknownModel(f"it has {kind!s:.40} layers, whose memory the formulas do not cover")


def _latent_attention(config: Config, hidden: int, heads: int, latent: int) -> tuple[int, int]:
    """Parameters of one MLA layer, and the elements it keeps a token (deepseek_v2.py, mla_attention.py)."""
    rope = _count(config, "qk_rope_head_dim")
    nope = _count(config, "qk_nope_head_dim")
    value = _count(config, "v_head_dim")
    query_rank = _count(config, "q_lora_rank", default=0)
    query_outputs = heads * (nope + rope)
    query = (hidden + query_outputs) * query_rank if query_rank else hidden * query_outputs
    key_value = hidden * (latent + rope) + latent * heads * (nope + value)
    return query + key_value + heads * value * hidden, latent + rope


def _experts(config: Config, hidden: int, layers: int, intermediate: int) -> tuple[int, int, int, int]:
    """Mixture-of-experts layers, and in each the parameters of routed experts, shared experts and router."""
    routed = _count(config, "num_local_experts", "num_experts", "n_routed_experts", default=0)
    if not routed:
        return 0, 0, 0, 0
    width = _count(config, "moe_intermediate_size", default=intermediate)
    shared_width = _count(config, "shared_expert_intermediate_size", default=0)
    shared_width = shared_width or width * _count(config, "n_shared_experts", default=0)
    dense = _count(config, "first_k_dense_replace", default=0)
    every = max(1, _count(config, "decoder_sparse_step", default=1))
    expert = 3 * hidden * width
    return max(0, layers - dense) // every, routed * expert, 3 * hidden * shared_width, routed * hidden


def _has_attention_bias(model_type: str, config: Config) -> bool:
    return model_type in _ATTENTION_BIAS or config.get("attention_bias") is True


def _attention_groups(model_type: str, config: Config, layers: int) -> tuple[Layers, ...]:
    window = _count(config, "sliding_window", default=0)
    if not window or config.get("use_sliding_window") is False:
        return (Layers(layers),)
    kinds = config.get("layer_types")
    if isinstance(kinds, list):
        full = kinds[:layers].count("full_attention")
    else:
        pattern = _count(config, "sliding_window_pattern", default=_WINDOW_PATTERN.get(model_type, 0))
        full = layers // pattern if pattern else 0
    groups = (Layers(full), Layers(layers - full, window))
    return tuple(group for group in groups if group.count)


def _context(config: Config) -> int:
    length = _count(config, "max_position_embeddings", "n_positions", "max_sequence_length", "seq_length")
    scaling = config.get("rope_scaling") or config.get("rope_parameters")
    if isinstance(scaling, Mapping) and "longrope" in (scaling.get("type"), scaling.get("rope_type")):
        # vLLM serves a LongRoPE model with its original context unless told otherwise (config/model.py).
        return _count(config, "original_max_position_embeddings", default=length)
    return length


def _tied(config: Config, text: Config, model_type: str) -> bool:
    tied = text.get("tie_word_embeddings", config.get("tie_word_embeddings"))
    return bool(tied) if tied is not None else model_type.startswith(("gemma", "opt", "gpt2", "cohere"))


def _vision_tower(config: Config) -> int:
    """Parameters of a vision transformer's layers: four attention matrices and a two-matrix MLP each."""
    vision = config.get("vision_config")
    if not isinstance(vision, Mapping):
        return 0
    try:
        hidden = _count(vision, "hidden_size")
        width = _count(vision, "intermediate_size", default=4 * hidden)
        return _count(vision, "num_hidden_layers", "depth") * (4 * hidden * hidden + 2 * hidden * width)
    except UnknownModel as error:
        raise UnknownModel(f"in vision_config: {error}") from error


def _quantisation(config: object) -> tuple[float | None, bool]:
    """Bits a quantised weight, and whether only experts are quantised.

    Group-wise formats keep a 16-bit scale and a zero point of the weights' width a group (AutoAWQ, GPTQ);
    mxfp4 an 8-bit scale for 32 weights (Open Compute Project, Microscaling Formats 1.0).
    """
    if not isinstance(config, Mapping) or not config:
        return None, False
    method = str(config.get("quant_method", "")).lower()
    if method in ("fp8", "fbgemm_fp8", "modelopt"):
        return 8.0, False
    if method == "mxfp4":
        return 4.25, True
    if method in ("awq", "gptq"):
        bits = _count(config, "bits", "w_bit", default=4)
        group = config.get("group_size", config.get("q_group_size", 128))
        return bits + ((16 + bits) / group if isinstance(group, int) and group > 0 else 0), False
    if method == "compressed-tensors":
        bits = _compressed_tensors_bits(config)
        return bits + (16 / 128 if bits < 8 else 0), False
    if method == "bitsandbytes":
        return (4.5 if config.get("load_in_4bit") else 8.0), False
    raise UnknownModel(f"its quantisation {method!r} is not one whose size is known")


def _compressed_tensors_bits(config: Config) -> int:
    groups = config.get("config_groups")
    widths = [
        group["weights"]["num_bits"]
        for group in (groups.values() if isinstance(groups, Mapping) else ())
        if isinstance(group, Mapping) and isinstance(group.get("weights"), Mapping)
        and isinstance(group["weights"].get("num_bits"), int)
    ]  # fmt: skip
    if not widths:
        raise UnknownModel("its compressed-tensors quantisation names no num_bits")
    return int(max(widths))
