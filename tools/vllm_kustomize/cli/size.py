"""`vllm-kustomize size`."""

from __future__ import annotations

import click

from vllm_kustomize.cli import listed
from vllm_kustomize.cli.listed import Listed
from vllm_kustomize.cli.options import FINDINGS, FORMAT, OK, as_json


@click.command("size")
@click.option(
    "--model",
    cls=Listed,
    values=listed.models,
    required=True,
    metavar="NAME|FILE",
    help="A known model, or a config.json.",
)
@click.option(
    "--gpu",
    cls=Listed,
    values=listed.gpus,
    required=True,
    metavar="GPU",
    help="H100-80GB, a product label of a node, or 24Gi.",
)
@click.option(
    "--tp", type=click.IntRange(min=1), metavar="N", help="Tensor-parallel size. Default: what fits."
)
@click.option("--pp", type=click.IntRange(min=1), default=1, metavar="N", help="Pipeline-parallel size.")
@click.option(
    "--max-model-len", type=click.IntRange(min=1), metavar="N", help="Default: the model's context."
)
@click.option("--max-num-batched-tokens", type=click.IntRange(min=1), metavar="N", help="Default: vLLM's.")
@click.option("--dtype", default="auto", metavar="NAME", help="As vLLM's --dtype.")
@click.option("--kv-cache-dtype", default="auto", metavar="NAME", help="As vLLM's --kv-cache-dtype.")
@click.option(
    "--gpu-memory-utilization", type=click.FloatRange(0, 1, min_open=True), default=0.92, show_default=True
)
@FORMAT
def command(
    model: str,
    gpu: str,
    tp: int | None,
    pp: int,
    max_model_len: int | None,
    max_num_batched_tokens: int | None,
    dtype: str,
    kv_cache_dtype: str,
    gpu_memory_utilization: float,
    format_: str,
) -> int:
    """Estimate what a model needs on a kind of GPU, and what to ask the cluster for.

    Exit code: 0 a request of full length fits, 1 it does not, 2 it could not be estimated.

    \b
    vllm-kustomize size --model meta-llama/Llama-3.3-70B-Instruct --gpu H100-80GB
    vllm-kustomize size --model ./config.json --gpu 24Gi --max-model-len 8192
    """
    from vllm_kustomize.vllm.sizing import sizing

    request = sizing.Request(
        model=model,
        gpu=gpu,
        tensor_parallel_size=tp,
        pipeline_parallel_size=pp,
        max_model_len=max_model_len,
        dtype=dtype,
        kv_cache_dtype=kv_cache_dtype,
        gpu_memory_utilization=gpu_memory_utilization,
        max_num_batched_tokens=max_num_batched_tokens,
    )
    answer = sizing.size(request)
    if format_ == "json":
        click.echo(as_json(sizing.as_json(answer)))
    else:
        click.echo(sizing.describe(answer))
    return OK if answer.fits else FINDINGS
