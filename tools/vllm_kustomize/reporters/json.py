"""JSON, the contract that other programs use: version 1."""

from __future__ import annotations

import json
from typing import Any

from vllm_kustomize.model import Cluster, Finding, Location, Report, Resource, Severity, format_path
from vllm_kustomize.reporters import Style


def render(report: Report, style: Style) -> str:
    """Write a report as one JSON object."""
    document = {
        "version": 1,
        "findings": [finding_as_json(finding) for finding in report.findings],
        "summary": {
            "overlays": report.overlays,
            "documents": report.documents,
            "errors": report.count(Severity.ERROR),
            "warnings": report.count(Severity.WARNING),
            "infos": report.count(Severity.INFO),
            "suppressed": len(report.suppressed),
            "skipped": [
                {"what": skipped.what, "reason": skipped.reason, "whole": skipped.whole}
                for skipped in report.skipped
            ],
            "undecided": [
                {
                    "what": undecided.what,
                    "reason": undecided.reason,
                    "rules": list(undecided.rules),
                    "targets": list(undecided.targets),
                }
                for undecided in report.undecided
            ],
            "engine": report.engine,
            "cluster": cluster_as_json(report.cluster) if report.cluster else None,
        },
    }
    return json.dumps(document, indent=2) + "\n"


def finding_as_json(finding: Finding) -> dict[str, Any]:
    """A finding as the contract has it."""
    return {
        "rule": finding.rule,
        "severity": str(finding.severity),
        "message": finding.message,
        "count": finding.count,
        "help": finding.help,
        "overlay": finding.overlay,
        "overlays": list(finding.overlays),
        "document": finding.resource.document if finding.resource else None,
        "resource": resource_as_json(finding.resource) if finding.resource else None,
        "path": format_path(finding.path),
        "location": location_as_json(finding.location) if finding.location else None,
        "related": [{**location_as_json(related), "note": related.note} for related in finding.related],
    }


def cluster_as_json(cluster: Cluster) -> dict[str, str]:
    """Whose API server was asked."""
    return {"context": cluster.context, "namespace": cluster.namespace}


def resource_as_json(resource: Resource) -> dict[str, str | None]:
    """What identifies an object."""
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "namespace": resource.namespace or None,
        "name": resource.name,
    }


def location_as_json(location: Location) -> dict[str, Any]:
    """A place, and how sure it is; its note is for the caller to put somewhere."""
    return {
        "file": location.file,
        "line": location.line,
        "column": location.column,
        "precision": str(location.precision),
    }
