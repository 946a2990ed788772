"""`diff` warns where a change deletes what cannot be rendered anew: a claim, a namespace, a definition.

Argo CD and Flux prune what is no longer rendered. With a claim goes its volume, unless the reclaim policy is
Retain: models are downloaded again, and what only stood there is lost. With a namespace goes everything in
it, and with a definition every object of its kind. A claim that is renamed is a new and empty one. A
StatefulSet keeps its claims, unless its `persistentVolumeClaimRetentionPolicy` says Delete.

Bad:   metadata: {name: vllm-cache}                 (it was vllm-models)
Good:  metadata: {annotations: {argocd.argoproj.io/sync-options: Prune=false}}   (applied before it goes)
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import number, text
from vllm_kustomize.kubernetes.pruning import pruned_by
from vllm_kustomize.model import Problem, Resource, Severity

SEVERITY = Severity.WARNING
HELP = "Keep the object, or copy the data first; Prune=false (Argo CD) and prune: disabled (Flux) keep it."

_GOES_ALONG = {
    "PersistentVolumeClaim": "its volume, unless the reclaim policy is Retain",
    "Namespace": "everything in it",
    "CustomResourceDefinition": "every object of its kind",
}
_RETENTION = ("spec", "persistentVolumeClaimRetentionPolicy")


def check(before: Resource | None, after: Resource | None) -> Iterator[Problem]:
    """Yield a problem where the object's data goes with it, or with some of its replicas."""
    if before is None:
        return
    if after is None:
        by, lost = pruned_by(before), lost_with(before)
        if by and lost:
            yield Problem((), f"is no longer rendered: where pruning is on, {by} deletes it and {lost}")
        return
    fewer = number(after.manifest, "spec", "replicas", default=1)
    if (
        after.kind == "StatefulSet"
        and text(after.manifest, *_RETENTION, "whenScaled") == "Delete"
        and fewer < number(before.manifest, "spec", "replicas", default=1)
    ):
        message = f"scaling down to {fewer} deletes the claims of the other replicas (whenScaled: Delete)"
        yield Problem(("spec", "replicas"), message)


def lost_with(resource: Resource) -> str:
    """What is deleted along with an object and cannot be rendered anew, or an empty string."""
    if resource.kind == "StatefulSet" and text(resource.manifest, *_RETENTION, "whenDeleted") == "Delete":
        return "its claims (whenDeleted: Delete)"
    return _GOES_ALONG.get(resource.kind, "")
