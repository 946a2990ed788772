"""Labels that are also written into selectors do not reach every selector that needs them.

`includeSelectors: true` (and `commonLabels`) changes the selectors of Deployments, Services and
PodDisruptionBudgets, and also the clients that a NetworkPolicy allows, which do not have the label. It does
not change the selectors of custom resources such as ServiceMonitor. A Deployment's selector cannot change
once it is applied.

Bad:   labels: [{pairs: {env: prod}, includeSelectors: true}], with a NetworkPolicy that allows app=client
Good:  labels: [{pairs: {env: prod}, includeTemplates: true}]
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kustomize.replay.graph import SourceGraph, Step
from vllm_kustomize.kustomize.yaml.nodes import Node
from vllm_kustomize.model import FieldPath, Severity, SourceProblem, format_path

SEVERITY = Severity.WARNING
HELP = "Use includeTemplates: true, which labels the pods and leaves every selector alone."


def check_source(graph: SourceGraph) -> Iterator[SourceProblem]:
    """Yield each setting that rewrites whom a NetworkPolicy allows."""
    for step in graph.steps:
        flag = step.entry.get("includeSelectors")
        if step.setting != "commonLabels" and (flag is None or flag.value is not True):
            continue
        at = (flag or step.entry).location()
        for peer, path, owner in _peers(step):
            yield SourceProblem(
                at,
                f"the label is also demanded of the clients that {owner} allows in {format_path(path)}",
                (peer.key_location(note="these clients"),),
            )


def _peers(step: Step) -> Iterator[tuple[Node, FieldPath, str]]:
    for change in step.changes:
        if change.after is None or change.after.id.kind != "NetworkPolicy":
            continue
        for direction, side in (("ingress", "from"), ("egress", "to")):
            spec, _ = change.before.root.find(("spec",))
            for index, rule in enumerate(spec.items(direction)):
                for position, peer in enumerate(rule.items(side)):
                    labels, depth = peer.find(("podSelector", "matchLabels"))
                    if depth == 2:
                        path = ("spec", direction, index, side, position, "podSelector", "matchLabels")
                        yield labels, path, str(change.before)
