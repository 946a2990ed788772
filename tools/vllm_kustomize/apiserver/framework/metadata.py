"""Object metadata: names, namespaces, labels, annotations, owners and finalizers.

Rules of k8s.io/apimachinery/pkg/api/validation (ValidateObjectMeta), which the server runs for every kind,
custom resources included, and each kind's own rule for its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from vllm_kustomize.apiserver.framework.combinators import (
    Family,
    Fault,
    Rule,
    Scope,
    Struct,
    TextRule,
    always,
    structs,
    warning,
)
from vllm_kustomize.kubernetes import names
from vllm_kustomize.kubernetes.fields import text
from vllm_kustomize.model import FieldPath
from vllm_kustomize.wording import quote

api = Family("metadata")
ANNOTATIONS_LIMIT = 256 * 1024

_TIMESTAMP = re.compile(
    r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T"
    r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.,][0-9]+)?(Z|[+-]([01][0-9]|2[0-4]):[0-5][0-9])",
    re.ASCII,
)


def timestamp(value: str) -> str:
    """A time as RFC 3339 writes it."""
    return "" if _TIMESTAMP.fullmatch(value) else f"{quote(value)} is not a time such as 2026-01-31T12:00:00Z"


TIMESTAMP = api.text(timestamp, empty=True)


def labels(value: Any, scope: Scope) -> Iterator[Fault]:
    """Keys are qualified names; values are short and plain."""
    for key, item in value.items():
        if message := names.qualified_name(str(key)):
            yield Fault((), f"label key {message}", at=(str(key),))
        if isinstance(item, str) and (message := names.label_value(item)):
            yield Fault((), f"label {key}: {message}", at=(str(key),))


def annotation_map(value: Any, scope: Scope) -> Iterator[Fault]:
    """Keys are qualified names in any case; all together have a size limit."""
    size = 0
    for key, item in value.items():
        if message := names.qualified_name(str(key).lower()):
            yield Fault((), f"annotation key {message}", at=(str(key),))
        if isinstance(item, str):
            size += byte_length(str(key)) + byte_length(item)
    if size > ANNOTATIONS_LIMIT:
        yield Fault((), f"have {size} bytes in all, but may have at most {ANNOTATIONS_LIMIT}")


def byte_length(value: str) -> int:
    """The length of a text as the server counts it."""
    return len(value) if value.isascii() else len(value.encode("utf-8", "surrogatepass"))


LABELS = api.value(labels, accepts=dict, zero={})
ANNOTATIONS = api.value(annotation_map, accepts=dict, zero={})


def owners(value: Any, scope: Scope) -> Iterator[Fault]:
    """An owner is named in full, and one of them at most is the controller."""
    controllers = 0
    seen: list[Mapping[Any, Any]] = []
    for index, owner in structs({"owners": value}, "owners"):
        if owner in seen:
            yield warning((index,), "is there twice, and dropped by the server")
            continue
        seen.append(owner)
        version = text(owner, "apiVersion")
        if not version or version.endswith("/") or version.count("/") > 1:
            yield Fault(("apiVersion",), "an owner needs an apiVersion such as apps/v1")
        for field in ("kind", "name", "uid"):
            if not text(owner, field):
                yield Fault((field,), f"an owner needs its {field}")
        if version == "v1" and text(owner, "kind") == "Event":
            yield Fault((), "an Event cannot own objects")
        controllers += owner.get("controller") is True
    if controllers > 1:
        yield Fault((), f"{controllers} owners have controller: true, but one at most may have it")


def finalizers(value: Any, scope: Scope) -> Iterator[Fault]:
    """A finalizer is a qualified name, and waits either for dependents or orphans them."""
    for item in value:
        if isinstance(item, str) and (message := names.qualified_name(item)):
            yield Fault((), f"finalizer {message}")
    if "orphan" in value and "foregroundDeletion" in value:
        yield Fault((), "may not hold both orphan and foregroundDeletion")


STANDARD_FINALIZERS = ("kubernetes", "orphan", "foregroundDeletion")


def core_finalizers(value: Any, scope: Scope) -> Iterator[Fault]:
    """Core kinds want a finalizer that is standard or has a domain."""
    for index, item in enumerate(value):
        if isinstance(item, str) and "/" not in item and item not in STANDARD_FINALIZERS:
            yield Fault(
                (index,),
                f"{quote(item)} is not a standard finalizer; give it a domain, as in example.com/{item[:40]}",
            )


def _identity(name_rule: TextRule, *, optional: bool) -> Rule:
    def rule(value: Any, scope: Scope) -> Iterator[Fault]:
        name, prefix = value.get("name"), value.get("generateName")
        if not optional and not name and not prefix and not (_is_other(name) or _is_other(prefix)):
            yield Fault(("name",), "name or generateName is required")
        if isinstance(name, str) and name and (message := name_rule(name)):
            yield Fault(("name",), message)
        if isinstance(prefix, str) and prefix and (message := as_prefix(name_rule)(prefix)):
            yield Fault(("generateName",), message)

    return rule


def _is_other(value: object) -> bool:
    return value is not None and not isinstance(value, str)


def as_prefix(rule: TextRule) -> TextRule:
    """A rule for a text that something will be appended to: one trailing '-' is fine."""

    def check(value: str) -> str:
        return rule(value[:-2] + "a" if len(value) > 1 and value.endswith("-") else value)

    return check


def object_meta(
    name: TextRule = names.dns_subdomain,
    *rules: Rule,
    namespaced: bool = True,
    custom: bool = False,
    generated: bool = False,
    counted: bool = True,
) -> Struct:
    """The metadata of a kind whose names follow `name`; `rules` are the kind's own.

    `custom` is for kinds that Kubernetes does not define: their finalizers need no domain. `generated` is
    for a kind that the server names if it has no name; `counted` for one whose generation it sets itself.
    """
    fields = {
        "labels": LABELS,
        "annotations": ANNOTATIONS,
        "finalizers": api.items(None, finalizers, *(() if custom else (core_finalizers,))),
        "ownerReferences": api.value(owners, accepts=list, zero=()),
        "creationTimestamp": TIMESTAMP,
        "deletionTimestamp": TIMESTAMP,
        "generation": api.number(None if counted else 0),
    }
    if namespaced:
        fields["namespace"] = api.text(names.dns_label)
    return api.struct(fields, _identity(name, optional=generated), *rules)


def dotted_name(value: Any, scope: Scope) -> Iterator[Fault]:
    """A name that goes into hostnames; the server warns of one that is not a DNS label."""
    name = text(value, "name")
    if name and not names.dns_subdomain(name) and (message := names.dns_label(name)):
        yield warning(
            ("name",), f"is used in pod names and hostnames, where a DNS label is better: {message}"
        )


TEMPLATE_META = api.struct({"creationTimestamp": TIMESTAMP, "deletionTimestamp": TIMESTAMP})
"""Metadata in a template: what the decoder rejects; the rest is each template's own to check."""


def template_labels(value: Any, scope: Scope) -> Iterator[Fault]:
    """Labels and annotations of a pod template, at the paths under which the server reports them."""
    metadata = value.get("metadata")
    if not isinstance(metadata, dict):
        return
    for field, rule in (("labels", labels), ("annotations", annotation_map)):
        found = metadata.get(field)
        if isinstance(found, dict):
            for fault in rule(found, scope):
                yield Fault((field,), fault.message, at=("metadata", field, *fault.at))


def prefixed(base: FieldPath, faults: Iterator[Fault]) -> Iterator[Fault]:
    """Faults found in a field, seen from the object that holds it."""
    for fault in faults:
        yield fault._replace(path=(*base, *fault.path), at=(*base, *fault.at) if fault.at else ())


ANY_KIND = api.struct({"metadata": always(object_meta(custom=True))})
"""The check of a kind that has none of its own."""
