"""The help and the completion of options say what the tables hold now."""

from __future__ import annotations

import click
import pytest

from conftest import RunCli
from vllm_kustomize.checks.published import known_versions
from vllm_kustomize.cli import COMMANDS
from vllm_kustomize.cli.listed import Listed
from vllm_kustomize.reporters import FORMATS
from vllm_kustomize.rules import DEFAULT_GROUPS, load
from vllm_kustomize.vllm.cli.catalog import releases

LISTED = [
    pytest.param(command, option, id=f"{command.name}{option.opts[-1]}")
    for command in COMMANDS
    for option in command.params
    if isinstance(option, Listed)
]


@pytest.mark.parametrize(("command", "option"), LISTED)
def test_every_value_is_completed(command: click.Command, option: Listed) -> None:
    context = click.Context(command)
    everything = [item.value for item in option.shell_complete(context, "")]
    assert everything
    assert everything[0] in [item.value for item in option.shell_complete(context, everything[0])]
    assert "{}" not in (option.get_help_record(context) or ("", ""))[1]


def test_the_help_of_validate_names_what_the_tables_hold(run_cli: RunCli) -> None:
    text = " ".join(run_cli("validate", "--help").output.split())
    (_, first), (_, last) = known_versions()[0], known_versions()[-1]
    assert f"1.{first} to 1.{last};" in text
    assert f"{', '.join(FORMATS)}; may" in text
    assert f"Default: {', '.join(DEFAULT_GROUPS)}." in text
    assert f"{releases()[0]} to {releases()[-1]}." in " ".join(run_cli("flags", "--help").output.split())


def test_rules_are_completed(run_cli: RunCli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_VLLM_KUSTOMIZE_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "vllm-kustomize validate --select missing-")
    monkeypatch.setenv("COMP_CWORD", "3")
    offered = run_cli().output.split()
    assert offered == [f"plain,{rule}" for rule in load() if rule.startswith("missing-")]
