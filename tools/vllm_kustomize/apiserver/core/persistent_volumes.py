"""PersistentVolumeClaims and PersistentVolumes.

Rules of pkg/apis/core/validation (ValidatePersistentVolumeSpec).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from vllm_kustomize.apiserver.core.claims import ACCESS_MODES, CLAIM_SPEC
from vllm_kustomize.apiserver.core.scheduling import NODE_SELECTOR
from vllm_kustomize.apiserver.core.storage_sources import SHARED_SOURCES, csi_driver
from vllm_kustomize.apiserver.core.volumes import HOST_PATH, MORE_THAN_ONE
from vllm_kustomize.apiserver.framework import deprecations
from vllm_kustomize.apiserver.framework.combinators import (
    AllOf,
    Check,
    Family,
    Fault,
    Scope,
    Struct,
    always,
    required,
    warning,
)
from vllm_kustomize.apiserver.framework.metadata import object_meta
from vllm_kustomize.kubernetes import names, quantity
from vllm_kustomize.kubernetes.fields import is_set, mapping, sequence, text
from vllm_kustomize.wording import quote

api = Family("storage")
API_VERSION = "v1"
TEXT = api.text()


def capacity(value: Any, scope: Scope) -> Iterator[Fault]:
    """A volume has storage, and nothing else."""
    found = value.get("capacity")
    if not isinstance(found, (dict, type(None))):
        return
    if not found:
        yield Fault(("capacity",), "is required")
    elif "storage" not in found or len(found) > 1:
        yield Fault(("capacity",), "holds storage, and nothing else")
    for name, given in (found or {}).items():
        path = ("capacity", str(name))
        amount = quantity.of(given)
        if amount is None:
            if isinstance(given, str):
                yield Fault(path, f"{quote(given)} {quantity.MALFORMED}")
        elif amount <= 0:
            yield Fault(path, "must be greater than zero")


def modes(value: Any, scope: Scope) -> Iterator[Fault]:
    """At least one access mode, all known."""
    found = value.get("accessModes")
    if not found and isinstance(found, (list, type(None))):
        yield Fault(("accessModes",), "needs at least one access mode")
        return
    for mode in sequence(value, "accessModes"):
        if isinstance(mode, (str, type(None))) and mode not in ACCESS_MODES:
            shown = ", ".join(ACCESS_MODES)
            yield Fault(("accessModes",), f"{quote(mode or '')} is not supported; use one of {shown}")
    if "ReadWriteOncePod" in sequence(value, "accessModes") and len(set(map(str, found))) > 1:
        yield Fault(("accessModes",), "ReadWriteOncePod cannot be combined with other modes")


SECRETS = (
    "controllerPublishSecretRef",
    "controllerExpandSecretRef",
    "nodePublishSecretRef",
    "nodeExpandSecretRef",
)
SECRET_REFERENCE = api.struct(
    {
        "name": required(api.text(names.dns_subdomain)),
        "namespace": required(api.text(names.dns_label)),
    },
)


def with_namespace(name: str) -> Check:
    """A source of pods whose Secret, in a volume of the whole cluster, has a namespace."""

    def rule(value: Any, scope: Scope) -> Iterator[Fault]:
        reference = value.get("secretRef")
        if isinstance(reference, dict):
            for field in ("name", "namespace"):
                if not reference.get(field):
                    yield Fault(("secretRef", field), "is required")

    return AllOf(SHARED_SOURCES[name], api.struct({}, rule))


def named_secret(value: Any, scope: Scope) -> Iterator[Fault]:
    """A Secret that is referred to has a name."""
    if is_set(value, "secretRef") and not mapping(value, "secretRef").get("name"):
        yield Fault(("secretRef", "name"), "is required")


def endpoints_namespace(value: Any, scope: Scope) -> Iterator[Fault]:
    """Where the Endpoints of a GlusterFS volume are."""
    namespace = value.get("endpointsNamespace")
    if isinstance(namespace, str) and (message := names.dns_label(namespace)):
        yield Fault(("endpointsNamespace",), message)


def secret_namespace(value: Any, scope: Scope) -> Iterator[Fault]:
    """Where the Secret of an Azure file share is."""
    if value.get("secretNamespace") == "":
        yield Fault(("secretNamespace",), "may not be empty")


SOURCES: Mapping[str, Check] = {
    **SHARED_SOURCES,
    "iscsi": AllOf(SHARED_SOURCES["iscsi"], api.struct({}, named_secret)),
    "cinder": with_namespace("cinder"),
    "storageos": with_namespace("storageos"),
    "glusterfs": AllOf(SHARED_SOURCES["glusterfs"], api.struct({}, endpoints_namespace)),
    "azureFile": AllOf(SHARED_SOURCES["azureFile"], api.struct({}, secret_namespace)),
    "hostPath": HOST_PATH,
    "local": api.struct({"path": required(api.text(names.no_backsteps))}),
    "csi": api.struct(
        {
            "driver": required(api.text(csi_driver)),
            "volumeHandle": required(TEXT),
            **dict.fromkeys(SECRETS, SECRET_REFERENCE),
        },
    ),
}


def one_source(value: Any, scope: Scope) -> Iterator[Fault]:
    """A volume is one thing, and a local one says on which node."""
    found = [name for name in SOURCES if is_set(value, name)]
    if not found:
        yield Fault((), "needs a source such as nfs, csi or hostPath")
    for extra in found[1:]:
        path, message = (MORE_THAN_ONE.get(extra, extra),), f"a volume has one source, and {found[0]} is set"
        # ValidatePersistentVolumeSpec forgets to refuse this one.
        yield warning(path, message) if extra == "flexVolume" else Fault(path, message)
    affinity = value.get("nodeAffinity")
    if "local" in found and affinity is None:
        yield Fault(("nodeAffinity",), "is required for a local volume")
    if isinstance(affinity, dict) and affinity.get("required") is None:
        yield Fault(("nodeAffinity", "required"), "is required")
    if (
        posixpath.normpath(text(mapping(value, "hostPath"), "path")) in ("/", "//")
        and text(value, "persistentVolumeReclaimPolicy") == "Recycle"
    ):
        yield Fault(("persistentVolumeReclaimPolicy",), "may not be Recycle for the path /")
    if is_set(value, "volumeAttributesClassName"):
        if not is_set(value, "csi"):
            yield Fault(("csi",), "is required beside volumeAttributesClassName")
        if value["volumeAttributesClassName"] == "":
            yield Fault(("volumeAttributesClassName",), "may not be empty")


VOLUME = api.struct(
    {
        **SOURCES,
        "storageClassName": api.text(names.dns_subdomain),
        "persistentVolumeReclaimPolicy": api.one_of("Delete", "Recycle", "Retain"),
        "volumeMode": api.one_of("Block", "Filesystem", empty=True),
        "nodeAffinity": api.struct({"required": NODE_SELECTOR}),
        "volumeAttributesClassName": api.text(names.dns_subdomain),
    },
    capacity,
    modes,
    one_source,
    deprecations.volume_sources,
    deprecations.reclaim_policy,
)


KINDS: Mapping[str, Struct] = {
    "PersistentVolumeClaim": api.struct(
        {"metadata": always(object_meta(counted=False)), "spec": always(CLAIM_SPEC)}
    ),
    "PersistentVolume": api.struct(
        {"metadata": always(object_meta(namespaced=False, counted=False)), "spec": always(VOLUME)}
    ),
}
