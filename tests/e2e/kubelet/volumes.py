"""Plan the mounts of a container; `sandbox.py` makes them."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from e2e.kubelet.expansion import expand
from e2e.kubelet.objects import NotPlayed, NotStarted, Objects
from vllm_kustomize.kubernetes import quantity
from vllm_kustomize.model import Manifest

SHM = "/dev/shm"
SHM_SIZE = 64 << 20
"""Bytes of /dev/shm where the manifest mounts nothing there, as container runtimes have it."""


@dataclass(frozen=True, slots=True)
class File:
    """A file of a ConfigMap or Secret volume."""

    content: bytes
    mode: int


@dataclass(frozen=True, slots=True)
class Mount:
    """One mount: a folder that outlives the container, a tmpfs, or files.

    `volume` names what two mounts of one volume share; a claim's begins with `claim/` and outlives the pod.
    `size` is in bytes, for a tmpfs; 0 means as much as the node's memory.
    """

    target: str
    volume: str
    kind: str
    size: int = 0
    sub_path: str = ""
    read_only: bool = False
    files: Mapping[str, File] = field(default_factory=dict)

    def source(self, directory: Path, claims: Path) -> Path:
        """Where the volume is kept: below `claims` for a claim, else below the pod's own `directory`."""
        return (claims if self.volume.startswith("claim/") else directory) / self.volume


def plan(
    spec: Manifest, container: Manifest, objects: Objects, variables: Mapping[str, str]
) -> tuple[Mount, ...]:
    """The container's mounts, outer ones first, with the /dev/shm that the runtime adds.

    Raises `NotStarted` where a volume or what it refers to is missing, `NotPlayed` for a kind of volume
    that is not known here.
    """
    volumes = {volume["name"]: volume for volume in spec.get("volumes") or ()}
    mounts = []
    for entry in container.get("volumeMounts") or ():
        if entry["name"] not in volumes:
            raise NotStarted(f'the API server refuses it: volumeMounts name "{entry["name"]}" is not found')
        sub_path = entry.get("subPath") or expand(entry.get("subPathExpr") or "", variables)
        if posixpath.isabs(sub_path) or ".." in sub_path.split("/"):
            raise NotStarted(f"CreateContainerConfigError: subPath {sub_path} leaves the volume")
        volume, kind, size, files = _volume(volumes[entry["name"]], objects)
        mounts.append(
            Mount(
                posixpath.normpath(entry["mountPath"]),
                volume,
                kind,
                size,
                sub_path,
                bool(entry.get("readOnly")) or kind == "files",
                files,
            )
        )
    if not spec.get("hostIPC") and all(mount.target != SHM for mount in mounts):
        mounts.append(Mount(SHM, "runtime/shm", "tmpfs", SHM_SIZE))
    return tuple(sorted(mounts, key=lambda mount: mount.target.count("/") if mount.target != "/" else 0))


def covering(path: str, mounts: tuple[Mount, ...]) -> tuple[Mount, str] | None:
    """The innermost mount that holds a path of the container, and the path inside its volume."""
    for mount in sorted(mounts, key=lambda mount: len(mount.target), reverse=True):
        if path == mount.target or path.startswith(mount.target.rstrip("/") + "/"):
            return mount, posixpath.join(mount.sub_path, posixpath.relpath(path, mount.target))
    return None


def _volume(volume: Manifest, objects: Objects) -> tuple[str, str, int, Mapping[str, File]]:
    """Identity, kind, size and files of a volume."""
    own = f"volumes/{volume['name']}"
    if "emptyDir" in volume:
        source = volume["emptyDir"] or {}
        if source.get("medium") == "Memory":
            return own, "tmpfs", int(quantity.parse(str(source.get("sizeLimit") or 0))), {}
        return own, "folder", 0, {}
    if "persistentVolumeClaim" in volume:
        claim = volume["persistentVolumeClaim"]["claimName"]
        if ("PersistentVolumeClaim", claim) not in objects.manifests:
            raise NotStarted(f'FailedScheduling: persistentvolumeclaim "{claim}" not found')
        return f"claim/{claim}", "folder", 0, {}
    for key, kind, name in (("configMap", "ConfigMap", "name"), ("secret", "Secret", "secretName")):
        if key in volume:
            return own, "files", 0, _files(volume[key], kind, volume[key].get(name, ""), objects)
    raise NotPlayed(f"volume {volume['name']}: {', '.join(key for key in volume if key != 'name')}")


def _files(source: Manifest, kind: str, name: str, objects: Objects) -> dict[str, File]:
    data = objects.data(kind, name)
    if data is None:
        if source.get("optional"):
            return {}
        raise NotStarted(f'FailedMount: {kind.lower()} "{name}" not found')
    mode = source.get("defaultMode", 0o644)
    items = source.get("items") or [{"key": key, "path": key} for key in data]
    files = {}
    for item in items:
        if item["key"] in data:
            files[item["path"]] = File(data[item["key"]], item.get("mode", mode))
        elif not source.get("optional"):
            raise NotStarted(f"FailedMount: {kind.lower()} {name} has no key {item['key']}")
    return files
