"""`diff` names the objects that are no longer rendered.

Argo CD and Flux with pruning on delete what they applied and no longer find; `kubectl apply` leaves it in the
cluster, where nobody looks after it any more. Both may be meant. An object that was renamed is a new one, and
the old one goes. Claims, namespaces and definitions take more along: `removes-data` names them.

Bad:   resources: [deployment.yaml]                 (it was [deployment.yaml, service.yaml])
Good:  kubectl delete service vllm-server           (where nothing prunes, once the change is applied)
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.checks.changes.removes_data import lost_with
from vllm_kustomize.kubernetes.pruning import pruned_by
from vllm_kustomize.model import Problem, Resource, Severity

SEVERITY = Severity.INFO
HELP = "Where nothing prunes, delete it by hand; to keep it, render it on."


def check(before: Resource | None, after: Resource | None) -> Iterator[Problem]:
    """Yield a problem where the object is gone, and its data is not in question."""
    if before is None or after is not None or lost_with(before):
        return
    by = pruned_by(before)
    if by:
        yield Problem(
            (), f"is no longer rendered: {by} deletes it where pruning is on, kubectl apply leaves it"
        )
