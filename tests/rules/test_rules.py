"""Every rule has a manual, bad cases with the whole expected output, and ok cases that stay silent.

A case is a folder `tests/rules/<rule>/{bad,ok}*/` with an overlay (`kustomization.yaml`) or a file of
rendered YAML (`rendered.yaml`); `options` may hold further options. It is run with that rule alone.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import Golden, RunCli
from vllm_kustomize import rules

CASES = Path(__file__).parent
WITHOUT_CASES = {"internal-error", "not-checked"}
"""A fault of the tool, and a build beyond its budget: no folder can hold one (tests/reliability)."""


def cases(prefix: str) -> list[object]:
    found = sorted(path for path in CASES.glob(f"*/{prefix}*") if path.is_dir())
    return [pytest.param(path, id=f"{path.parent.name}-{path.name}") for path in found]


def arguments(case: Path) -> list[str]:
    target = "rendered.yaml" if (case / "rendered.yaml").exists() else "."
    options = case / "options"
    extra = options.read_text(encoding="utf-8").split() if options.exists() else []
    return ["validate", target, "--quiet", "--fail-on", "info", "--select", case.parent.name, *extra]


@pytest.mark.parametrize("case", cases("bad"))
def test_bad_case_is_found(case: Path, run_cli: RunCli, golden: Golden) -> None:
    result = run_cli(*arguments(case), cwd=case)
    assert (result.code, result.errors) == (1, "")
    golden(case / "expected.txt", result.output)


@pytest.mark.parametrize("case", cases("ok"))
def test_ok_case_is_silent(case: Path, run_cli: RunCli) -> None:
    result = run_cli(*arguments(case), cwd=case)
    assert (result.code, result.output, result.errors) == (0, "", "")


@pytest.mark.parametrize("rule", rules.load().values(), ids=lambda rule: rule.id)
def test_rule_is_documented_and_tested(rule: rules.Rule) -> None:
    assert "\nBad:" in rule.manual, "the docstring says what is bad"
    assert "\nGood:" in rule.manual, "the docstring says what is good"
    assert rule.summary.endswith(".")
    assert rule.help
    for kind in ("bad", "ok") if rule.id not in WITHOUT_CASES else ():
        assert list((CASES / rule.id).glob(f"{kind}*")), f"tests/rules/{rule.id} has no {kind} case"


def test_no_cases_without_a_rule() -> None:
    assert {path.name for path in CASES.iterdir() if path.is_dir()} <= {*rules.load(), "__pycache__"}
