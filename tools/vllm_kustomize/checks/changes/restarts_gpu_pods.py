"""`diff` says which workloads with GPUs are restarted by a change of their pod template.

A pod is never changed, it is replaced: a model server is down, or needs a second set of GPUs, while the next
one loads its weights, which takes minutes. With `Recreate` nothing serves meanwhile; with `RollingUpdate` a
spare GPU has to be free, unless `maxSurge` is 0. A CronJob restarts nothing.

Bad:   args: [--max-model-len=8192]                 (it was 4096; the server restarts for it)
Good:  annotations on the Deployment, not in its template, where only people read them
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vllm_kustomize.kubernetes.devices import gpus
from vllm_kustomize.kubernetes.fields import flag, is_set, mapping, number, text
from vllm_kustomize.kubernetes.pods import all_pods
from vllm_kustomize.model import FieldPath, Problem, Related, Resource, Severity

SEVERITY = Severity.INFO
HELP = "Apply it when the server may be away, or have spare GPUs free."

_NOT_RESTARTED = ("Pod", "Job", "CronJob", "ReplicaSet")
_MOST_NAMED = 5


def check(before: Resource | None, after: Resource | None) -> Iterator[Problem]:
    """Yield a problem at the first field that changes in the template of pods with GPUs."""
    if before is None or after is None or after.kind in _NOT_RESTARTED or _waits(after):
        return
    old = {pod.path: pod for pod in all_pods(before)}
    for pod in all_pods(after):
        last = old.get(pod.path)
        devices = sorted({name for container in pod.all_containers for name in gpus(_limits(container.spec))})
        if last is None or not devices:
            continue
        changed = list(_changed(last.template, pod.template, pod.path))
        if changed:
            related = tuple(Related(path, "changes too") for path in changed[1:_MOST_NAMED])
            message = f"the pod template changes: {_what_happens(after, ', '.join(devices))}"
            yield Problem(changed[0], message, related=related)


def _limits(container: Any) -> Any:
    return {**mapping(container, "resources", "requests"), **mapping(container, "resources", "limits")}


def _waits(resource: Resource) -> bool:
    """Whether the new template waits for someone: no replica, a pause, an update on deletion."""
    spec = mapping(resource.manifest, "spec")
    return (
        (is_set(spec, "replicas") and number(spec, "replicas", default=1) == 0)
        or flag(spec, "paused")
        or text(spec, "updateStrategy", "type") == "OnDelete"
    )


def _what_happens(resource: Resource, devices: str) -> str:
    if resource.kind == "DaemonSet":
        return f"its pods with {devices} are replaced on all nodes"
    count = number(resource.manifest, "spec", "replicas", default=1)
    pods = f"its {count} pods" if count > 1 else "its pod"
    if resource.kind == "Deployment" and text(resource.manifest, "spec", "strategy", "type") == "Recreate":
        return f"{pods} with {devices} must end before new ones start (Recreate)"
    return f"{pods} with {devices} {'are' if count > 1 else 'is'} replaced"


def _changed(before: Any, after: Any, path: FieldPath) -> Iterator[FieldPath]:
    """The fields that differ; a list whose length differs is one field, and so is one that is gone."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}, key=str):
            yield from _changed(before.get(key), after.get(key), (*path, key))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _changed(old, new, (*path, index))
    elif before != after:
        yield path
