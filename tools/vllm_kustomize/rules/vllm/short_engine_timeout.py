"""Several API servers give up on their engine before the startup probe gives up on them.

With more than one API server (--api-server-count, and data parallelism) each waits for the engines for
VLLM_ENGINE_READY_TIMEOUT_S, 600 s by default, and stops with "Timed out waiting for engine core processes to
start", however patient the startup probe is. One API server alone waits as long as it takes.

Bad:   --api-server-count=2, a startupProbe of an hour, without VLLM_ENGINE_READY_TIMEOUT_S
Good:  the same, and env: [{name: VLLM_ENGINE_READY_TIMEOUT_S, value: "3600"}]

Source: vllm/v1/engine/core_client.py, vllm/envs.py; run with one and with two API servers
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import is_count
from vllm_kustomize.model import Problem, Severity
from vllm_kustomize.vllm.names import environment_variables
from vllm_kustomize.vllm.server import Server
from vllm_kustomize.vllm.startup import startup_budget

SEVERITY = Severity.WARNING
HELP = (
    "Set VLLM_ENGINE_READY_TIMEOUT_S to the startup probe's periodSeconds x failureThreshold, and "
    "progressDeadlineSeconds above both."
)

_VARIABLE = "VLLM_ENGINE_READY_TIMEOUT_S"
_DEFAULT = 600
_MARGIN = 60
"""Seconds that the rest of the start may take."""


def check_server(server: Server) -> Iterator[Problem]:
    """Yield servers whose API servers give up well before the startup probe does."""
    budget = startup_budget(server.container)
    if (
        budget is None
        or server.pod.may_have("containers.env", server.container)
        or _VARIABLE not in environment_variables(server.release)
        or max(server.count("api_server_count", 0), server.count("data_parallel_size")) < 2
    ):
        return
    setting = server.env.get(_VARIABLE)
    if setting is not None and not is_count(setting.value):
        return
    timeout = _DEFAULT if setting is None else int(setting.value)
    if timeout + _MARGIN < budget:
        path = (*server.container.path, "env") if setting is None else setting.path
        yield Problem(
            path,
            f"the API servers of {server} give up on their engine after {timeout} s ({_VARIABLE}, "
            f"{server.vllm}), but the startup probe waits for {budget} s",
        )
