"""Click options in, exit code out: one module per command."""

from __future__ import annotations

import os
import sys

import click

from vllm_kustomize import __version__
from vllm_kustomize.cli import build, completion, explain, flags, rules, size, validate
from vllm_kustomize.cli.options import COULD_NOT_RUN, INTERRUPTED, OK
from vllm_kustomize.model import Error

COMMANDS = tuple(module.command for module in (validate, build, size, flags, rules, explain, completion))
"""The one most used comes first."""


class _Group(click.Group):
    """Lists commands in the order in which they are given."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=_Group, commands=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s")
def cli() -> None:
    """Build Kustomize overlays and prove them before a cluster sees them.

    \b
    vllm-kustomize validate                     every overlay of the repo
    vllm-kustomize validate overlays/nvidia     one overlay
    helm template ... | vllm-kustomize validate -
    """


def main() -> None:
    """Run the command and leave with its exit code; the last stop of every error."""
    try:
        code = cli.main(prog_name="vllm-kustomize", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = COULD_NOT_RUN
    except Error as error:
        from vllm_kustomize.reporters import visible

        click.echo(f"vllm-kustomize: {visible(str(error))}", err=True)
        code = COULD_NOT_RUN
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        code = INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has enough of it; the interpreter must not complain when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = COULD_NOT_RUN
    sys.exit(code if isinstance(code, int) else OK)
