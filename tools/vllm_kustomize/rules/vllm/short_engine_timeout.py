"""The server waits for its engine as long as the startup probe waits for the server.

A front end gives up on its engine processes after VLLM_ENGINE_READY_TIMEOUT_S, 600 s by default ("Timed out
waiting for engine core processes to start"), however patient the startup probe is.

Bad:   startupProbe of an hour, without VLLM_ENGINE_READY_TIMEOUT_S
Good:  startupProbe of an hour, env: [{name: VLLM_ENGINE_READY_TIMEOUT_S, value: "3600"}]

Source: vllm/v1/engine/core_client.py, vllm/envs.py
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.model import Problem, Severity
from vllm_kustomize.vllm.names import environment_variables
from vllm_kustomize.vllm.server import Server
from vllm_kustomize.vllm.startup import startup_budget

SEVERITY = Severity.WARNING
HELP = "Set VLLM_ENGINE_READY_TIMEOUT_S to the startup probe's periodSeconds x failureThreshold."

_VARIABLE = "VLLM_ENGINE_READY_TIMEOUT_S"
_DEFAULT = 600


def check_server(server: Server) -> Iterator[Problem]:
    """Yield servers that give up on their engine before the startup probe does."""
    budget = startup_budget(server.container)
    if budget is None or server.pod.partial or _VARIABLE not in environment_variables(server.release):
        return
    setting = server.env.get(_VARIABLE)
    if setting is not None and not str(setting.value).isdigit():
        return
    timeout = _DEFAULT if setting is None else int(setting.value)
    if timeout < budget:
        path = (*server.container.path, "env") if setting is None else setting.path
        yield Problem(
            path,
            f"{server} gives up on its engine after {timeout} s ({_VARIABLE}, {server.vllm}), but the "
            f"startup probe waits for {budget} s",
        )
