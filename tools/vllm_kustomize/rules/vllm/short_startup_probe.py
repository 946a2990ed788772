"""The startup probe kills a vLLM server that is still loading.

What the probe does not wait for is killed, restarted, and killed again. A seven-billion-parameter model on
an H100, with its weights on disk, served after 49 seconds with warm caches and after 152 with cold ones: 82
of these build kernels with nvcc, 34 are Python's imports. Less than the former is an error for a model of at
least this size, and less than the latter a warning.

Bad:   startupProbe: {periodSeconds: 5, failureThreshold: 6}         # half a minute
Good:  startupProbe: {periodSeconds: 10, failureThreshold: 360}      # one hour
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.model import Problem, Severity
from vllm_kustomize.vllm.server import Server
from vllm_kustomize.vllm.startup import COLD, WARM, measured, startup_budget

SEVERITY = Severity.ERROR
HELP = (
    "Raise failureThreshold: periodSeconds x failureThreshold is the time that the server has; "
    "progressDeadlineSeconds belongs above it, and VLLM_ENGINE_READY_TIMEOUT_S with several API servers."
)


_ENOUGH = COLD - 30
"""Seconds from which on nothing is said: machines and models differ by as much as is missing to COLD."""
_MEASURED = 7_000_000_000
"""Parameters of the model that was measured; a smaller one may be faster."""


def check_server(server: Server) -> Iterator[Problem]:
    """Yield startup probes with a budget under what was measured."""
    container = server.container
    seconds = startup_budget(container)
    if seconds is None or seconds >= _ENOUGH or server.pod.may_have("containers.startupProbe", container):
        return
    as_large = server.architecture is not None and server.architecture.parameters >= _MEASURED
    yield Problem(
        (*container.path, "startupProbe", "failureThreshold"),
        f"{container} has {seconds} s to start; a 7B model on an H100 took {measured(seconds)}",
        severity=Severity.ERROR if seconds < WARM and as_large else Severity.WARNING,
    )
