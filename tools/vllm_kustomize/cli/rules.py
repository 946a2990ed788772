"""`vllm-kustomize rules`."""

from __future__ import annotations

import click

from vllm_kustomize.cli.options import FORMAT, OK, as_json


@click.command("rules")
@FORMAT
def command(format_: str) -> int:
    """List the rules and checks by group, with their severity."""
    from vllm_kustomize.checks.manual import entries, groups
    from vllm_kustomize.rules import DEFAULT_GROUPS

    listed = tuple(entries())
    if format_ == "json":
        click.echo(as_json([entry.as_json() for entry in listed]))
        return OK
    width = max(len(entry.id) for entry in listed)
    for group in groups():
        click.echo(f"{group}{'' if group in DEFAULT_GROUPS else ' (where it is selected)'}:")
        for entry in listed:
            if entry.group == group:
                click.echo(f"  {entry.id:{width}}  {entry.severity!s:7}  {entry.summary}")
    return OK
