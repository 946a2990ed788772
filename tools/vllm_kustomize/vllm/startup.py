"""How long a server may take to start."""

from __future__ import annotations

from vllm_kustomize.kubernetes.fields import mapping, number
from vllm_kustomize.kubernetes.pods import Container

MINIMUM = 600
"""Seconds that a server needs at the very least, to load a model and to compile."""


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
