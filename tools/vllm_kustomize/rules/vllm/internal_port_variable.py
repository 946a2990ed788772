"""VLLM_PORT or VLLM_HOST_IP is taken for the API server's.

They set the address at which vLLM's own processes meet. The API server listens on --host and --port; giving
both the same number makes them compete for it.

Bad:   env: [{name: VLLM_PORT, value: "8000"}]
Good:  args: [model, --port=8000]

Source: docs/configuration/env_vars.md of vLLM
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.model import Problem, Severity
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.WARNING
HELP = "Use --port for the API server, and remove VLLM_PORT."


def check_server(server: Server) -> Iterator[Problem]:
    """Yield a VLLM_PORT that is the API server's port."""
    port = server.env.get("VLLM_PORT")
    if port is not None and str(port.value) == str(server.port):
        message = f"{port.shown} is for vLLM's own processes, and {server.shown('port')} for clients"
        yield Problem(port.path, f"{message}: give them different ports ({server.vllm})")
