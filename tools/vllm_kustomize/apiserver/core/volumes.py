"""Volumes of pods and what they come from.

Rules of pkg/apis/core/validation (ValidateVolumes, validateVolumeSource and the functions for each source). A
volume without a source is not an error: the server makes it an emptyDir.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from vllm_kustomize.apiserver.core import certificates
from vllm_kustomize.apiserver.core.claims import CLAIM_SPEC, CLAIM_TEMPLATE_META
from vllm_kustomize.apiserver.core.env import VOLUME_FIELDS, field_ref, resource_ref
from vllm_kustomize.apiserver.core.storage_sources import SHARED_SOURCES, file_mode
from vllm_kustomize.apiserver.framework import deprecations
from vllm_kustomize.apiserver.framework.combinators import (
    AllOf,
    Check,
    Family,
    Fault,
    Scope,
    always,
    required,
    structs,
    warning,
)
from vllm_kustomize.apiserver.framework.quantity import QUANTITY
from vllm_kustomize.kubernetes import names, quantity
from vllm_kustomize.kubernetes.fields import flag, is_set, mapping, number, text
from vllm_kustomize.model import FieldPath
from vllm_kustomize.wording import join, quote

api = Family("volumes")

DNS_LABEL = api.text(names.dns_label)
TEXT = api.text()
MODE = api.value(file_mode, accepts=(int, float), zero=0)

KEY_TO_PATH = api.struct(
    {"key": required(TEXT), "path": required(api.text(names.file_below_volume)), "mode": MODE},
)
KEY_ITEMS = api.items(KEY_TO_PATH)


def size_limit(value: Any, scope: Scope) -> Iterator[Fault]:
    """An emptyDir's size is not negative, and its medium one that the kubelet knows.

    The server takes any medium, and the kubelet then fails the pod: "unknown storage medium".
    """
    limit = quantity.of(value.get("sizeLimit"))
    if limit is not None and limit < 0:
        yield Fault(("sizeLimit",), f"is {value['sizeLimit']}, but may not be negative")
    medium = text(value, "medium")
    if medium and medium not in ("Memory", "HugePages") and not _page_medium(medium):
        message = f'the server accepts "{medium[:60]}", but no node can mount it; use Memory, or leave it out'
        yield warning(("medium",), message)


def _page_medium(medium: str) -> bool:
    size = medium.removeprefix("HugePages-")
    return size != medium and quantity.of(size) is not None


def projected_file(item: Any) -> Iterator[Fault]:
    """A file of the downward API: a path, and one source."""
    path = item.get("path") or ""
    if isinstance(path, str):
        if not path:
            yield Fault(("path",), "is required")
        elif message := names.file_below_volume(path):
            yield Fault(("path",), message)
    field, resource = is_set(item, "fieldRef"), is_set(item, "resourceFieldRef")
    if field and resource:
        yield Fault((), "an item may not have both fieldRef and resourceFieldRef")
    elif not field and not resource:
        yield Fault((), "an item needs fieldRef or resourceFieldRef")


_FIELD = field_ref(VOLUME_FIELDS)
_RESOURCE = resource_ref(volume=True)


class DownwardFiles(Check):
    """Files of a downward API source, reported where the server does: at the source, without an index."""

    accepts = dict
    zero = MappingProxyType({})
    parts = (_FIELD, _RESOURCE, MODE)

    def __call__(self, value: Any, path: Any, scope: Scope) -> None:
        """Check each item."""
        default_mode = value.get("defaultMode")
        if default_mode is not None and isinstance(default_mode, MODE.accepts):
            MODE(default_mode, (*path, "defaultMode"), scope)
        for index, item in structs(value, "items"):
            at = ("items", index)
            for fault in projected_file(item):
                scope.report(api.name, path, fault._replace(at=(*at, *fault.path)))
            for name, check in (("fieldRef", _FIELD), ("resourceFieldRef", _RESOURCE)):
                if isinstance(item.get(name), dict):
                    check(item[name], (*path, name), scope)
            if isinstance(item.get("mode"), (int, float)):
                MODE(item["mode"], (*path, "mode"), scope)


def token_lifetime(value: Any, scope: Scope) -> Iterator[Fault]:
    """A service account token lives ten minutes or more, and has a file."""
    if is_set(value, "expirationSeconds"):
        seconds = number(value, "expirationSeconds", default=3600)
        if seconds < 600:
            yield Fault(("expirationSeconds",), f"is {seconds}, but must be at least 600 (ten minutes)")
        elif seconds > 2**32:
            yield Fault(("expirationSeconds",), f"is {seconds}, but must be at most 4294967296")


PROJECTIONS: Mapping[str, Check] = {
    "secret": api.struct({"name": required(TEXT), "items": KEY_ITEMS}),
    "configMap": api.struct({"name": required(TEXT), "items": KEY_ITEMS}),
    "downwardAPI": DownwardFiles(),
    "serviceAccountToken": api.struct({}, token_lifetime),
    "clusterTrustBundle": certificates.TRUST_BUNDLE,
    "podCertificate": certificates.POD_CERTIFICATE,
}


def one_projection(value: Any, scope: Scope) -> Iterator[Fault]:
    """A projected source is one thing."""
    gated = () if scope.stricter_since(certificates.SINCE) else ("clusterTrustBundle", "podCertificate")
    found = [name for name in PROJECTIONS if is_set(value, name) and name not in gated]
    if len(found) > 1:
        yield Fault((), f"a source holds one projection, and this has {join(found)}")


def distinct_paths(value: Any, scope: Scope) -> Iterator[Fault]:
    """No two projected files are the same one; a token's file is reported at the volume itself."""
    seen: dict[str, Any] = {}
    for index, source in structs(value, "sources"):
        token = source.get("serviceAccountToken")
        if isinstance(token, dict) and isinstance(token.get("path") or "", str):
            path = token.get("path") or ""
            message = names.file_below_volume(path) if path else "is required for a service account token"
            if message:
                yield Fault(("path",), message, at=("sources", index, "serviceAccountToken", "path"))
        for path in _projected_paths(source):
            if path in seen:
                yield Fault((), f'two sources write "{path[:60]}"', at=("sources", index))
            seen[path] = index


def _projected_paths(source: Mapping[Any, Any]) -> Iterator[str]:
    for name in ("secret", "configMap", "downwardAPI"):
        for _, item in structs(mapping(source, name), "items"):
            if path := text(item, "path"):
                yield path


HOST_PATH_TYPES = (
    "",
    "DirectoryOrCreate",
    "Directory",
    "FileOrCreate",
    "File",
    "Socket",
    "CharDevice",
    "BlockDevice",
)


HOST_PATH = api.struct(
    {
        "path": required(api.text(names.no_backsteps)),
        "type": api.one_of(*HOST_PATH_TYPES, empty=True),
    },
)
CLAIM_TEMPLATE = api.struct({"metadata": CLAIM_TEMPLATE_META, "spec": always(CLAIM_SPEC)})
IMAGES_SINCE = (1, 35)
"""Before, the server drops the field (feature gate ImageVolume)."""
SOURCES: Mapping[str, Check] = {
    "emptyDir": api.struct({"sizeLimit": QUANTITY}, size_limit),
    "gitRepo": api.struct({"repository": required(TEXT), "directory": api.text(names.relative_path)}),
    "secret": api.struct({"secretName": required(TEXT), "defaultMode": MODE, "items": KEY_ITEMS}),
    "persistentVolumeClaim": api.struct({"claimName": required(TEXT)}),
    "downwardAPI": DownwardFiles(),
    "configMap": api.struct({"name": required(TEXT), "defaultMode": MODE, "items": KEY_ITEMS}),
    "projected": api.struct(
        {"defaultMode": MODE, "sources": api.items(api.struct(PROJECTIONS, one_projection))},
        distinct_paths,
    ),
    "ephemeral": api.struct({"volumeClaimTemplate": required(CLAIM_TEMPLATE)}),
    "image": api.struct(
        {"reference": required(TEXT), "pullPolicy": api.one_of("Always", "Never", "IfNotPresent")},
    ),
    **SHARED_SOURCES,
    "hostPath": HOST_PATH,
}
MORE_THAN_ONE = {"cephfs": "cephFS", "downwardAPI": "downwarAPI"}
"""Fields that the server spells differently where a volume has a second source."""

PRECEDENCE = (
    "emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs",
    "iscsi", "glusterfs", "flocker", "persistentVolumeClaim", "rbd", "cinder", "cephfs", "quobyte",
    "downwardAPI", "fc", "flexVolume", "configMap", "azureFile", "vsphereVolume", "photonPersistentDisk",
    "portworxVolume", "azureDisk", "storageos", "projected", "scaleIO", "csi", "ephemeral", "image",
)  # fmt: skip
"""Of two sources the server reports the later one in this order."""


def one_source(value: Any, scope: Scope) -> Iterator[Fault]:
    """A volume has one source; without any the server silently makes it an emptyDir."""
    found = [name for name in value if name in SOURCES and value[name] is not None]
    if len(found) > 1:
        found.sort(key=PRECEDENCE.index)
    for extra in found[1:]:
        yield Fault((MORE_THAN_ONE.get(extra, extra),), f"a volume has one source, and {found[0]} is set too")
    if not found and text(value, "name"):
        message = (
            "has no source, so the server makes it an emptyDir: what is written there is lost with the pod"
        )
        yield warning((), message)
    for index, source in structs(mapping(value, "projected"), "sources"):
        if not any(is_set(source, name) for name in PROJECTIONS):
            yield warning(("projected", "sources", index), "provides nothing")


def too_early(value: Any, scope: Scope) -> Iterator[Fault]:
    """What becomes of an image volume before its feature gate is on by default."""
    yield warning(("image",), "is dropped before Kubernetes 1.35, with the volume and all its mounts")


class Volume(AllOf):
    """A volume; one of an image may hold anything while the server drops it (dropImageVolumes)."""

    def __call__(self, value: Any, path: FieldPath, scope: Scope) -> None:
        """Run the checks of a volume that the server keeps."""
        if is_set(value, "image") and not scope.stricter_since(IMAGES_SINCE):
            DROPPED(value, path, scope)
        else:
            super().__call__(value, path, scope)


DROPPED = api.struct({}, too_early)
VOLUME = Volume(api.struct({"name": required(DNS_LABEL), **SOURCES}, one_source, deprecations.volume_sources))
VOLUMES = api.items(VOLUME, unique="name")


PROPAGATIONS = ("None", "HostToContainer", "Bidirectional")
RECURSIONS = ("Disabled", "Enabled", "IfPossible")


def exclusive_subpaths(value: Any, scope: Scope) -> Iterator[Fault]:
    """A mount has one kind of path below its volume."""
    if text(value, "subPath") and text(value, "subPathExpr"):
        yield Fault(("subPathExpr",), "subPath and subPathExpr exclude each other")


def mount_options(mount: Mapping[Any, Any], privileged: bool) -> Iterator[Fault]:
    """Paths below the volume and propagation, which the server reports without the mount's index."""
    for field in ("subPath", "subPathExpr"):
        if (path := text(mount, field)) and (message := names.relative_path(path)):
            yield Fault((field,), message)
    propagation, recursion = mount.get("mountPropagation"), mount.get("recursiveReadOnly")
    if isinstance(propagation, str):
        if propagation not in PROPAGATIONS:
            shown = ", ".join(PROPAGATIONS)
            yield Fault(("mountPropagation",), f"{quote(propagation)} is not supported; use one of {shown}")
        elif propagation == "Bidirectional" and not privileged:
            yield Fault(("mountPropagation",), "Bidirectional needs a privileged container")
    if recursion in ("Enabled", "IfPossible"):
        if not flag(mount, "readOnly"):
            yield Fault(("recursiveReadOnly",), f"{recursion} needs readOnly: true")
        if propagation not in (None, "None"):
            yield Fault(("recursiveReadOnly",), f"{recursion} needs mountPropagation: None")
    elif isinstance(recursion, str) and recursion != "Disabled":
        shown = ", ".join(RECURSIONS)
        yield Fault(("recursiveReadOnly",), f"{quote(recursion)} is not supported; use one of {shown}")


MOUNT = api.struct(
    {
        "name": required(TEXT),
        "mountPath": required(TEXT),
    },
    exclusive_subpaths,
)


DEVICE = api.struct({"name": required(TEXT), "devicePath": required(api.text(names.no_backsteps))})


def mounts(container: Any, volumes: Mapping[str, Mapping[Any, Any]]) -> Iterator[Fault]:
    """Mounts and devices of a container name volumes of the pod, and share neither paths nor volumes."""
    devices = [device for _, device in structs(container, "volumeDevices")]
    device_names = {text(device, "name") for device in devices} - {""}
    device_paths = {text(device, "devicePath") for device in devices} - {""}
    seen: set[str] = set()
    privileged = mapping(container, "securityContext").get("privileged") is True
    for index, mount in structs(container, "volumeMounts"):
        base = ("volumeMounts", index)
        name, path = text(mount, "name"), text(mount, "mountPath")
        if name and name not in volumes:
            yield Fault((*base, "name"), f'the pod has no volume "{name[:60]}"')
        if path in seen:
            yield Fault((*base, "mountPath"), f'"{path[:60]}" is mounted twice')
        seen.add(path or "\0")
        if name in device_names:
            yield Fault((*base, "name"), f'volume "{name}" is in volumeDevices too')
        if path in device_paths:
            yield Fault((*base, "mountPath"), f'"{path}" is the path of a device too')
        for fault in mount_options(mount, privileged):
            yield fault._replace(path=("volumeMounts", *fault.path), at=(*base, *fault.path))
    yield from _devices(devices, volumes)


def _devices(devices: list[Mapping[Any, Any]], volumes: Mapping[str, Mapping[Any, Any]]) -> Iterator[Fault]:
    seen_names: set[str] = set()
    seen_paths: set[str] = set()
    for index, device in enumerate(devices):
        base = ("volumeDevices", index)
        name, path = text(device, "name"), text(device, "devicePath")
        if name and name not in volumes:
            yield Fault((*base, "name"), f'the pod has no volume "{name[:60]}"')
        elif (
            name
            and not is_set(volumes[name], "persistentVolumeClaim")
            and not is_set(volumes[name], "ephemeral")
        ):
            yield Fault(
                (*base, "name"), "only a persistentVolumeClaim or ephemeral volume can be a block device"
            )
        if name in seen_names:
            yield Fault((*base, "name"), f'volume "{name}" is there twice')
        if path in seen_paths:
            yield Fault((*base, "devicePath"), f'"{path[:60]}" is there twice')
        seen_names.add(name or "\0")
        seen_paths.add(path or "\0")
