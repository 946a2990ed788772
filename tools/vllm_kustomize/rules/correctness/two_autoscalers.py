"""Two autoscalers set the replicas of one workload.

Each undoes what the other did, again and again; KEDA makes an autoscaler of its own for every ScaledObject,
and its webhook refuses one beside another.

Bad:   a HorizontalPodAutoscaler and a ScaledObject for Deployment/vllm-server
Good:  one of them; or the annotation scaledobject.keda.sh/transfer-hpa-ownership, by which KEDA takes over

Source: https://keda.sh/docs/latest/concepts/scaling-deployments/#transfer-ownership-of-an-existing-hpa
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import mapping
from vllm_kustomize.kubernetes.lookup import autoscalers
from vllm_kustomize.model import Build, Problem, Related, Resource, Severity

SEVERITY = Severity.ERROR
HELP = "Keep one of the two; a ScaledObject can have several triggers."

_TAKES_OVER = "scaledobject.keda.sh/transfer-hpa-ownership"


def check_build(build: Build) -> Iterator[Problem]:
    """Yield autoscalers of a workload that has one already."""
    for workload in build.resources:
        scalers = autoscalers(build, workload)
        if len(scalers) < 2 or any(_takes_over(scaler) for scaler in scalers):
            continue
        first = Related(("spec", "scaleTargetRef"), "the other one is here", scalers[0])
        for scaler in scalers[1:]:
            yield Problem(
                ("spec", "scaleTargetRef"),
                f"{workload} is scaled by {scalers[0]} already",
                resource=scaler,
                related=(first,),
            )


def _takes_over(scaler: Resource) -> bool:
    return mapping(scaler.manifest, "metadata", "annotations").get(_TAKES_OVER) == "true"
