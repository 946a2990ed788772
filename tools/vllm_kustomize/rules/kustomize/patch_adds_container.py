"""A strategic merge patch names a container that does not exist.

Containers are merged by name. A name that the base does not have adds a second container, which has no
image, instead of changing the first.

Bad:   containers: [{name: vlm, args: [...]}], over a base whose container is called vllm
Good:  containers: [{name: vllm, args: [...]}]
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kustomize.replay.graph import SourceGraph
from vllm_kustomize.kustomize.replay.strategic import pod_spec
from vllm_kustomize.kustomize.yaml.nodes import Node
from vllm_kustomize.model import Severity, SourceProblem

SEVERITY = Severity.ERROR
HELP = "Use the name of the container that the patch should change, or give the new one an image."

_LISTS = ("containers", "initContainers")


def check_source(graph: SourceGraph) -> Iterator[SourceProblem]:
    """Yield each container without an image that a patch added."""
    for step in graph.steps:
        if step.patch is None or step.patch.is_json:
            continue
        for change in step.changes:
            if change.after is None:
                continue
            before, after = pod_spec(change.before.root), pod_spec(change.after.root)
            if before is None or after is None:
                continue
            for field in _LISTS:
                names = _names(before, field)
                for container in after.items(field):
                    name = container.get("name")
                    if name is not None and name.value not in names and not container.get("image"):
                        known = ", ".join(f"'{name}'" for name in names) or "none"
                        yield SourceProblem(
                            name.location(),
                            f"the patch adds a container '{name.value}' without an image to {change.before}; "
                            f"the ones it has: {known}",
                        )


def _names(spec: Node, field: str) -> list[str]:
    return [container.text("name") for container in spec.items(field)]
