"""How long a server may take to start, and how long it was seen to take."""

from __future__ import annotations

from vllm_kustomize.kubernetes.fields import mapping, number
from vllm_kustomize.kubernetes.pods import Container
from vllm_kustomize.model import Manifest

WARM, COLD = 49, 152
"""Seconds until a 7B model answered on an H100, with its weights on disk, with warm and with cold caches."""

FASTEST = 20
"""The least that a server ever took: one of two layers, with the CPU build of 0.32.0."""


def measured(seconds: int) -> str:
    """What was measured above a time to start, for messages."""
    return f"{WARM} s with warm caches" if seconds < WARM else f"{COLD} s with cold caches"


def startup_budget(container: Container) -> int | None:
    """Seconds until a failing startup probe kills the container, or None without such a probe."""
    probe = mapping(container.spec.get("startupProbe"))
    return seconds_to_fail(probe) if probe else None


def seconds_to_fail(probe: Manifest) -> int:
    """Seconds after which a probe that never succeeds has failed for good.

    The API server's defaults are a period of 10 s and 3 failures.
    """
    period = number(probe, "periodSeconds", default=10)
    return number(probe, "initialDelaySeconds") + period * number(probe, "failureThreshold", default=3)
