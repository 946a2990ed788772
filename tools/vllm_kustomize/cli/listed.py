"""Options whose values a table lists: the help names them and the shell completes them.

A table is read once one of these is asked for; the command starts without it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class Listed(click.Option):
    """An option that takes what `values` lists; `{}` in its help stands for them, or for `shown`."""

    def __init__(
        self,
        *args: Any,
        values: Callable[[], Sequence[str]],
        shown: Callable[[], str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._values = values
        self._shown = shown or (lambda: ", ".join(values()))

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """The line of the help, with the values in it."""
        record = super().get_help_record(ctx)
        if record is None or "{}" not in record[1]:
            return record
        return record[0], record[1].replace("{}", self._shown())

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """What a shell offers for the beginning of a value."""
        from click.shell_completion import CompletionItem

        return [CompletionItem(value) for value in self._values() if value.startswith(incomplete)]


def from_to(values: Callable[[], Sequence[str]]) -> Callable[[], str]:
    """What says `1.25 to 1.37` of some versions."""
    return lambda: f"{values()[0]} to {values()[-1]}"


def default_groups() -> str:
    """The groups of rules that are checked where nothing is selected."""
    from vllm_kustomize.rules import DEFAULT_GROUPS

    return ", ".join(DEFAULT_GROUPS)


def kubernetes_versions() -> tuple[str, ...]:
    """The Kubernetes versions with schemas, oldest first."""
    from vllm_kustomize.checks.published import known_versions
    from vllm_kustomize.model import format_version

    return tuple(map(format_version, known_versions()))


def vllm_versions() -> tuple[str, ...]:
    """The vLLM releases in the catalog."""
    from vllm_kustomize.vllm.cli.catalog import releases

    return tuple(releases())


def formats() -> tuple[str, ...]:
    """The formats of reports."""
    from vllm_kustomize.reporters import FORMATS

    return FORMATS


def rules_and_groups() -> tuple[str, ...]:
    """All that a rule or a group of rules is called."""
    from vllm_kustomize.checks.manual import groups, names

    return (*groups(), *names())


def pod_security_levels() -> tuple[str, ...]:
    """The levels of the Pod Security Standards."""
    from vllm_kustomize.apiserver.podsecurity.standard import LEVELS

    return LEVELS


def models() -> tuple[str, ...]:
    """The models whose configuration is known."""
    from vllm_kustomize.vllm.sizing.models import known_models

    return tuple(known_models())


def gpus() -> tuple[str, ...]:
    """The product labels of the GPUs whose memory is known."""
    from vllm_kustomize.vllm.sizing.gpus import known_gpus

    return tuple(gpu.product for gpu in known_gpus())
