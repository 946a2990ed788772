"""A patch removes a volume and leaves its mounts.

`$patch: delete` on a volume leaves every container's volumeMount behind, and the API server refuses the
pod.

Bad:   volumes: [{name: cache, $patch: delete}]
Good:  the same, and volumeMounts: [{mountPath: /cache, $patch: delete}]
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kustomize.replay.graph import SourceGraph
from vllm_kustomize.kustomize.replay.strategic import pod_spec
from vllm_kustomize.kustomize.yaml.nodes import Node
from vllm_kustomize.model import Location, Severity, SourceProblem

SEVERITY = Severity.ERROR
HELP = "Delete the mount in the same patch; mounts are merged by mountPath."


def check_source(graph: SourceGraph) -> Iterator[SourceProblem]:
    """Yield each mount of a volume that a patch took away."""
    for source in graph.objects:
        spec = pod_spec(source.root)
        if spec is None:
            continue
        volumes = {volume.text("name") for volume in spec.items("volumes")}
        for container in [*spec.items("containers"), *spec.items("initContainers")]:
            for mount in container.items("volumeMounts"):
                name = mount.get("name")
                if name is None or not isinstance(name.value, str) or name.value in volumes:
                    continue
                if removed := tuple(_removals(graph, name.value, source.original.name)):
                    message = (
                        f"container '{container.text('name')}' of {source} mounts the volume '{name.value}'"
                    )
                    yield SourceProblem(name.location(), f"{message}, which a patch removed", removed)


def _removals(graph: SourceGraph, volume: str, owner: str) -> Iterator[Location]:
    for step in graph.steps:
        for change in step.changes if step.patch else ():
            if change.after is None or change.before.original.name != owner:
                continue
            before, after = pod_spec(change.before.root), pod_spec(change.after.root)
            if before and after and volume in _volumes(before) and volume not in _volumes(after):
                yield step.entry.location(note="removed by this patch")


def _volumes(spec: Node) -> set[str]:
    return {volume.text("name") for volume in spec.items("volumes")}
