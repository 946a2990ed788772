"""PersistentVolumeClaims: their spec, in objects of their own and in templates.

Rules of pkg/apis/core/validation (ValidatePersistentVolumeClaimSpec, ValidatePersistentVolumeClaimTemplate).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vllm_kustomize.apiserver.core.resources import resource_name
from vllm_kustomize.apiserver.framework.combinators import Family, Fault, Scope, warning
from vllm_kustomize.apiserver.framework.metadata import ANNOTATIONS, LABELS
from vllm_kustomize.apiserver.framework.selectors import SELECTOR
from vllm_kustomize.kubernetes import names, quantity
from vllm_kustomize.kubernetes.fields import is_set, mapping, text
from vllm_kustomize.wording import quote

api = Family("storage")

ACCESS_MODES = ("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod")


def access_modes(value: Any, scope: Scope) -> Iterator[Fault]:
    """At least one mode, all known, and ReadWriteOncePod alone."""
    modes = value.get("accessModes")
    if not isinstance(modes, (list, type(None))):
        return
    if not modes:
        yield Fault(("accessModes",), "needs at least one access mode")
        return
    for mode in modes:
        if (mode or "") not in ACCESS_MODES and isinstance(mode, (str, type(None))):
            message = f"{quote(mode or '')} is not supported; use one of {', '.join(ACCESS_MODES)}"
            yield Fault(("accessModes",), message)
    if "ReadWriteOncePod" in modes and len(set(map(str, modes))) > 1:
        yield Fault(("accessModes",), "ReadWriteOncePod cannot be combined with other modes")


def storage_request(value: Any, scope: Scope) -> Iterator[Fault]:
    """A claim asks for storage, more than none, and no more than its limit."""
    resources = mapping(value, "resources")
    if is_set(value, "resources") and not isinstance(value["resources"], dict):
        return
    requests, limits = mapping(resources, "requests"), mapping(resources, "limits")
    if "storage" not in requests:
        if not is_set(resources, "requests") or isinstance(resources["requests"], dict):
            yield Fault(("resources", "storage"), "needs a request: resources.requests.storage")
        return
    if message := resource_name("storage"):
        yield Fault(("resources", "storage"), message)
    amount = quantity.of(requests["storage"])
    if amount is not None and amount <= 0:
        yield Fault(
            ("resources", "storage"), "must be greater than zero", at=("resources", "requests", "storage")
        )
    for field, amounts in (("requests", requests), ("limits", limits)):
        for name, given in amounts.items():
            path = ("resources", field, str(name))
            parsed = quantity.of(given)
            if parsed is None:
                if isinstance(given, str):
                    yield Fault(path, f"{quote(given)} {quantity.MALFORMED}")
            elif name == "storage" and not quantity.is_whole(parsed):
                yield warning(path, f"is {given}, a fraction of a byte; write whole bytes, or Mi and Gi")


PLAIN_SOURCES = {("", "PersistentVolumeClaim"), ("snapshot.storage.k8s.io", "VolumeSnapshot")}


def data_source(value: Any, scope: Scope) -> Iterator[Fault]:
    """What a new volume is filled from; the server drops a dataSource of any other kind."""
    source = value.get("dataSource")
    if isinstance(source, dict):
        if (text(source, "apiGroup"), text(source, "kind")) in PLAIN_SOURCES:
            if not source.get("name"):
                yield Fault(("dataSource", "name"), "is required")
        elif source:
            message = "is dropped by the server: only a claim or a snapshot can stand here; use dataSourceRef"
            yield warning(("dataSource",), message)
    reference = value.get("dataSourceRef")
    if isinstance(reference, dict):
        group, kind = text(reference, "apiGroup"), text(reference, "kind")
        for name in ("name", "kind"):
            if not reference.get(name):
                yield Fault(("dataSourceRef", name), "is required")
        if not group and kind != "PersistentVolumeClaim":
            yield Fault(("dataSourceRef",), "needs an apiGroup, unless its kind is PersistentVolumeClaim")
        if group and (message := names.dns_subdomain(group)):
            yield Fault(("dataSourceRef", "apiGroup"), message)
        if (namespace := text(reference, "namespace")) and (message := names.dns_label(namespace)):
            yield Fault(("dataSourceRef", "namespace"), message)
    yield from _sources_agree(value)


def _sources_agree(value: Any) -> Iterator[Fault]:
    source, reference = value.get("dataSource"), value.get("dataSourceRef")
    if not isinstance(source, dict) or not isinstance(reference, dict):
        return
    if reference.get("namespace"):
        yield Fault((), "dataSource may not be set beside dataSourceRef.namespace", at=("dataSource",))
    elif any(
        (source.get(name) or "") != (reference.get(name) or "") for name in ("apiGroup", "kind", "name")
    ):
        yield Fault((), "dataSource and dataSourceRef must be the same", at=("dataSourceRef",))


def source_of_claim(value: Any, scope: Scope) -> Iterator[Fault]:
    """A claim of its own loses a source in another namespace, whatever it says.

    DropDisabledFields of pkg/api/persistentvolumeclaim: the gate CrossNamespaceVolumeDataSource is off.
    """
    if isinstance(value.get("dataSourceRef"), dict) and text(value["dataSourceRef"], "namespace"):
        message = "is dropped by the server: a source in another namespace is behind a feature gate"
        yield warning(("dataSourceRef",), message)
        value = {**value, "dataSourceRef": None}
    yield from data_source(value, scope)


FIELDS = {
    "selector": SELECTOR,
    "storageClassName": api.text(names.dns_subdomain),
    "volumeMode": api.one_of("Block", "Filesystem", empty=True),
    "volumeAttributesClassName": api.text(names.dns_subdomain),
}
CLAIM_SPEC = api.struct(FIELDS, access_modes, storage_request, source_of_claim)


def kept_data_source(value: Any, scope: Scope) -> Iterator[Fault]:
    """In a template the server does not drop a dataSource that no claim may have."""
    source = value.get("dataSource")
    if not isinstance(source, dict) or text(source, "apiGroup"):
        return
    if text(source, "kind") != "PersistentVolumeClaim":
        yield Fault(("dataSource",), "needs an apiGroup, unless its kind is PersistentVolumeClaim")


TEMPLATE_CLAIM_SPEC = api.struct(FIELDS, access_modes, storage_request, data_source, kept_data_source)


def only_labels_and_annotations(value: Any, scope: Scope) -> Iterator[Fault]:
    """The claim of an ephemeral volume gets its name from the pod."""
    for field in value:
        if (
            field not in ("labels", "annotations")
            and is_set(value, field)
            and value[field] not in ("", [], {})
        ):
            yield Fault((str(field),), "may not be set for an ephemeral volume's claim")


CLAIM_TEMPLATE_META = api.struct({"labels": LABELS, "annotations": ANNOTATIONS}, only_labels_and_annotations)
