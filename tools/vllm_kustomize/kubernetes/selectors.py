"""Whether labels match a selector, whatever both look like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vllm_kustomize.kubernetes.fields import sequence, text


def is_empty(selector: Mapping[Any, Any]) -> bool:
    """Whether a selector selects everything."""
    return not selector.get("matchLabels") and not selector.get("matchExpressions")


def matches(selector: Mapping[Any, Any], labels: Mapping[Any, Any]) -> bool:
    """Whether labels satisfy every requirement of a valid selector."""
    wanted = selector.get("matchLabels")
    if isinstance(wanted, dict) and any(
        key not in labels or (labels[key] or "") != (value or "") for key, value in wanted.items()
    ):
        return False
    return all(
        _holds(requirement, labels)
        for requirement in sequence(selector, "matchExpressions")
        if isinstance(requirement, dict)
    )


def _holds(requirement: Mapping[Any, Any], labels: Mapping[Any, Any]) -> bool:
    key, operator = text(requirement, "key"), text(requirement, "operator")
    present = key in labels
    among = present and (labels[key] or "") in [value or "" for value in sequence(requirement, "values")]
    return {"In": among, "NotIn": not among, "Exists": present, "DoesNotExist": not present}.get(
        operator, True
    )


def fits(wanted: Mapping[Any, Any], labels: Mapping[Any, Any]) -> bool:
    """Whether labels have all those wanted, apart from labels that only a controller can add."""
    return all(labels.get(key) == value or is_set_by_a_controller(str(key)) for key, value in wanted.items())


def is_set_by_a_controller(label: str) -> bool:
    """Whether a controller adds a label of that name to its pods, such as a LeaderWorkerSet its own name.

    The Job controller has always set two without a domain.
    """
    domain = label.rpartition("/")[0]
    ours = domain.endswith(("k8s.io", "kubernetes.io", "ray.io")) and not domain.startswith("app.")
    return ours or label in ("job-name", "controller-uid")
