"""A vLLM server is probed in a way that hurts it, or not at all.

Nothing listens until the model is loaded, which takes from one minute to an hour. Without a startup probe
the liveness probe kills the server while it loads: a 7B model on an H100 took 49 s with warm caches and 152 s
with cold ones. Without a readiness probe requests are sent to the server before it can answer.

Bad:   only a livenessProbe with initialDelaySeconds: 15
Good:  startupProbe, readinessProbe and livenessProbe on /health

Source: https://docs.vllm.ai/en/latest/deployment/k8s.html, "Startup probe or readiness probe failure"
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import mapping, strings
from vllm_kustomize.kubernetes.pods import PROBES, Container, Pod, pods
from vllm_kustomize.model import Problem, Resource, Severity
from vllm_kustomize.vllm.startup import COLD, FASTEST, measured, seconds_to_fail

SEVERITY = Severity.WARNING
HELP = (
    "Add the probe: httpGet /health on the server's port, with an hour's budget for startup and "
    "progressDeadlineSeconds above it (and VLLM_ENGINE_READY_TIMEOUT_S, with several API servers)."
)


def check(resource: Resource) -> Iterator[Problem]:
    """Yield serving containers that lack a probe they need, once each; `--headless` workers serve nothing."""
    if resource.kind in ("Job", "CronJob", "Pod"):
        return
    for pod in pods(resource):
        for container in pod.servers:
            words = [*strings(container.spec.get("command")), *strings(container.spec.get("args"))]
            if "--headless" in " ".join(words).split() or _is_second(pod, container):
                continue
            yield from _check(pod, container)


def _check(pod: Pod, container: Container) -> Iterator[Problem]:
    missing = [
        probe
        for probe in PROBES
        if not container.spec.get(probe) and not pod.may_have(f"containers.{probe}", container)
    ]
    liveness = mapping(container.spec.get("livenessProbe"))
    seconds = seconds_to_fail(liveness)
    if liveness and "startupProbe" in missing and seconds < COLD:
        yield Problem(
            (*container.path, "startupProbe"),
            f"{container} has no startupProbe: its livenessProbe kills it after {seconds} s, and a 7B model "
            f"on an H100 took {measured(seconds)} to load",
            severity=Severity.ERROR if seconds < FASTEST else None,
        )
    elif "readinessProbe" in missing:
        without = f"{', '.join(missing[:-1])} and {missing[-1]}" if len(missing) > 1 else missing[0]
        message = f"{container} has no {without}: requests reach it before the model is loaded"
        yield Problem((*container.path, "readinessProbe"), message)


def _is_second(pod: Pod, container: Container) -> bool:
    """Whether the pod is a LeaderWorkerSet's worker, to which no Service leads."""
    return pod.path[-1:] == ("workerTemplate",) and "leaderTemplate" in mapping(
        mapping(pod.resource.manifest.get("spec")).get("leaderWorkerTemplate")
    )
