"""A merge leaves a volume, environment variable or probe with two sources.

Kustomize merges the keys of a list item and of a map: a patch that sets `persistentVolumeClaim` over
`emptyDir`, `valueFrom` over `value` or `grpc` over `httpGet` keeps both, and the API server refuses them.

Bad:   volumes: [{name: cache, persistentVolumeClaim: {claimName: c}}], over an emptyDir
Good:  volumes: [{name: cache, emptyDir: null, persistentVolumeClaim: {claimName: c}}]
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.pods import PROBES
from vllm_kustomize.kustomize.replay.graph import SourceGraph
from vllm_kustomize.kustomize.replay.strategic import pod_spec
from vllm_kustomize.kustomize.yaml.nodes import Node
from vllm_kustomize.model import Severity, SourceProblem
from vllm_kustomize.wording import join

SEVERITY = Severity.ERROR
HELP = "Set the old one to null in the patch."

_HANDLERS = frozenset({"httpGet", "tcpSocket", "grpc", "exec"})
_ENV_SOURCES = frozenset({"value", "valueFrom"})


def check_source(graph: SourceGraph) -> Iterator[SourceProblem]:
    """Yield what has two sources that were written in different files."""
    for source in graph.objects:
        spec = pod_spec(source.root)
        if spec is None:
            continue
        for volume in spec.items("volumes"):
            kept = frozenset(volume.value) - {"name"} if isinstance(volume.value, dict) else frozenset()
            yield from _double(volume, kept, f"volume '{volume.text('name')}' of {source}")
        for container in [*spec.items("containers"), *spec.items("initContainers")]:
            for variable in container.items("env"):
                yield from _double(variable, _ENV_SOURCES, f"variable '{variable.text('name')}' of {source}")
            for name in PROBES:
                if probe := container.get(name):
                    yield from _double(probe, _HANDLERS, f"{name} of {source}")


def _double(owner: Node, names: frozenset[str], what: str) -> Iterator[SourceProblem]:
    if not isinstance(owner.value, dict):
        return
    found = [name for name in owner.value if name in names]
    if len({owner.value[name].file for name in found}) > 1:
        *earlier, last = found
        yield SourceProblem(
            owner.value[last].key_location(),
            f"{what} has {last} here, and keeps {join(earlier)} from before the merge",
            tuple(owner.value[name].key_location(note="set here") for name in earlier),
        )
