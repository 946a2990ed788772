"""Text for a person at a terminal: a block a finding, grouped by overlay, and a summary line."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from vllm_kustomize.model import Finding, Location, Precision, Report, Severity
from vllm_kustomize.reporters import Style

_COLOURS = {Severity.ERROR: "1;31", Severity.WARNING: "1;33", Severity.INFO: "1;36"}
_BOLD, _DIM = "1", "2"


def render(report: Report, style: Style) -> str:
    """Write the findings, and unless quiet what was skipped and a summary."""
    lines: list[str] = []
    for overlay, findings in groupby(report.findings, key=lambda finding: finding.overlay):
        if overlay and report.overlays > 1:
            lines += [_paint(overlay, _BOLD, style), ""]
        for finding in findings:
            lines += [*_block(finding, style), ""]
    if style.verbosity >= 0:
        lines += [f"skipped {skipped.what}: {skipped.reason}" for skipped in report.skipped]
        lines += list(_verbose(report, style))
        lines.append(_summary(report, style))
    return "".join(f"{line}\n" for line in lines)


def _block(finding: Finding, style: Style) -> Iterator[str]:
    colour = _COLOURS[finding.severity]
    label = _paint(f"{finding.severity}[{finding.rule}]", colour, style)
    where = f"{_place(finding.location)}: " if finding.location else ""
    subject = f"{finding.resource}: " if finding.resource else ""
    yield f"{_paint(where, _BOLD, style)}{label} {subject}{_inline(finding.message)}"
    for related in finding.related:
        yield f"    {_place(related)}: {related.note}"
    if finding.help:
        yield f"    {_paint('help:', _DIM, style)} {_inline(finding.help)}"


def _place(location: Location) -> str:
    if location.precision == Precision.FILE:
        return location.file
    return f"{location.file}:{location.line}:{location.column}"


def _verbose(report: Report, style: Style) -> Iterator[str]:
    if style.verbosity > 0:
        versions = ", ".join(f"{major}.{minor}" for major, minor in report.kubernetes_versions)
        yield f"engine: {report.engine}"
        yield f"Kubernetes: {versions}"


def _summary(report: Report, style: Style) -> str:
    errors, warnings = report.count(Severity.ERROR), report.count(Severity.WARNING)
    infos = report.count(Severity.INFO)
    parts = [
        *([_number(report.overlays, "overlay")] if report.overlays else []),
        _number(report.documents, "object"),
        _paint(_number(errors, "error"), _COLOURS[Severity.ERROR] if errors else "", style),
        _paint(_number(warnings, "warning"), _COLOURS[Severity.WARNING] if warnings else "", style),
        *([_number(infos, "info")] if infos else []),
        *([f"{len(report.skipped)} skipped"] if report.skipped else []),
    ]
    seconds = "" if style.seconds is None else f" in {style.seconds:.1f} s"
    return ", ".join(parts) + seconds


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _paint(text: str, code: str, style: Style) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if style.colour and code and text else text


def _inline(text: str) -> str:
    """Text from manifests or the engine, with control characters made visible: a terminal would obey them."""
    visible = (c if c == "\n" or c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return "".join(visible).replace("\n", "\n    ")
