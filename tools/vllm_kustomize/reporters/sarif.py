"""SARIF 2.1.0, which GitHub's code scanning and many editors read.

Written to the OASIS standard, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0".
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from vllm_kustomize.checks.manual import Entry, entry_for
from vllm_kustomize.findings.fingerprint import fingerprints
from vllm_kustomize.model import Finding, Location, Report, Severity, Skipped, format_path
from vllm_kustomize.reporters import Style, sentence, visible
from vllm_kustomize.version import __version__

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_ROOT = "SRCROOT"


def render(report: Report, style: Style) -> str:
    """Write one run; suppressed findings are results with a suppression."""
    results = [*report.findings, *(suppressed.finding for suppressed in report.suppressed)]
    rules = [entry_for(rule) for rule in dict.fromkeys(finding.rule for finding in results)]
    index = {entry.id: position for position, entry in enumerate(rules)}
    suppressions = [
        *([] for _ in report.findings),
        *([_suppression(one.by, one.reason)] for one in report.suppressed),
    ]
    run = {
        "tool": {
            "driver": {
                "name": "vllm-kustomize",
                "version": __version__,
                **({"informationUri": style.home} if style.home else {}),
                "rules": [_rule(rule, style.home) for rule in rules],
            }
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The folder in which the command was run."}}},
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": list(map(_notification, report.skipped)),
            }
        ],
        "results": [
            {**_result(finding, index[finding.rule], fingerprint), "suppressions": suppressed}
            for finding, fingerprint, suppressed in zip(
                results, fingerprints(results), suppressions, strict=True
            )
        ],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(entry: Entry, home: str) -> dict[str, Any]:
    page = {"helpUri": f"{home}/blob/main/docs/rules.md#group-{entry.group}"} if home else {}
    return {
        **page,
        "id": entry.id,
        "shortDescription": {"text": entry.summary},
        "fullDescription": {"text": entry.manual},
        "help": {"text": f"{entry.manual}\n\n{entry.help}".strip(), "markdown": entry.markdown()},
        "defaultConfiguration": {"level": _LEVELS[entry.severity]},
    }


def _result(finding: Finding, rule_index: int, fingerprint: str) -> dict[str, Any]:
    text = f"{sentence(finding)}\n{visible(finding.help)}".strip()
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": rule_index,
        "level": _LEVELS[finding.severity],
        "message": {"text": text},
        "locations": [_location(finding)],
        "partialFingerprints": {"vllmKustomize/v1": fingerprint},
        "properties": {"overlays": [visible(name) for name in finding.overlays]},
    }
    if finding.related:
        result["relatedLocations"] = [
            {
                "id": number,
                "physicalLocation": _physical(location),
                "message": {"text": visible(location.note) or "see here"},
            }
            for number, location in enumerate(finding.related, 1)
        ]
    return result


def _location(finding: Finding) -> dict[str, Any]:
    location: dict[str, Any] = {}
    if finding.location:
        location["physicalLocation"] = _physical(finding.location)
    if finding.resource:
        name = f"{finding.resource} {format_path(finding.path)}".strip()
        location["logicalLocations"] = [{"fullyQualifiedName": visible(name), "kind": "object"}]
    return location


def _physical(location: Location) -> dict[str, Any]:
    absolute = location.file.startswith("/")
    uri = quote(location.file, safe="/", errors="surrogateescape")
    artifact = {"uri": f"file://{uri}"} if absolute else {"uri": uri, "uriBaseId": _ROOT}
    end = {"endColumn": location.end_column} if location.end_column else {}
    return {
        "artifactLocation": artifact,
        "region": {"startLine": location.line, "startColumn": location.column, **end},
    }


def _suppression(by: str, reason: str) -> dict[str, str]:
    kind = "inSource" if by == "source" else "external"
    return {"kind": kind, "status": "accepted", "justification": visible(reason)}


def _notification(skipped: Skipped) -> dict[str, Any]:
    return {"level": "warning", "message": {"text": visible(f"skipped {skipped.what}: {skipped.reason}")}}
