"""GitLab's Code Quality report: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format."""

from __future__ import annotations

import json

from vllm_kustomize.findings.fingerprint import fingerprints
from vllm_kustomize.model import Report, Severity
from vllm_kustomize.reporters import Style, sentence, visible

_SEVERITIES = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.INFO: "info"}


def render(report: Report, style: Style) -> str:
    """Write a JSON list with one entry per finding."""
    entries = [
        {
            "description": f"{sentence(finding)} {visible(finding.help)}".strip(),
            "check_name": finding.rule,
            "fingerprint": fingerprint,
            "severity": _SEVERITIES[finding.severity],
            "location": {
                "path": visible(finding.location.file if finding.location else finding.overlay or "."),
                "lines": {"begin": finding.location.line if finding.location else 1},
            },
        }
        for finding, fingerprint in zip(report.findings, fingerprints(report.findings), strict=True)
    ]
    return json.dumps(entries, indent=2) + "\n"
