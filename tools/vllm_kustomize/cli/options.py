"""What several commands share: options, exit codes and JSON."""

from __future__ import annotations

import json

import click

from vllm_kustomize.model import Error, Severity

OK, FINDINGS, COULD_NOT_RUN, INTERRUPTED = 0, 1, 2, 130


PATHS = click.argument("paths", nargs=-1, metavar="[PATH]...")
ENGINE = click.option(
    "--engine",
    metavar="PATH",
    help="A kubectl or kustomize to build with, instead of the bundled one. [VLLM_KUSTOMIZE_ENGINE]",
)


FAIL_ON = click.option(
    "--fail-on",
    type=click.Choice([str(severity) for severity in reversed(Severity)]),
    help="The lowest severity that makes the exit code 1. Default: error.",
)


FORMAT = click.option(
    "--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True
)


def as_json(answer: object) -> str:
    """The answer for programs."""
    return json.dumps(answer, indent=2)


def show_error(error: Error) -> None:
    """Say on standard error why something could not be done."""
    from vllm_kustomize.findings.mask import Mask
    from vllm_kustomize.reporters import one_line

    click.echo(f"vllm-kustomize: {one_line(Mask()(str(error)))}", err=True)
