"""Click options in, exit code out: one module per command."""

from __future__ import annotations

import contextlib
import os
import sys

import click

from vllm_kustomize.cli import build, completion, diff, explain, flags, rules, size, upgrade, validate, why
from vllm_kustomize.cli.options import COULD_NOT_RUN, INTERRUPTED, OK, show_error
from vllm_kustomize.interrupts import Ended, signals
from vllm_kustomize.model import Error
from vllm_kustomize.version import __version__

COMMANDS = tuple(
    module.command
    for module in (validate, build, why, diff, upgrade, size, flags, rules, explain, completion)
)
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
        with signals():
            code = _run()
    except Ended as ended:
        code = 128 + ended.signal
    sys.exit(code)


def _run() -> int:
    try:
        if sys.stdout is None:
            raise Error("standard output is closed")
        code = cli.main(prog_name="vllm-kustomize", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return COULD_NOT_RUN
    except Error as error:
        show_error(error)
        return COULD_NOT_RUN
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        _forget_output()  # whoever read it has enough of it
        return COULD_NOT_RUN
    except OSError as error:
        _forget_output()
        named = f" {error.filename}" if error.filename else ""
        show_error(Error(f"cannot go on{named}: {error.strerror}"))
        return COULD_NOT_RUN
    except Exception as fault:
        from vllm_kustomize.faults import describe

        show_error(Error(f"internal error: {describe(fault)}; report it with what --debug prints"))
        return COULD_NOT_RUN
    return code if isinstance(code, int) else OK


def _forget_output() -> None:
    """Let the interpreter flush into nothing: it would complain once more when it ends."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
