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
    from dataclasses import replace

    from vllm_kustomize import pipeline
    from vllm_kustomize.settings.file import load_settings

    output = pipeline.build(overlay, replace(load_settings([overlay]), engine=engine))
    sys.stdout.buffer.write(output)
    return OK
