"""The startup probe leaves a vLLM server at least ten minutes.

A seven-billion-parameter model that is already on disk took 153 seconds to serve on an H200; a first
download takes longer. What the probe does not wait for is killed, restarted, and killed again.

Bad:   startupProbe: {periodSeconds: 10, failureThreshold: 30}       # five minutes
Good:  startupProbe: {periodSeconds: 10, failureThreshold: 360}      # one hour
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.pods import pods
from vllm_kustomize.model import Problem, Resource, Severity
from vllm_kustomize.vllm.startup import MINIMUM, startup_budget

SEVERITY = Severity.ERROR
HELP = "Raise failureThreshold: periodSeconds x failureThreshold is the time that the server has."


def check(resource: Resource) -> Iterator[Problem]:
    """Yield startup probes with a budget under ten minutes."""
    for pod in pods(resource):
        for container in pod.servers:
            seconds = startup_budget(container)
            if seconds is not None and seconds < MINIMUM:
                yield Problem(
                    (*container.path, "startupProbe", "failureThreshold"),
                    f"{container} has {seconds} s to start, a model needs {MINIMUM} s and more",
                )
