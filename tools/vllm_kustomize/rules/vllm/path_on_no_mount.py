"""Files that arguments name are in the image or on a mount.

vLLM's own images hold vLLM and its examples. A chat template, an adapter or a configuration file at another
absolute path comes from a volume, and without one the server ends when it opens the file.

Bad:   --chat-template=/templates/chat.jinja, and nothing mounted at /templates
Good:  the same with a ConfigMap mounted at /templates

Source: docker/Dockerfile (WORKDIR /vllm-workspace, COPY examples), load_chat_template in
vllm/entrypoints/chat_utils.py
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vllm_kustomize.model import Problem, Severity
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.ERROR
HELP = "Mount a volume with the file at that path."

_OPTIONS = ("chat_template", "lora_modules", "config", "ssl_keyfile", "ssl_certfile", "ssl_ca_certs")
_IN_THE_IMAGE = ("/vllm-workspace/", "/usr/", "/opt/", "/etc/ssl/", "/app/")


def check_server(server: Server) -> Iterator[Problem]:
    """Yield absolute paths that are on no mount of a container with vLLM's own image."""
    if server.image is None or server.image.releases is not None or server.pod.may_have("volumes"):
        return
    if server.container.spec.get("lifecycle") or _is_script(server):
        return
    for option in _OPTIONS:
        setting = server.options.get(option)
        for path in _paths(setting.value) if setting else ():
            mounted = server.files.volume_under(path) is not None
            if setting and path.startswith("/") and not path.startswith(_IN_THE_IMAGE) and not mounted:
                message = f"{server} reads {path}, but nothing is mounted there"
                yield Problem(setting.path, message)


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
