"""A probe asks for a path that the API key protects.

With --api-key or VLLM_API_KEY vLLM answers 401 to everything under /v1, /v2, /inference and /cohere that
carries no key. Such a probe never succeeds: the pod never becomes ready, or is killed again and again.

Bad:   --api-key=$(KEY), with readinessProbe: {httpGet: {path: /v1/models}}
Good:  readinessProbe: {httpGet: {path: /health}}

Source: AuthenticationMiddleware in vllm/entrypoints
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import items, text
from vllm_kustomize.model import Problem, Severity
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.ERROR
HELP = "Probe /health, which needs no key."

_GUARDED = {(0, 22): ("/v2", "/inference"), (0, 27): ("/cohere",)}
"""What releases guard beside /v1, from which on."""


def check_server(server: Server) -> Iterator[Problem]:
    """Yield HTTP probes of guarded paths that send no key."""
    key = server.api_key
    if key is None:
        return
    for path, action in server.http_probes:
        asked = text(action.get("path"))
        headers = {text(header.get("name")).lower() for _, header in items(action.get("httpHeaders"), ())}
        if asked.startswith(_guarded(server)) and "authorization" not in headers:
            yield Problem(
                (*path, "path"),
                f"the probe gets {asked} of {server}, which answers 401 without the API key ({server.vllm})",
                related=(key.related("the key is demanded here"),),
            )


def _guarded(server: Server) -> tuple[str, ...]:
    further = [path for since, paths in _GUARDED.items() if server.version >= since for path in paths]
    return ("/v1", *further)
