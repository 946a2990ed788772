"""A Deployment that is recreated keeps settings for rolling updates.

A patch that sets `type: Recreate` keeps the base's `rollingUpdate`, and the API server refuses both
together.

Bad:   strategy: {type: Recreate}, over a base with rollingUpdate
Good:  strategy: {type: Recreate, rollingUpdate: null}
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kustomize.replay.graph import SourceGraph
from vllm_kustomize.model import Severity, SourceProblem

SEVERITY = Severity.ERROR
HELP = "Add `rollingUpdate: null` or `$patch: replace` to the patch's strategy."


def check_source(graph: SourceGraph) -> Iterator[SourceProblem]:
    """Yield each Deployment whose strategy has both."""
    for source in graph.objects:
        strategy, _ = source.root.find(("spec", "strategy"))
        kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
        if (
            kind is not None
            and rolling is not None
            and kind.value == "Recreate"
            and rolling.value is not None
        ):
            yield SourceProblem(
                kind.location(),
                f"{source} is recreated, but keeps rollingUpdate",
                (rolling.key_location(note="set here"),),
            )
