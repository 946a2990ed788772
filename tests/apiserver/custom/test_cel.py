"""Expressions over an object with a field of every type, with what the server's own libraries make of them.

`cel.tsv` was recorded with k8s.io/apiextensions-apiserver 0.37.2: a rule holds (true), or it is false or an
error. `cel.json` has the schema and the object.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vllm_kustomize.apiserver.custom.cel import Budget, CelError, Unsupported, compile_expression
from vllm_kustomize.apiserver.custom.evaluation import evaluate
from vllm_kustomize.apiserver.custom.rules import due
from vllm_kustomize.apiserver.custom.schema import read

HERE = Path(__file__).parent
GIVEN = json.loads((HERE / "cel.json").read_bytes())
RECORDED = [line.split("\t") for line in (HERE / "cel.tsv").read_text(encoding="utf-8").splitlines()]


def test_expressions_come_to_what_the_server_makes_of_them() -> None:
    differ = []
    for wanted, expression in RECORDED:
        schema = read({**GIVEN["schema"], "x-kubernetes-validations": [{"rule": expression}]})
        judgement = evaluate(due(GIVEN["object"], schema))
        assert judgement.unchecked == {}, expression
        if (not judgement.found) is not (wanted == "true"):
            differ.append((wanted, expression))
    assert len(RECORDED) > 300
    assert differ == []


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("self.l.all(x, ", "the end was not expected"),
        ("nothing(self)", "the function nothing() is unknown"),
        ("other == 1", "other is unknown"),
        ("self.x{a: 1}", "{ was not expected"),
        ("(" * 300 + "1" + ")" * 300, "it is nested too deep"),
        ("1" * 30 + " > 0", "the number 11111111111111111111… is too large"),
        ("'\\q' == ''", "unknown escape \\q"),
    ],
)
def test_what_cannot_be_compiled_is_said(expression: str, reason: str) -> None:
    with pytest.raises(Unsupported) as raised:
        compile_expression(expression)
    assert str(raised.value) == reason


@pytest.mark.parametrize(
    "expression",
    [
        "self.all(a, self.all(b, self.all(c, self.all(d, a + b + c + d >= 0))))",
        "self.map(a, self.map(b, self.map(c, self.map(d, [a, b, c, d])))).size() > 0",
    ],
)
def test_an_expression_without_end_is_given_up(expression: str) -> None:
    with pytest.raises(Unsupported, match="it takes too long"):
        compile_expression(expression).evaluate({"self": list(range(100))}, Budget(10_000))


def test_text_that_doubles_is_given_up() -> None:

    expression = "'abcdefgh'.replace('', 'abcdefgh').replace('', 'abcdefgh').replace('', 'abcdefgh')"
    expression += ".replace('', 'abcdefghabcdefgh')" * 8 + ".size() > 0"
    with pytest.raises(Unsupported, match="too long"):
        compile_expression(expression).evaluate({}, Budget())


def test_an_error_counts_unless_another_operand_decides() -> None:
    assert compile_expression("1 / 0 == 1 || true").evaluate({}, Budget()) is True
    with pytest.raises(CelError, match="division by zero"):
        compile_expression("1 / 0 == 1 || false").evaluate({}, Budget())
