"""Where pods may run: tolerations, affinity, topology spread.

Rules of pkg/apis/core/validation (ValidateTolerations, validateAffinity, validateTopologySpreadConstraints).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from vllm_kustomize.apiserver.framework import deprecations
from vllm_kustomize.apiserver.framework.combinators import (
    Family,
    Fault,
    Rule,
    Scope,
    Struct,
    always,
    structs,
    warning,
)
from vllm_kustomize.apiserver.framework.metadata import LABELS
from vllm_kustomize.apiserver.framework.selectors import SELECTOR
from vllm_kustomize.kubernetes import names
from vllm_kustomize.kubernetes.fields import is_integer, is_set, mapping, sequence, text
from vllm_kustomize.wording import quote

api = Family("scheduling")
LABEL_KEY = api.text(names.qualified_name, empty=True)

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def toleration(value: Any, scope: Scope) -> Iterator[Fault]:
    """Operator, value and effect of a toleration fit each other."""
    operator, content = value.get("operator") or "", value.get("value") or ""
    if not isinstance(operator, str) or not isinstance(content, str):
        return
    if not value.get("key") and operator != "Exists":
        yield Fault(("operator",), "must be Exists where there is no key: that tolerates everything")
    if is_set(value, "tolerationSeconds") and text(value, "effect") != "NoExecute":
        yield Fault(("effect",), "must be NoExecute where tolerationSeconds is set")
    if operator in ("", "Equal"):
        if message := names.label_value(content):
            yield Fault(("operator",), f"value {message}", at=("value",))
    elif operator == "Exists":
        if content:
            yield Fault(("operator",), "Exists takes no value", at=("value",))
    elif operator not in ("Lt", "Gt") or scope.known:
        yield Fault(("operator",), f"{quote(operator)} is not supported; use Equal or Exists")


TOLERATION = api.struct(
    {"key": api.text(names.qualified_name), "effect": api.one_of(*EFFECTS)},
    toleration,
)

NODE_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")


def node_requirement(value: Any, scope: Scope) -> Iterator[Fault]:
    """The operator is known, and says how many values there are."""
    operator, count = value.get("operator") or "", len(sequence(value, "values"))
    if not isinstance(operator, str):
        return
    if operator in ("In", "NotIn"):
        if not count:
            yield Fault(("values",), f"must hold at least one value for operator {operator}")
    elif operator in ("Exists", "DoesNotExist"):
        if count:
            yield Fault(("values",), f"may not be set for operator {operator}")
    elif operator in ("Gt", "Lt"):
        if count != 1:
            yield Fault(("values",), f"must hold one value for operator {operator}")
    else:
        yield Fault(
            ("operator",), f"{quote(operator)} is not an operator; use one of {', '.join(NODE_OPERATORS)}"
        )


def node_field(value: Any, scope: Scope) -> Iterator[Fault]:
    """Fields of a node that can be selected: its name."""
    operator, key, values = value.get("operator") or "", value.get("key") or "", sequence(value, "values")
    if operator not in ("In", "NotIn"):
        yield Fault(("operator",), f"{quote(operator)} is not an operator for fields; use In or NotIn")
    elif len(values) != 1:
        yield Fault(("values",), f"must hold one value for operator {operator}")
    if key != "metadata.name":
        yield Fault(("key",), f"{quote(key)} is not a field that can be selected; metadata.name is")
        return
    for index, name in enumerate(values):
        if isinstance(name, str) and (message := names.dns_subdomain(name)):
            yield Fault(("values", index), message)


def node_values(value: Any, scope: Scope) -> Iterator[Fault]:
    """Values of a required term could be label values; checked since Kubernetes 1.32."""
    if not scope.stricter_since((1, 32)):
        return
    for index, item in enumerate(sequence(value, "values")):
        if isinstance(item, str) and (message := names.label_value(item)):
            yield Fault(("values", index), message)


def node_term(*rules: Rule) -> Struct:
    """A term of a node selector; `rules` are for its label expressions."""
    requirement = api.struct({"key": always(LABEL_KEY)}, node_requirement, *rules)
    return api.struct(
        {
            "matchExpressions": api.items(requirement),
            "matchFields": api.items(api.struct({}, node_field)),
        },
        deprecations.node_keys,
    )


def some_terms(value: Any, scope: Scope) -> Iterator[Fault]:
    """A node selector without terms selects nothing."""
    if not value.get("nodeSelectorTerms") and isinstance(value.get("nodeSelectorTerms"), (list, type(None))):
        yield Fault(("nodeSelectorTerms",), "must hold at least one term")


NODE_SELECTOR = api.struct({"nodeSelectorTerms": api.items(node_term(node_values))}, some_terms)
WEIGHT = always(api.number(1, 100))
NODE_AFFINITY = api.struct(
    {
        "requiredDuringSchedulingIgnoredDuringExecution": NODE_SELECTOR,
        "preferredDuringSchedulingIgnoredDuringExecution": api.items(
            api.struct({"weight": WEIGHT, "preference": node_term()})
        ),
    },
)


def matched_keys(value: Any, scope: Scope) -> Iterator[Fault]:
    """Keys whose values are taken from the pod: labels, on top of a selector that has them once at most."""
    yield from label_keys(value, "matchLabelKeys")
    yield from label_keys(value, "mismatchLabelKeys")
    yield from selected_twice(value)
    others = {key for key in sequence(value, "mismatchLabelKeys") if isinstance(key, str)}
    for index, key in enumerate(sequence(value, "matchLabelKeys")):
        if isinstance(key, str) and key in others:
            yield Fault(("matchLabelKeys", index), f"{quote(key)} is in mismatchLabelKeys too")


def label_keys(value: Any, field: str) -> Iterator[Fault]:
    """Keys of labels, beside a selector."""
    keys = sequence(value, field)
    if keys and value.get("labelSelector") is None:
        yield Fault((field,), "may only be set beside labelSelector")
        return
    for index, key in enumerate(keys):
        if isinstance(key, (str, type(None))) and (message := names.qualified_name(key or "")):
            yield Fault((field, index), message)


def selected_twice(value: Any) -> Iterator[Fault]:
    """The server adds matchLabelKeys to the selector, so a key that is there already may be there once."""
    positions = {
        key: index for index, key in enumerate(sequence(value, "matchLabelKeys")) if isinstance(key, str)
    }
    selector = mapping(value, "labelSelector")
    seen = set(mapping(selector, "matchLabels"))
    for _, expression in structs(selector, "matchExpressions"):
        key = text(expression, "key")
        if key in positions and key in seen:
            message = f"{quote(key)} is in labelSelector too"
            yield Fault((positions[key],), message, at=("matchLabelKeys", positions[key]))
        seen.add(key)


def namespaces(value: Any, scope: Scope) -> Iterator[Fault]:
    """Namespaces of a pod affinity term, reported as the server does."""
    for index, name in enumerate(sequence(value, "namespaces")):
        if isinstance(name, (str, type(None))) and (message := names.dns_label(name or "")):
            yield Fault(("namespace",), message, at=("namespaces", index))


def null_selector(value: Any, scope: Scope) -> Iterator[Fault]:
    """Without a selector a term matches no pod."""
    if value.get("labelSelector") is None:
        yield warning(("labelSelector",), "is not set, so this matches no pod")


POD_TERM = api.struct(
    {"topologyKey": always(LABEL_KEY), "labelSelector": SELECTOR, "namespaceSelector": SELECTOR},
    matched_keys,
    namespaces,
    null_selector,
)
POD_AFFINITY = api.struct(
    {
        "requiredDuringSchedulingIgnoredDuringExecution": api.items(POD_TERM),
        "preferredDuringSchedulingIgnoredDuringExecution": api.items(
            api.struct({"weight": WEIGHT, "podAffinityTerm": always(POD_TERM)})
        ),
    },
)
AFFINITY = api.struct(
    {"nodeAffinity": NODE_AFFINITY, "podAffinity": POD_AFFINITY, "podAntiAffinity": POD_AFFINITY}
)


def spread(value: Any, scope: Scope) -> Iterator[Fault]:
    """Numbers and keys of a topology spread constraint."""
    skew = value.get("maxSkew") or 0
    if is_integer(skew) and skew <= 0:
        yield Fault(("maxSkew",), "must be greater than 0")
    if not value.get("topologyKey") and isinstance(value.get("topologyKey"), (str, type(None))):
        yield Fault(("topologyKey",), "is required")
    if is_set(value, "minDomains") and is_integer(value["minDomains"]):
        if value["minDomains"] <= 0:
            yield Fault(("minDomains",), "must be greater than 0")
        if text(value, "whenUnsatisfiable") != "DoNotSchedule":
            yield Fault(("minDomains",), "may only be set where whenUnsatisfiable is DoNotSchedule")
    yield from label_keys(value, "matchLabelKeys")
    yield from selected_twice(value)


_INCLUSION = api.one_of("Honor", "Ignore", empty=True)
SPREAD = api.struct(
    {
        "whenUnsatisfiable": always(api.one_of("DoNotSchedule", "ScheduleAnyway", empty=True)),
        "labelSelector": SELECTOR,
        "nodeAffinityPolicy": _INCLUSION,
        "nodeTaintsPolicy": _INCLUSION,
    },
    spread,
    deprecations.spread_key,
    null_selector,
)


def distinct_spread(value: Sequence[Any], scope: Scope) -> Iterator[Fault]:
    """Each pair of topology key and consequence comes once."""
    pairs = [
        (text(item, "topologyKey"), text(item, "whenUnsatisfiable")) if isinstance(item, dict) else ("", "")
        for item in value
    ]
    last = {pair: index for index, pair in enumerate(pairs)}
    for index, pair in enumerate(pairs):
        if last[pair] != index and all(pair):
            message = f"{pair[0]} with {pair[1]} is there twice"
            yield Fault((index, "{topologyKey, whenUnsatisfiable}"), message, at=(index,))


def scheduling_gates(value: Sequence[Any], scope: Scope) -> Iterator[Fault]:
    """Gates are named, each once."""
    seen: set[str] = set()
    for index, gate in structs({"gates": value}, "gates"):
        name = gate.get("name") or ""
        if not isinstance(name, str):
            continue
        if message := names.qualified_name(name):
            yield Fault((index,), message)
        if name in seen:
            yield Fault((index,), f"{quote(name)} is there twice")
        seen.add(name)


POD_FIELDS = {
    "tolerations": api.items(TOLERATION),
    "affinity": AFFINITY,
    "topologySpreadConstraints": api.items(SPREAD, distinct_spread),
    "nodeSelector": LABELS,
    "nodeName": api.text(names.dns_subdomain),
    "priorityClassName": api.text(names.dns_subdomain),
    "preemptionPolicy": api.one_of("PreemptLowerPriority", "Never", empty=True),
    "schedulingGates": api.items(None, scheduling_gates),
}
