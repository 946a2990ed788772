"""How often each rule found something, and in which overlays: a table for a person, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vllm_kustomize.model import Finding, Report
from vllm_kustomize.reporters import Style, one_line
from vllm_kustomize.wording import shorten

_WIDEST = 60


def render(report: Report, style: Style) -> str:
    """Write a line a rule, the most severe and most frequent first."""
    return "".join(f"{line}\n" for line in table(report))


def table(report: Report) -> Iterator[str]:
    """The lines of the table: severity, rule, how many findings, and the overlays or files they are in."""
    found: dict[tuple[int, str], list[Finding]] = {}
    for finding in report.findings:
        found.setdefault((-finding.severity, finding.rule), []).append(finding)
    width = max((len(rule) for _, rule in found), default=0)
    for (_, rule), findings in sorted(
        found.items(), key=lambda item: (item[0][0], -_count(item[1]), item[0][1])
    ):
        places = dict.fromkeys(place for finding in findings for place in _places(finding))
        shown = one_line(shorten(", ".join(places), _WIDEST))
        more = f" ({len(places)})" if len(places) > 1 else ""
        yield f"{findings[0].severity!s:7}  {rule:{width}}  {_count(findings):5}  {shown}{more}"


def _count(findings: Iterable[Finding]) -> int:
    return sum(finding.count for finding in findings)


def _places(finding: Finding) -> tuple[str, ...]:
    if finding.overlays or finding.overlay:
        return finding.overlays or (finding.overlay or "",)
    return (finding.location.file,) if finding.location else ()
