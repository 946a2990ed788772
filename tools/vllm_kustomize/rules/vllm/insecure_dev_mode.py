"""A switch for developers is on.

VLLM_SERVER_DEV_MODE opens endpoints that stop the engine, reset its caches and call methods inside it, for
anyone who reaches the port: the API key does not guard them. VLLM_ALLOW_INSECURE_SERIALIZATION unpickles what
arrives. A profiler slows every step and lets clients start it. VLLM_ALLOW_RUNTIME_LORA_UPDATING lets every
client load adapters from paths and repositories.

Bad:   env: [{name: VLLM_SERVER_DEV_MODE, value: "1"}]
Good:  none of these variables

Source: docs/usage/security.md of vLLM, vllm/entrypoints/launchers/api_server/routers.py
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.model import Problem, Severity
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.WARNING
HELP = "Remove the switch; set it in a development overlay that no client can reach."

_ON = frozenset({"1", "true", "True", "TRUE"})
_VARIABLES = {
    "VLLM_SERVER_DEV_MODE": "opens development endpoints to every client",
    "VLLM_ALLOW_INSECURE_SERIALIZATION": "unpickles what arrives",
    "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "lets every client load adapters",
}


def check_server(server: Server) -> Iterator[Problem]:
    """Yield the switches that are on."""
    for name, what in _VARIABLES.items():
        setting = server.env.get(name)
        if setting is not None and str(setting.value) in _ON:
            yield Problem(setting.path, f"{name}={setting.value} {what} ({server.vllm})")
    lora = server.env.get("VLLM_ALLOW_RUNTIME_LORA_UPDATING")
    if lora is not None and str(lora.value) in _ON and server.count("api_server_count") > 1:
        yield Problem(
            server.place("api_server_count"),
            f"{server.shown('api_server_count')} cannot be used with {lora.shown}: {server.vllm} stops",
            severity=Severity.ERROR if server.exact else None,
            related=(lora.related("the variable is set here"),),
        )
    profilers = [server.env.get("VLLM_TORCH_PROFILER_DIR"), server.options.get("profiler_config")]
    for setting in filter(None, profilers):
        message = f"a profiler is set up in {server}, which any client can start ({server.vllm})"
        yield Problem(setting.path, message)
