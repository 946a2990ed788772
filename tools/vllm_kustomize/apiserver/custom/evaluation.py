"""CEL rules evaluated: what they refuse, in whose words, and which of them could not be judged.

A rule that evaluates to an error fails, as on the server; a rule that cannot be evaluated here is named, and
nothing follows from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from vllm_kustomize.apiserver.custom.cel import Budget, CelError, Program, Unsupported, compile_expression
from vllm_kustomize.apiserver.custom.cel.values import NONE, Optional
from vllm_kustomize.apiserver.custom.correlation import ABSENT
from vllm_kustomize.apiserver.custom.rules import Due
from vllm_kustomize.apiserver.custom.schema import Rule
from vllm_kustomize.apiserver.custom.values import Refusal
from vllm_kustomize.apiserver.custom.views import view, with_identity
from vllm_kustomize.model import FieldPath

_STEP = re.compile(r"\.([^.\[\]]+)|\['((?:[^'\\]|\\.)*)'\]")
_LONGEST_MESSAGE = 5 * 1024
"""Bytes that a `messageExpression` may come to; beyond, the server falls back to the message."""


@dataclass(slots=True)
class Judgement:
    """What the rules of one object came to."""

    found: list[Refusal] = field(default_factory=list)
    unchecked: dict[str, None] = field(default_factory=dict)
    budget: Budget = field(default_factory=Budget)


def evaluate(rules: Iterable[Due]) -> Judgement:
    """Evaluate the rules that are due for one object."""
    judgement = Judgement()
    for each in rules:
        _evaluate(each, judgement)
    return judgement


def _evaluate(due: Due, judgement: Judgement) -> None:
    try:
        _refuse(due, judgement)
    except Unsupported as unsupported:
        judgement.unchecked[f"the rule {_short(due.rule.expression)}: {unsupported}"] = None


def _refuse(due: Due, judgement: Judgement) -> None:
    rule = due.rule
    program = compile_expression(rule.expression)
    variables = _variables(due, program)
    if variables is None or (due.unchanged and not program.uses_old_self):
        return
    reason = _failure(program, variables, judgement.budget)
    if reason is not None:
        message = _message(rule, variables, judgement.budget, reason)
        judgement.found.append(Refusal((*due.path, *_steps(rule.field_path)), message, help=rule.help))


def _variables(due: Due, program: Program) -> dict[str, Any] | None:
    """What a rule speaks of, or None where it compares with an object that is not there."""
    rule, old = due.rule, due.old
    schema = with_identity(due.schema) if due.root else due.schema
    there = old is not ABSENT and old is not None
    if program.uses_old_self and not there and not rule.optional_old_self:
        return None
    try:
        variables = {"self": view(due.value, schema)}
        before = view(old, schema) if there and program.uses_old_self else None
    except CelError:
        return {"self": None, "oldSelf": None}
    if rule.optional_old_self:
        variables["oldSelf"] = Optional(True, before) if there else NONE
    else:
        variables["oldSelf"] = before
    return variables


def _failure(program: Program, variables: dict[str, Any], budget: Budget) -> str | None:
    """Why a rule does not hold, None if it does: empty where it is false, else an error's own text."""
    try:
        result = program.evaluate(variables, budget)
    except CelError as error:
        return str(error)
    return None if result is True else ""


def _message(rule: Rule, variables: dict[str, Any], budget: Budget, reason: str) -> str:
    said = rule.message
    if rule.message_expression:
        try:
            made = compile_expression(rule.message_expression).evaluate(variables, budget)
        except (CelError, Unsupported):
            made = None
        made = made.strip() if isinstance(made, str) else ""
        if made and "\n" not in made and len(made.encode("utf-8", "replace")) <= _LONGEST_MESSAGE:
            said = made
    said = said or f"breaks the rule {_short(rule.expression)}"
    return f"{said} ({reason})" if reason else said


def _steps(field_path: str) -> FieldPath:
    """The fields of a rule's `fieldPath`, which is relative to the rule's place."""
    return tuple(name or re.sub(r"\\(.)", r"\1", quoted) for name, quoted in _STEP.findall(field_path))


def _short(expression: str) -> str:
    plain = " ".join(expression.split())
    return plain if len(plain) <= 100 else f"{plain[:100]}…"
