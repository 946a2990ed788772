"""Run the rules that look at the sources of an overlay instead of what they render."""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.checks.nets import internal_error
from vllm_kustomize.checks.plan import Plan
from vllm_kustomize.kustomize.replay.graph import SourceGraph
from vllm_kustomize.model import Finding, Overlay, Skipped


def check_sources(overlay: Overlay, graph: SourceGraph, plan: Plan) -> Iterator[Finding]:
    """Yield what the rules find in the sources of an overlay, at places that they name themselves."""
    for rule in plan.rules:
        try:
            found = rule.check_source(graph) if rule.check_source else ()
            problems = tuple(dict.fromkeys(found))  # a base that is included twice shows its faults twice
        except Exception as fault:
            yield internal_error(rule.id, fault, overlay.name, graph.file)
            continue
        for problem in problems:
            yield Finding(
                rule.id,
                rule.severity,
                problem.message,
                rule.help,
                overlay.name,
                location=problem.location,
                related=problem.related,
            )


def gaps(overlay: Overlay, graph: SourceGraph, plan: Plan) -> Iterator[Skipped]:
    """Say what the sources of an overlay hide from the rules that look at them."""
    if any(rule.check_source for rule in plan.rules):
        for place in graph.incomplete:
            reason = f"{place.note or 'not YAML'} ({place.file}:{place.line})"
            yield Skipped(f"unused patches and overrides of {overlay.name}", reason)
