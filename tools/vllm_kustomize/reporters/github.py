"""GitHub annotations: workflow commands that a step prints, shown beside the line in a pull request.

Escaping as actions/toolkit does (packages/core/src/command.ts): `%`, CR and LF everywhere, `:` and `,` in
properties.
"""

from __future__ import annotations

from vllm_kustomize.model import Finding, Report, Severity
from vllm_kustomize.reporters import Style, sentence, visible

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(report: Report, style: Style) -> str:
    """Write one command per finding."""
    return "".join(f"{_command(finding)}\n" for finding in report.findings)


def _command(finding: Finding) -> str:
    properties = {"title": finding.rule}
    if finding.location:
        at = finding.location
        properties = {"file": at.file, "line": str(at.line), "col": str(at.column), **properties}
    written = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    related = [
        f"{at.file}:{at.line}:{at.column}: {at.note}" if at.note else f"{at.file}:{at.line}:{at.column}"
        for at in finding.related
    ]
    help_ = [f"help: {finding.help}"] if finding.help else []
    text = "\n".join([sentence(finding), *related, *help_])
    return f"::{_COMMANDS[finding.severity]} {written}::{_data(text)}"


def _data(text: str) -> str:
    return visible(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
