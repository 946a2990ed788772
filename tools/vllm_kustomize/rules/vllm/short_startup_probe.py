"""The startup probe leaves a vLLM server at least ten minutes.

A seven-billion-parameter model that is already on disk took 153 seconds to serve on an H200; a first
download takes longer. What the probe does not wait for is killed, restarted, and killed again.

Bad:   startupProbe: {periodSeconds: 10, failureThreshold: 30}       # five minutes
Good:  startupProbe: {periodSeconds: 10, failureThreshold: 360}      # one hour
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import mapping, number
from vllm_kustomize.kubernetes.pods import Container, pods
from vllm_kustomize.model import Problem, Resource, Severity

SEVERITY = Severity.ERROR
HELP = "Raise failureThreshold: periodSeconds x failureThreshold is the time that the server has."

MINIMUM = 600
"""Seconds."""


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


def startup_budget(container: Container) -> int | None:
    """Seconds until a failing startup probe kills the container, or None without such a probe.

    The API server's defaults are a period of 10 s and 3 failures.
    """
    probe = mapping(container.spec.get("startupProbe"))
    if not probe:
        return None
    period, failures = (
        number(probe.get("periodSeconds"), default=10),
        number(probe.get("failureThreshold"), default=3),
    )
    return number(probe.get("initialDelaySeconds"), default=0) + period * failures
