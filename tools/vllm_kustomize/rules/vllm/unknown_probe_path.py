"""A probe asks for a path that vLLM does not serve.

Everything else is answered with 404, which a probe takes for a failure: the pod never becomes ready.

Bad:   readinessProbe: {httpGet: {path: /healthz}}
Good:  readinessProbe: {httpGet: {path: /health}}

Source: the routers in vllm/entrypoints
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.model import Problem, Severity
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.ERROR
HELP = "Probe /health: it answers as soon as the model is loaded and fails when the engine is dead."

_SERVED = frozenset(
    {
        "/health",
        "/ping",
        "/load",
        "/version",
        "/metrics",
        "/v1/models",
        "/docs",
        "/openapi.json",
        "/redoc",
        "/kv_event_sources",
        "/server_info",
        "/tokenizer_info",
        "/is_sleeping",
    }
)


def check_server(server: Server) -> Iterator[Problem]:
    """Yield HTTP probes of paths that no router of vLLM has."""
    if "middleware" in server.options or "root_path" in server.options:
        return  # either may serve further paths
    for path, action in server.http_probes:
        asked = action.get("path", "/")
        if isinstance(asked, str) and "/" + asked.partition("?")[0].strip("/") not in _SERVED:
            message = f"the probe gets {asked} of {server}, which vLLM does not serve; right is /health"
            severity = None if server.exact else Severity.WARNING
            yield Problem((*path, "path"), f"{message} ({server.vllm})", severity=severity)
