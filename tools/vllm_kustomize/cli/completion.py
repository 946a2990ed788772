"""`vllm-kustomize completion`."""

from __future__ import annotations

import click

from vllm_kustomize.cli.options import OK
from vllm_kustomize.model import Error


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(context: click.Context, shell: str) -> int:
    """Print the completion script of a shell.

    \b
    bash:  eval "$(vllm-kustomize completion bash)"      in ~/.bashrc
    zsh:   eval "$(vllm-kustomize completion zsh)"       in ~/.zshrc
    fish:  vllm-kustomize completion fish | source       in ~/.config/fish/config.fish
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    if found is None:
        raise Error(f"no completion for {shell}")
    click.echo(found(context.find_root().command, {}, "vllm-kustomize", "_VLLM_KUSTOMIZE_COMPLETE").source())
    return OK
