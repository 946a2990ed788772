"""A container's environment variables and the `$(VAR)` references to them, as the kubelet expands them.

What only the cluster knows (a Secret, a field of the pod) is not guessed, and what is secret is not used:
a text that depends on it carries the mark `UNKNOWN` in front of the reference, and whoever reads the text
treats that part as unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vllm_kustomize.kubernetes.fields import get, items, mapping, text
from vllm_kustomize.kubernetes.lookup import find
from vllm_kustomize.kubernetes.pods import Container, Pod
from vllm_kustomize.kubernetes.secrets import names_secret
from vllm_kustomize.model import Build, FieldPath, Manifest, Resource

UNKNOWN = "\0"
"""Stands before a reference whose value is not known; no argument of a program can hold this character."""

LONGEST = 128 << 10
"""Characters of one argument or variable: Linux starts no program with a longer one (MAX_ARG_STRLEN in
execve(2))."""
_MOST = 6 << 20
"""What all of them may come to (three quarters of _STK_LIM, execve(2)): variables that contain one another
can double in length each time."""


def environment(build: Build, pod: Pod, container: Container) -> dict[str, str]:
    """The container's variables, those of its ConfigMaps in the build included; later ones win.

    References in a value reach the variables before it, as in the kubelet (`makeEnvironmentVariables` in
    pkg/kubelet/kubelet_pods.go).
    """
    variables: dict[str, str] = {}
    expander = Expander(variables)
    for _, source in items(container.spec.get("envFrom"), ()):
        prefix = text(source.get("prefix"))
        name = mapping(source.get("configMapRef")).get("name")
        for key, value in _data(_config_map(build, pod, name)).items():
            variables[f"{prefix}{key}"] = text(value)
    for _, item in items(container.spec.get("env"), ()):
        name = text(item.get("name"))
        if "valueFrom" in item:
            reference = mapping(get(item, ("valueFrom", "configMapKeyRef")))
            value = _data(_config_map(build, pod, reference.get("name"))).get(text(reference.get("key")))
            variables[name] = value if isinstance(value, str) else f"{UNKNOWN}$({name})"
        elif names_secret(name):  # whatever is said about an argument quotes it
            variables[name] = f"{UNKNOWN}$({name})"
        else:
            variables[name] = expander.expand(text(item.get("value")))
    return variables


def may_have_more(container: Container) -> bool:
    """Whether the container takes variables from a source whose keys may not be known."""
    return any("secretRef" in source for _, source in items(container.spec.get("envFrom"), ()))


@dataclass(slots=True)
class Expander:
    """Replaces references to variables, which are unknown once too much has come of them."""

    variables: Mapping[str, str]
    more: bool = False
    """Whether there may be other variables, of sources whose keys are not known."""
    length: int = 0

    def expand(self, value: str) -> str:
        """Replace each `$(VAR)` by the variable's value; `$$` is a `$`, and an undefined reference stays.

        Variables of a LeaderWorkerSet (`LWS_...`), and with `more` all that are not defined here, are
        unknown. The syntax is that of k8s.io/kubernetes/third_party/forked/golang/expansion.
        """
        if "$" not in value:
            return value
        parts: list[str] = []
        position = length = 0
        last_end = value.rfind(")")
        while position < len(value):
            dollar = value.find("$", position)
            if dollar < 0 or dollar + 1 == len(value):
                break
            parts.append(value[position:dollar])
            following = value[dollar + 1]
            if following == "$":
                parts.append("$")
                position = dollar + 2
            elif following == "(" and dollar < last_end:
                end = value.index(")", dollar)
                parts.append(self._value(value[dollar + 2 : end]))
                position = end + 1
            else:
                parts.append(value[dollar : dollar + 2])
                position = dollar + 2
            length += len(parts[-2]) + len(parts[-1])
            if length > LONGEST or self.length + length > _MOST:
                return f"{UNKNOWN}{value[:60]}"
        self.length += length
        return "".join([*parts, value[position:]])

    def _value(self, name: str) -> str:
        if name in self.variables:
            return self.variables[name]
        known = not self.more and not name.startswith("LWS_")
        return f"$({name})" if known else f"{UNKNOWN}$({name})"


@dataclass(frozen=True, slots=True)
class File:
    """A file in a container that an object of the build puts there, and the object's field that has its
    text.
    """

    text: str
    resource: Resource
    path: FieldPath


def mounted_file(build: Build, pod: Pod, container: Container, file: str) -> File | None:
    """A file that a ConfigMap of the build puts into the container, or None."""
    for _, mount in items(container.spec.get("volumeMounts"), ()):
        directory = text(mount.get("mountPath")).rstrip("/")
        _, volume = pod.volume(mount.get("name")) or ((), {})
        below = text(mount.get("subPath"))
        if file == directory and below:
            key = below
        elif directory and file.startswith(f"{directory}/"):
            key = file[len(directory) + 1 :]
            key = f"{below.rstrip('/')}/{key}" if below else key
        else:
            continue
        for source in _config_map_sources(volume):
            config_map = _config_map(build, pod, source.get("name"))
            data_key = _key_at(source, key)
            content = _data(config_map).get(data_key)
            if config_map and data_key and isinstance(content, str):
                return File(content, config_map, ("data", data_key))
    return None


def _config_map_sources(volume: Manifest) -> list[Manifest]:
    sources = [mapping(volume.get("configMap"))]
    for _, projection in items(get(volume, ("projected", "sources")), ()):
        sources.append(mapping(projection.get("configMap")))
    return [source for source in sources if source]


def _key_at(source: Manifest, file: str) -> str | None:
    """The key of a ConfigMap that its volume shows under a file name."""
    if "items" not in source:
        return file
    shown = (item for _, item in items(source["items"], ()) if item.get("path") == file)
    return next((text(item.get("key")) for item in shown), None)


def _config_map(build: Build, pod: Pod, name: Any) -> Resource | None:
    return find(build, "ConfigMap", pod.resource.namespace, text(name))


def _data(config_map: Resource | None) -> Mapping[Any, Any]:
    return mapping(config_map.manifest.get("data")) if config_map else {}
