"""The checks of label selectors.

Rules of k8s.io/apimachinery/pkg/apis/meta/v1/validation (ValidateLabelSelector).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vllm_kustomize.apiserver.framework.combinators import Family, Fault, Scope, always
from vllm_kustomize.kubernetes import names
from vllm_kustomize.kubernetes.fields import sequence
from vllm_kustomize.wording import quote

api = Family("selectors")
OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")


def match_labels(value: Any, scope: Scope) -> Iterator[Fault]:
    """Keys and values that labels can have."""
    for key, item in value.items():
        if message := names.qualified_name(str(key)):
            yield Fault((), f"label key {message}", at=(str(key),))
        if isinstance(item, str) and (message := names.label_value(item)):
            yield Fault((), f"label {key}: {message}", at=(str(key),))


def expression(value: Any, scope: Scope) -> Iterator[Fault]:
    """The operator is known, and says whether values must be there."""
    operator = value.get("operator") or ""
    if not isinstance(operator, str):
        return
    count = len(sequence(value, "values"))
    if operator in ("In", "NotIn"):
        if not count:
            yield Fault(("values",), f"must hold at least one value for operator {operator}")
    elif operator in ("Exists", "DoesNotExist"):
        if count:
            yield Fault(("values",), f"may not be set for operator {operator}")
    else:
        yield Fault(("operator",), f"{quote(operator)} is not an operator; use one of {', '.join(OPERATORS)}")


EXPRESSION = api.struct(
    {
        "key": always(api.text(names.qualified_name, empty=True)),
        "values": api.items(api.text(names.label_value)),
    },
    expression,
)

SELECTOR = api.struct(
    {
        "matchLabels": api.value(match_labels, accepts=dict, zero={}),
        "matchExpressions": api.items(EXPRESSION),
    },
)


def is_valid(selector: Any, scope: Scope) -> bool:
    """Whether the server can use the selector at all."""
    probe = Scope(scope.version)
    SELECTOR(selector, (), probe)
    return not probe.problems
