"""Which objects a patch's `target` selects, as Kustomize decides it.

Source: api/resmap/reswrangler.go (Select) and api/types/selector.go of kubernetes-sigs/kustomize.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import partial

from vllm_kustomize.kubernetes import regex
from vllm_kustomize.kustomize.replay.objects import Source
from vllm_kustomize.kustomize.yaml.nodes import Node
from vllm_kustomize.wording import quote

_TERM = re.compile(
    r"\s*(?:(?P<not>!)\s*(?P<absent>[^\s,!=()<>]+)"
    r"|(?P<key>[^\s,!=()<>]+)\s*(?:(?P<op>==|=|!=)\s*(?P<value>[^\s,()]*)"
    r"|\s(?P<set>in|notin)\s*\((?P<values>[^)]*)\))?)\s*(?:,|\Z)"
)


class SelectorError(Exception):
    """A selector that cannot be read: the engine refuses it, or takes what cannot be matched here."""

    def __init__(self, selector: str, kind: str = "regular expression of Go's (RE2)") -> None:
        super().__init__(f"{quote(selector)} is not a {kind}")


def select(target: Node, objects: Iterable[Source]) -> list[Source]:
    """Return the objects that a `target` selects: all its fields are anchored regular expressions.

    Raises SelectorError where one of them, or a selector of labels or annotations, cannot be read.
    """
    group, version, kind, name, namespace = (
        partial(_any, target.text(field)) for field in ("group", "version", "kind", "name", "namespace")
    )
    labels, annotations = target.text("labelSelector"), target.text("annotationSelector")
    found = []
    for candidate in objects:
        now, first = candidate.id, candidate.original
        if (
            namespace(first.effective_namespace, now.effective_namespace)
            and name(first.name, now.name)
            and group(now.group)
            and version(now.version)
            and kind(now.kind)
            and (not labels or matches(labels, _strings(candidate.root, "labels")))
            and (not annotations or matches(annotations, _strings(candidate.root, "annotations")))
        ):
            found.append(candidate)
    return found


def matches(selector: str, labels: Mapping[str, str]) -> bool:
    """Tell whether labels satisfy a label selector such as `app=vllm,tier in (a, b),!canary`.

    Raises SelectorError where the selector cannot be read.
    """
    position = 0
    selector = " ".join(selector.split())  # several blanks in a row could be matched in many ways
    while position < len(selector):
        term = _TERM.match(selector, position)
        if term is None:
            raise SelectorError(selector, "label selector")
        if not _holds(term, labels):
            return False
        position = term.end()
    return True


def _holds(term: re.Match[str], labels: Mapping[str, str]) -> bool:
    if term["absent"]:
        return term["absent"] not in labels
    value = labels.get(term["key"])
    if term["set"]:
        listed = value in [item.strip() for item in term["values"].split(",")]
        return listed if term["set"] == "in" else not listed
    if term["op"] == "!=":
        return value != term["value"]
    if term["op"]:
        return value == term["value"]
    return value is not None


def _any(pattern: str, *values: str) -> bool:
    """Whether a pattern, unless it is empty, fits one of the values as a whole."""
    try:
        return not pattern or any(regex.matches(f"^(?:{pattern})$", value) for value in values)
    except regex.UnknownSyntax:
        raise SelectorError(pattern) from None


def _strings(root: Node, field: str) -> Mapping[str, str]:
    metadata = root.get("metadata")
    found = metadata.get(field) if metadata is not None else None
    if found is None or not isinstance(found.value, dict):
        return {}
    return {name: str(node.value) for name, node in found.value.items()}
