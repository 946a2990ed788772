"""`vllm-kustomize build`."""

from __future__ import annotations

import sys

import click

from vllm_kustomize.cli.options import ENGINE, OK


@click.command("build")
@click.argument("overlay")
@ENGINE
def command(overlay: str, engine: str | None) -> int:
    """Print what the engine renders for one overlay."""
    from vllm_kustomize import pipeline

    output = pipeline.build(overlay, engine)
    sys.stdout.buffer.write(output)
    return OK
