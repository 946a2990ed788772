"""Find the containers of a build that run vLLM, and read each into a `Server`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from vllm_kustomize.model import Build, FieldPath, Skipped
from vllm_kustomize.vllm import catalog
from vllm_kustomize.vllm.arguments import Given, Parsed, parse
from vllm_kustomize.vllm.images import image_of
from vllm_kustomize.vllm.server import Server, Setting
from vllm_kustomize.workload import Container, Pod, items, pods, strings, text

_REFERENCE = re.compile(r"(?<!\$)\$\([A-Za-z_][A-Za-z0-9_.-]*\)")


def servers(build: Build) -> tuple[tuple[Server, ...], tuple[Skipped, ...]]:
    """The vLLM servers of a build, and what could not be read as one, each with the reason."""
    found: list[Server] = []
    skipped: list[Skipped] = []
    for resource in build.resources:
        for pod in pods(resource):
            for container in pod.servers:
                server = _read(build, pod, container)
                if isinstance(server, Server):
                    found.append(server)
                else:
                    skipped.append(Skipped(f"{container} of {resource}", server))
    return tuple(found), tuple(skipped)


def _read(build: Build, pod: Pod, container: Container) -> Server | str:
    """The server that a container starts, or the reason why that is not known."""
    words = _arguments(container)
    if isinstance(words, str):
        return words
    version = release_of(container.image)
    release = catalog.nearest(version)[0] if version else catalog.load(catalog.releases()[-1])
    argv = [word for _, word in words]
    parsed = parse(argv, release)
    if parsed.unknown:
        return parsed.unknown
    return Server(
        build=build,
        pod=pod,
        container=container,
        release=version or release.version,
        options=_settings(parsed, words),
        defaults=parsed.values,
        env=_environment(container),
        image=image_of(container.image),
    )


def release_of(image: str) -> str:
    """The release that an image's tag names (`v0.33.0-x86_64` is 0.33.0), or an empty string."""
    tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2]
    match = re.match(r"v?(\d+\.\d+\.\d+(?:\.?post\d+)?)", tag) or re.search(r"vllm_(\d+\.\d+\.\d+)", tag)
    return match[1] if match else ""


def _arguments(container: Container) -> list[tuple[FieldPath, str]] | str:
    """What follows `vllm serve`, each word with its field; or why it is not known."""
    words = [
        ((*container.path, key, index), word)
        for key in ("command", "args")
        for index, word in enumerate(strings(container.spec.get(key)))
    ]
    if not container.spec.get("command"):
        return words  # the image's entrypoint is `vllm serve`
    if [word.rpartition("/")[2] for _, word in words[:2]] != ["vllm", "serve"]:
        return "its command is not `vllm serve` followed by arguments"
    return words[2:]


def _settings(parsed: Parsed, words: Sequence[tuple[FieldPath, str]]) -> dict[str, Setting]:
    return {dest: _setting(given, words) for dest, given in parsed.given.items()}


def _setting(given: Given, words: Sequence[tuple[FieldPath, str]]) -> Setting:
    path, word = words[given.index]
    known = not any(isinstance(value, str) and _REFERENCE.search(value) for value in _flat(given.value))
    if not isinstance(given.value, bool) and "=" not in word and word.startswith("-"):
        word = f"{word}={words[given.index + 1][1]}" if given.index + 1 < len(words) else word
    return Setting(given.value if known else None, path, word)


def _flat(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else (value,)


def _environment(container: Container) -> dict[str, Setting]:
    """The container's variables; those from a Secret, a ConfigMap or the pod's fields without a value."""
    found = {}
    for path, variable in items(container.spec.get("env"), (*container.path, "env")):
        name = text(variable.get("name"))
        if "valueFrom" in variable:
            found[name] = Setting(None, (*path, "valueFrom"), name)
        else:
            value = text(variable.get("value"))
            found[name] = Setting(
                None if _REFERENCE.search(value) else value, (*path, "value"), f"{name}={value}"
            )
    return found
