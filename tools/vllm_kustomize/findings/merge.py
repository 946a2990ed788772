"""Make one finding of those that several overlays share: a fault in a base is one fault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import replace

from vllm_kustomize.model import Finding, Undecided


def merge(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Keep the first of the findings that overlays share, with the names of all these overlays.

    Findings are the same fault where rule, message, place, field and kind are; objects may have other names,
    because an overlay can prefix them. Two of one overlay never merge.
    """
    merged: dict[Hashable, Finding] = {}
    seen: Counter[Hashable] = Counter()
    for finding in findings:
        kind = finding.resource.kind if finding.resource else ""
        fault = (
            finding.rule,
            finding.severity,
            finding.message,
            finding.location,
            finding.path,
            kind,
        )
        occurrence = (finding.overlay, fault)
        seen[occurrence] += 1
        key = (fault, seen[occurrence])
        first = merged.get(key, finding)
        names = (finding.overlay,) if finding.overlay else ()
        merged[key] = replace(first, overlays=first.overlays + names)
    return tuple(merged.values())


def merge_undecided(undecided: Iterable[Undecided]) -> tuple[Undecided, ...]:
    """One for everything that could not be judged of one thing for one reason, with all rules and targets."""
    merged: dict[Hashable, Undecided] = {}
    for each in undecided:
        key = (each.what, each.reason)
        first = merged.get(key, each)
        merged[key] = replace(
            first,
            rules=tuple(dict.fromkeys(first.rules + each.rules)),
            targets=tuple(dict.fromkeys(first.targets + each.targets)),
        )
    return tuple(merged.values())
