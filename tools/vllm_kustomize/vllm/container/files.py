"""Whom a vLLM container runs as, and where it reads and writes: user, home, caches and mounts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vllm_kustomize.kubernetes.fields import items, mapping, text
from vllm_kustomize.kubernetes.images import Image
from vllm_kustomize.kubernetes.pods import Container, Pod
from vllm_kustomize.model import FieldPath, Manifest
from vllm_kustomize.vllm.setting import Setting

_WITH_THE_POD = frozenset({"emptyDir", "ephemeral", "configMap", "secret", "downwardAPI", "projected"})


@dataclass(frozen=True, slots=True)
class Files:
    """One container's files.

    `downloads`: it fetches its model from the Hub; `download_dir`: where to, if an argument says so.
    """

    pod: Pod
    container: Container
    env: Mapping[str, Setting]
    image: Image | None
    downloads: bool
    download_dir: str | None

    @property
    def user(self) -> int | None:
        """The numeric user that the container runs as; None where neither pod nor image says."""
        for context in (self.container.spec, self.pod.spec):
            user = mapping(context.get("securityContext")).get("runAsUser")
            if isinstance(user, int) and not isinstance(user, bool):
                return user
        return None if self.image is None else self.image.user

    @property
    def user_path(self) -> FieldPath:
        """The field that sets the user, or the container's security context."""
        for context, path in (
            (self.container.spec, self.container.path),
            (self.pod.spec, self.pod.spec_path),
        ):
            if "runAsUser" in mapping(context.get("securityContext")):
                return (*path, "securityContext", "runAsUser")
        return (*self.container.path, "securityContext")

    @property
    def group(self) -> int | None:
        """The primary group, which is that of the image's user (0 in all of vLLM's) unless set."""
        for context in (self.container.spec, self.pod.spec):
            group = mapping(context.get("securityContext")).get("runAsGroup")
            if isinstance(group, int) and not isinstance(group, bool):
                return group
        return None if self.image is None else 0

    @property
    def home(self) -> str | None:
        """HOME: as set, else that of the user in the image; None where it is not known."""
        if "HOME" in self.env:
            return _string(self.env["HOME"].value)
        return None if self.image is None else self.image.home(self.user)

    @property
    def hugging_face_cache(self) -> str | None:
        """Where models are downloaded to, or None where that is not known.

        --download-dir, HF_HUB_CACHE or its old name, HF_HOME/hub, XDG_CACHE_HOME/huggingface/hub, and
        ~/.cache/huggingface/hub, in this order (huggingface_hub/constants.py).
        """
        if self.download_dir is not None:
            return self.download_dir
        for variable, below in (
            ("HF_HUB_CACHE", ""),
            ("HUGGINGFACE_HUB_CACHE", ""),
            ("HF_HOME", "/hub"),
            ("XDG_CACHE_HOME", "/huggingface/hub"),
        ):
            if variable in self.env:
                base = _string(self.env[variable].value)
                return None if base is None else base.rstrip("/") + below
        return None if self.home is None else f"{self.home.rstrip('/')}/.cache/huggingface/hub"

    @property
    def written_directories(self) -> dict[str, str]:
        """What vLLM writes while it runs, and where, as far as that is known."""
        cache = self._directory("VLLM_CACHE_ROOT", "XDG_CACHE_HOME", "/vllm", "/.cache/vllm")
        directories = {
            "temporary files": self._directory("TMPDIR", "", "", "") or "/tmp",
            "models": self.hugging_face_cache if self.downloads else None,
            "its compile cache": cache,
        }
        return {what: directory for what, directory in directories.items() if directory is not None}

    def _directory(self, variable: str, base: str, below_base: str, below_home: str) -> str | None:
        if variable in self.env:
            return _string(self.env[variable].value)
        if base in self.env:
            parent = _string(self.env[base].value)
            return None if parent is None else parent.rstrip("/") + below_base
        return None if self.home is None or not below_home else self.home.rstrip("/") + below_home

    @property
    def mounts(self) -> Iterator[tuple[FieldPath, str, Manifest]]:
        """Each mount's field, the path in the container, and the volume (empty where there is none)."""
        for path, mount in items(
            self.container.spec.get("volumeMounts"), (*self.container.path, "volumeMounts")
        ):
            _, volume = self.pod.volume(mount.get("name")) or ((), {})
            yield path, "/" + text(mount.get("mountPath")).strip("/"), volume

    def volume_under(self, directory: str) -> tuple[FieldPath, Manifest] | None:
        """The mount that holds a directory: the deepest one at or above it, with its volume."""
        found: tuple[FieldPath, Manifest] | None = None
        deepest = -1
        for path, mounted, volume in self.mounts:
            if is_below(directory, mounted) and len(mounted) > deepest:
                found, deepest = (path, volume), len(mounted)
        return found

    def unused_caches(self) -> Iterator[tuple[FieldPath, str]]:
        """Persistent volumes at the path of a cache, with that path, where downloads go to no volume."""
        cache = self.hugging_face_cache
        if cache is None or not self.downloads or self.volume_under(cache) is not None:
            return
        for path, mounted, volume in self.mounts:
            if is_persistent(volume) and ("huggingface" in mounted or mounted.endswith("/.cache")):
                yield path, mounted


def is_below(path: str, directory: str) -> bool:
    """Whether an absolute path is a directory or lies below it."""
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def is_persistent(volume: Manifest) -> bool:
    """Whether what is written to a volume outlives the pod (or the volume brings its contents along)."""
    return bool(volume) and not _WITH_THE_POD & set(volume)


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) else None
