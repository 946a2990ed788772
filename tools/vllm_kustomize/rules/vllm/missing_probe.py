"""A vLLM server has a startup, a readiness and a liveness probe.

Nothing listens until the model is loaded, which takes from one minute to an hour. Without a startup
probe the liveness probe kills the server while it loads; without a readiness probe requests are sent to
it before it can answer; without a liveness probe a dead engine stays.

Bad:   only a livenessProbe with initialDelaySeconds: 60
Good:  startupProbe, readinessProbe and livenessProbe on /health

Source: https://docs.vllm.ai/en/latest/deployment/k8s.html, "Startup probe or readiness probe failure"
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import strings
from vllm_kustomize.kubernetes.pods import pods
from vllm_kustomize.model import Problem, Resource, Severity

SEVERITY = Severity.ERROR
HELP = "Add the probe: httpGet /health on the server's port, with an hour's budget for startup."

_WHY = {
    "startupProbe": "a slow load looks like a failure",
    "readinessProbe": "requests reach it before the model is loaded",
    "livenessProbe": "nothing restarts it when it hangs",
}


def check(resource: Resource) -> Iterator[Problem]:
    """Yield the probes that a serving container lacks; `--headless` workers serve nothing."""
    if resource.kind in ("Job", "CronJob"):
        return
    for pod in pods(resource):
        for container in pod.servers:
            words = [*strings(container.spec.get("command")), *strings(container.spec.get("args"))]
            if "--headless" in " ".join(words).split():
                continue
            for probe, why in _WHY.items():
                if not container.spec.get(probe):
                    yield Problem((*container.path, probe), f"{container} has no {probe}: {why}")
