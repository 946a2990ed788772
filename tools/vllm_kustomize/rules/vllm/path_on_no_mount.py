"""An argument names a file that is on no mount.

vLLM's own images hold vLLM and its examples. A chat template, an adapter or a configuration file at another
absolute path comes from a volume, and without one the server ends when it opens the file. That is certain
where the image has not even the folder at its root.

Bad:   --chat-template=/templates/chat.jinja, and nothing mounted at /templates
Good:  the same with a ConfigMap mounted at /templates

Source: docker/Dockerfile (WORKDIR /vllm-workspace, COPY examples), load_chat_template in
vllm/entrypoints/chat_utils.py
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from vllm_kustomize.kubernetes.fields import strings
from vllm_kustomize.kubernetes.images import image_of
from vllm_kustomize.kubernetes.pods import all_pods
from vllm_kustomize.model import FieldPath, Problem, Resource, Severity
from vllm_kustomize.vllm.container.files import Files
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.ERROR
HELP = "Mount a volume with the file at that path."

_OPTIONS = ("chat_template", "lora_modules", "ssl_keyfile", "ssl_certfile", "ssl_ca_certs")
_OF_THE_IMAGE = re.compile(
    "/(?:bin|boot|dev|etc|home|lib|lib32|lib64|libx32|media|mnt|opt|proc|root|run|sbin|srv|sys|tmp|usr|var"
    "|app|install|vllm-workspace|workspace)/"
)
"""Folders at the root of the images: Ubuntu's, and those that vLLM's Dockerfiles write to."""


def check(resource: Resource) -> Iterator[Problem]:
    """Yield configuration files that are on no mount: without one no other argument can be known."""
    for pod in all_pods(resource):
        for container in pod.servers:
            image = image_of(container.image)
            started = container.spec.get("lifecycle")  # a hook may write files first
            if image is None or image.releases is not None or pod.may_have("volumes") or started:
                continue
            words = [
                ((*container.path, key, index), word)
                for key in ("command", "args")
                for index, word in enumerate(strings(container.spec.get(key)))
            ]
            files = Files(pod, container, {}, image, downloads=False, download_dir=None)
            for (_, option), (path, file) in pairwise(words):
                if option == "--config" and file.startswith("/"):
                    yield from _missing(files, f"{container}", file, path)


def check_server(server: Server) -> Iterator[Problem]:
    """Yield absolute paths that are on no mount of a container with vLLM's own image."""
    if server.image is None or server.image.releases is not None or server.pod.may_have("volumes"):
        return
    if server.container.spec.get("lifecycle") or _is_script(server):
        return
    for option in _OPTIONS:
        setting = server.options.get(option)
        for path in _paths(setting.value) if setting else ():
            if setting and path.startswith("/"):
                yield from _missing(server.files, f"{server}", path, setting.path)


def _missing(files: Files, container: str, file: str, place: FieldPath) -> Iterator[Problem]:
    """A file that is on no mount; it may be in the image, unless that has no such folder at its root."""
    if files.volume_under(file) is None and not file.startswith("/vllm-workspace/"):
        severity = Severity.WARNING if _OF_THE_IMAGE.match(file) else None
        yield Problem(place, f"{container} reads {file}, but nothing is mounted there", severity=severity)


def _paths(value: Any) -> Iterator[str]:
    """The paths in an option's value: itself, or those of its adapters."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for module in value:
            path = module.get("path") if isinstance(module, dict) else None
            if isinstance(path, str):
                yield path


def _is_script(server: Server) -> bool:
    """Whether a shell script starts the server: it may write files first."""
    return any(argument.offset for argument in server.line.arguments)
