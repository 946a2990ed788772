"""A Deployment's progress deadline ends before its pods have used their time to start.

After progressDeadlineSeconds (600 by default) Kubernetes reports the rollout as failed: Argo CD turns
Degraded and Flux gives up, although the startup probe still lets the model load.

Bad:   startupProbe of an hour, no progressDeadlineSeconds
Good:  startupProbe of an hour, progressDeadlineSeconds: 3900
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import mapping, number
from vllm_kustomize.kubernetes.pods import pods
from vllm_kustomize.model import Problem, Related, Resource, Severity
from vllm_kustomize.vllm.startup import startup_budget

SEVERITY = Severity.WARNING
HELP = "Set progressDeadlineSeconds above periodSeconds x failureThreshold of the startup probe."

_DEFAULT = 600


def check(resource: Resource) -> Iterator[Problem]:
    """Yield Deployments whose deadline ends before the startup probe does."""
    if resource.kind != "Deployment":
        return
    deadline = number(mapping(resource.manifest.get("spec")).get("progressDeadlineSeconds"), default=_DEFAULT)
    for pod in pods(resource):
        for container in pod.containers:
            budget = startup_budget(container)
            if budget is not None and budget > deadline:
                yield Problem(
                    ("spec", "progressDeadlineSeconds"),
                    f"the rollout fails after {deadline} s, but {container} has {budget} s to start",
                    related=(Related((*container.path, "startupProbe"), "the startup probe is set here"),),
                )
