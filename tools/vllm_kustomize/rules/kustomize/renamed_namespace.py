"""`namespace:` renames a Namespace object.

Kustomize gives a Namespace object of the build the name in `namespace:`, whatever it was called. Its labels
and quotas then apply to another namespace, which may be one that exists.

Bad:   namespace: team-a, and a Namespace object called vllm
Good:  namespace: vllm
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kustomize.replay.graph import SourceGraph
from vllm_kustomize.model import Severity, SourceProblem

SEVERITY = Severity.INFO
HELP = "Give both the same name, or keep the Namespace object in a build of its own."


def check_source(graph: SourceGraph) -> Iterator[SourceProblem]:
    """Yield each Namespace object that the setting renames."""
    for step in graph.steps:
        for change in step.changes if step.setting == "namespace" else ():
            before, after = change.before, change.after
            if after is None or before.id.kind != "Namespace" or before.id.name == after.id.name:
                continue
            name, _ = before.root.find(("metadata", "name"))
            yield SourceProblem(
                step.entry.location(),
                f"the Namespace object '{before.id.name}' is renamed to '{after.id.name}'",
                (name.location(note="named here"),),
            )
