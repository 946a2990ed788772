"""One line per finding, `file:line:column: severity[rule] message`, for editors and for grep."""

from __future__ import annotations

from vllm_kustomize.model import Report
from vllm_kustomize.reporters import Style, one_line, sentence


def render(report: Report, style: Style) -> str:
    """Write the findings and nothing else."""
    lines = []
    for finding in report.findings:
        at = finding.location
        where = f"{one_line(at.file)}:{at.line}:{at.column}: " if at else ""
        lines.append(f"{where}{finding.severity}[{finding.rule}] {sentence(finding)}\n")
    return "".join(lines)
