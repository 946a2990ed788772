"""Sum up what one rule finds again and again in one object: nobody reads a thousand lines of the same."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from vllm_kustomize.model import Finding

MANY = 100
"""Findings of one rule in one object from which on they become one."""
_PLACES = 5


def sum_up(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Make one finding of `MANY` and more that a rule has in one object: the first, with their `count`.

    It names the next places. Reporters show it; comments and baselines have had each finding before.
    """
    listed = list(findings)
    alike: dict[Hashable, list[Finding]] = {}
    for finding in listed:
        alike.setdefault(_subject(finding), []).append(finding)
    if all(len(group) < MANY for group in alike.values()):
        return tuple(listed)
    return tuple(_summed(listed, alike))


def _subject(finding: Finding) -> Hashable:
    """What one rule speaks of: an object of an overlay or file; the file where there is no object."""
    at, resource = finding.location, finding.resource
    return (
        finding.rule,
        finding.severity,
        finding.overlay,
        finding.overlays,
        at.file if at else "",
        (str(resource), resource.namespace, resource.document, resource.at) if resource else None,
    )


def _summed(findings: Iterable[Finding], alike: Mapping[Hashable, Sequence[Finding]]) -> Iterator[Finding]:
    for finding in findings:
        group = alike[_subject(finding)]
        if len(group) < MANY:
            yield finding
        elif finding is group[0]:
            first, *others = group
            places = [replace(each.location, note=each.message) for each in others[:_PLACES] if each.location]
            yield replace(
                first,
                message=f"{first.message} (and {len(others):,} more that {first.rule} finds here)",
                related=(*first.related, *places),
                count=len(others) + 1,
            )
