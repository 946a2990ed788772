"""`vllm-kustomize explain`."""

from __future__ import annotations

import click

from vllm_kustomize.cli.options import OK


@click.command("explain")
@click.argument("rule")
def command(rule: str) -> int:
    """Say what a rule or check wants, and why."""
    from vllm_kustomize.checks.manual import entry_for

    found = entry_for(rule)
    click.echo(f"{found.id} ({found.severity})\n\n{found.manual}\n\nHelp: {found.help}")
    return OK
