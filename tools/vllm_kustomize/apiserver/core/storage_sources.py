"""Storage behind volumes: what pod volumes and PersistentVolumes have in common.

Rules of pkg/apis/core/validation, one function per source there (validateNFSVolumeSource and so on).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from vllm_kustomize.apiserver.framework.combinators import Check, Family, Fault, ReportedAt, Scope, required
from vllm_kustomize.kubernetes import names
from vllm_kustomize.kubernetes.fields import is_integer, is_set, mapping, sequence, text

api = Family("volumes")
TEXT = api.text()
PARTITION = api.number(0, 255)

_IQN = re.compile(r"iqn\.[0-9]{4}-[0-9]{2}\.([A-Za-z0-9.-]+)(:[^,;*&$|\s]+)\Z", re.ASCII)
_EUI = re.compile(r"eui.[A-Za-z0-9]{16}", re.ASCII)
_NAA = re.compile(r"naa.[A-Za-z0-9]{32}", re.ASCII)


def file_mode(value: Any, scope: Scope) -> Iterator[Fault]:
    """Permissions of a file: 0 to 0777."""
    if is_integer(value) and not 0 <= value <= 0o777:
        yield Fault((), f"is {int(value)} ({oct(int(value))}), but must be between 0 and 0777 (511)")


def iscsi_name(value: str) -> str:
    """The name of an iSCSI target or initiator."""
    pattern = {"iqn": _IQN.search, "eui": _EUI.fullmatch, "naa": _NAA.fullmatch}.get(value[:3])
    if pattern and pattern(value):
        return ""
    return f'"{value[:60]}" is not an iSCSI name such as iqn.2026-01.com.example:disk'


def chap(value: Any, scope: Scope) -> Iterator[Fault]:
    """iSCSI authentication needs a Secret."""
    authenticated = value.get("chapAuthDiscovery") is True or value.get("chapAuthSession") is True
    if authenticated and not is_set(value, "secretRef"):
        yield Fault(("secretRef",), "is required for CHAP authentication")
    initiator = value.get("initiatorName")
    if isinstance(initiator, str) and (message := iscsi_name(initiator)):
        yield Fault(("initiatorname",), message, at=("initiatorName",))


def secret_reference(value: Any, scope: Scope) -> Iterator[Fault]:
    """A Secret reference that is there has a name."""
    if is_set(value, "secretRef") and not mapping(value, "secretRef").get("name"):
        yield Fault(("secretRef", "name"), "is required")


def targets(value: Any, scope: Scope) -> Iterator[Fault]:
    """A fibre channel volume is found by WWN and LUN, or by WWID."""
    wwns, wwids = sequence(value, "targetWWNs"), sequence(value, "wwids")
    if wwns and wwids:
        yield Fault(("targetWWNs",), "targetWWNs and wwids exclude each other")
    elif not wwns and not wwids:
        yield Fault(("targetWWNs",), "needs targetWWNs with lun, or wwids")
    if wwns:
        if not is_set(value, "lun"):
            yield Fault(("lun",), "is required beside targetWWNs")
        elif is_integer(value["lun"]) and not 0 <= value["lun"] <= 255:
            yield Fault(("lun",), "must be between 0 and 255")


def azure_disk(value: Any, scope: Scope) -> Iterator[Fault]:
    """A disk's URI fits its kind."""
    uri, kind = text(value, "diskURI"), text(value, "kind", default="Shared")
    if not uri:
        return
    if kind == "Managed" and not uri.startswith("/subscriptions/"):
        yield Fault(("diskURI",), "of a Managed disk begins with /subscriptions/")
    if kind != "Managed" and not uri.startswith("https://"):
        yield Fault(("diskURI",), "of a blob disk begins with https://")


def csi_driver(value: str) -> str:
    """A CSI driver's name: a domain in any case."""
    if len(value) > 63:
        return "may have at most 63 characters"
    return names.dns_subdomain(value.lower())


def absolute_export(value: str) -> str:
    """An NFS export."""
    return names.absolute_path(value)


def publish_secret(value: Any, scope: Scope) -> Iterator[Fault]:
    """A Secret for publishing is named."""
    reference = value.get("nodePublishSecretRef")
    if not isinstance(reference, dict):
        return
    name = reference.get("name") or ""
    if not name:
        yield Fault(("nodePublishSecretRef", "name"), "is required")
    elif isinstance(name, str) and (message := names.dns_subdomain(name)):
        yield Fault(("name",), message, at=("nodePublishSecretRef", "name"))


def storageos(value: Any, scope: Scope) -> Iterator[Fault]:
    """Names of a StorageOS volume."""
    for field in ("volumeName", "volumeNamespace"):
        if name := text(value, field):
            if message := names.dns_label(name):
                yield Fault((field,), message)
        elif field == "volumeName":
            yield Fault((field,), "is required")


def glusterfs(value: Any, scope: Scope) -> Iterator[Fault]:
    """Where a GlusterFS volume is."""
    if not text(value, "endpoints"):
        yield Fault(("endpoints",), "is required")
    if not text(value, "path"):
        yield Fault(("path",), "is required")


def flocker(value: Any, scope: Scope) -> Iterator[Fault]:
    """A Flocker dataset has a name or an id."""
    name, uuid = text(value, "datasetName"), text(value, "datasetUUID")
    if not name and not uuid:
        yield Fault((), "needs datasetName or datasetUUID")
    if name and uuid:
        yield Fault((), "datasetName and datasetUUID exclude each other")
    if "/" in name:
        yield Fault(("datasetName",), "may not contain '/'")


_HOST_PORT = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*):[^:\[\]]*")


def quobyte(value: Any, scope: Scope) -> Iterator[Fault]:
    """Registries of a Quobyte volume are host:port pairs."""
    registry = text(value, "registry")
    if not registry:
        yield Fault(("registry",), "is required")
    elif len(text(value, "tenant")) > 64:
        yield Fault(("tenant",), "may have at most 64 characters")
    elif not all(_HOST_PORT.fullmatch(entry) for entry in registry.split(",")):
        yield Fault(("registry",), "must be host:port pairs, with ',' between them")
    if not text(value, "volume"):
        yield Fault(("volume",), "is required")


def ceph_monitors(value: Any, scope: Scope) -> Iterator[Fault]:
    """Ceph is found through its monitors."""
    if not sequence(value, "monitors"):
        yield Fault(("monitors",), "is required")


def flex_options(value: Any, scope: Scope) -> Iterator[Fault]:
    """Options that belong to Kubernetes are not the user's to set."""
    for key in mapping(value, "options"):
        domain = "." + str(key).partition("/")[0].lower()
        if domain.endswith((".kubernetes.io", ".k8s.io")):
            yield Fault(("options", str(key)), "is reserved to Kubernetes")


SHARED_SOURCES: Mapping[str, Check] = {
    "gcePersistentDisk": ReportedAt(
        "persistentDisk", api.struct({"pdName": required(TEXT), "partition": PARTITION})
    ),
    "awsElasticBlockStore": api.struct({"volumeID": required(TEXT), "partition": PARTITION}),
    "nfs": api.struct({"server": required(TEXT), "path": required(api.text(absolute_export))}),
    "iscsi": api.struct(
        {
            "targetPortal": required(TEXT),
            "iqn": required(api.text(iscsi_name)),
            "lun": api.number(0, 255),
        },
        chap,
    ),
    "glusterfs": api.struct({}, glusterfs),
    "flocker": api.struct({}, flocker),
    "rbd": api.struct({"image": required(TEXT)}, ceph_monitors),
    "cinder": api.struct({"volumeID": required(TEXT)}, secret_reference),
    "cephfs": api.struct({}, ceph_monitors),
    "quobyte": api.struct({}, quobyte),
    "fc": api.struct({}, targets),
    "azureFile": api.struct({"secretName": required(TEXT), "shareName": required(TEXT)}),
    "flexVolume": api.struct({"driver": required(TEXT)}, flex_options),
    "vsphereVolume": api.struct({"volumePath": required(TEXT)}),
    "photonPersistentDisk": api.struct({"pdID": required(TEXT)}),
    "portworxVolume": api.struct({"volumeID": required(TEXT)}),
    "azureDisk": api.struct(
        {
            "diskName": required(TEXT),
            "diskURI": required(TEXT),
            "cachingMode": api.one_of("None", "ReadOnly", "ReadWrite", empty=True),
            "kind": api.one_of("Shared", "Dedicated", "Managed", empty=True),
        },
        azure_disk,
    ),
    "storageos": api.struct({}, storageos, secret_reference),
    "scaleIO": api.struct(
        {"gateway": required(TEXT), "system": required(TEXT), "volumeName": required(TEXT)}
    ),
    "csi": api.struct({"driver": required(api.text(csi_driver))}, publish_secret),
}
