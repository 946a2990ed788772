"""Label selectors: whether they are valid, and what they match."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from vllm_kustomize.apiserver.framework.combinators import Scope
from vllm_kustomize.apiserver.framework.selectors import SELECTOR, is_valid
from vllm_kustomize.kubernetes.selectors import matches

KEYS, VALUES = st.sampled_from("abc"), st.sampled_from(["", "x", "y", "z"])
LABELS = st.dictionaries(KEYS, VALUES)
EXPRESSIONS = st.lists(
    st.one_of(
        st.builds(
            lambda key, operator, values: {"key": key, "operator": operator, "values": values},
            KEYS,
            st.sampled_from(["In", "NotIn"]),
            st.lists(VALUES, min_size=1),
        ),
        st.builds(
            lambda key, operator: {"key": key, "operator": operator},
            KEYS,
            st.sampled_from(["Exists", "DoesNotExist"]),
        ),
    ),
    max_size=3,
)  # fmt: skip
SELECTORS = st.builds(
    lambda labels, terms: {"matchLabels": labels, "matchExpressions": terms}, LABELS, EXPRESSIONS
)


def holds(term: dict[str, Any], labels: dict[str, str]) -> bool:
    present: bool
    present, value = term["key"] in labels, labels.get(term["key"])
    match term["operator"]:
        case "In":
            return present and value in term["values"]
        case "NotIn":
            return not present or value not in term["values"]
        case "Exists":
            return present
        case _:
            return not present


@given(SELECTORS, LABELS)
def test_matches_where_every_requirement_holds(selector: Any, labels: Any) -> None:
    expected = all(labels.get(key) == value for key, value in selector["matchLabels"].items()) and all(
        holds(term, labels) for term in selector["matchExpressions"]
    )
    assert matches(selector, labels) is expected
    assert is_valid(selector, Scope((1, 36)))


@given(LABELS)
def test_labels_match_themselves(labels: Any) -> None:
    assert matches({"matchLabels": labels}, labels)
    assert matches({}, labels)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_whatever_stands_there_is_answered(value: object) -> None:  # fmt: skip
    scope = Scope((1, 36))
    selector = {
        "matchLabels": value,
        "matchExpressions": [value, {"key": value, "operator": value, "values": value}],
    }
    SELECTOR(selector, ("spec", "selector"), scope)
    assert all(problem.path[:2] == ("spec", "selector") for problem in scope.problems)
