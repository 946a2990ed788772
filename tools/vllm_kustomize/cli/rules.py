"""`vllm-kustomize rules`."""

from __future__ import annotations

import click

from vllm_kustomize.cli.options import FORMAT, OK, as_json


@click.command("rules")
@FORMAT
def command(format_: str) -> int:
    """List the rules and checks, with their severity."""
    from vllm_kustomize.checks.manual import entries

    listed = tuple(entries())
    if format_ == "json":
        click.echo(as_json([entry.as_json() for entry in listed]))
        return OK
    width = max(len(entry.id) for entry in listed)
    for entry in listed:
        click.echo(f"{entry.id:{width}}  {entry.severity!s:7}  {entry.summary}")
    return OK
