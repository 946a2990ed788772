"""Know a finding again after lines have moved."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping

from vllm_kustomize.model import FieldPath, Finding, Manifest, format_path

_GENERATED = re.compile(r"-[a-z0-9]{10}\Z")
"""The hash that Kustomize appends to the names of generated objects; it changes with their content."""


def fingerprints(findings: Iterable[Finding]) -> list[str]:
    """Return a fingerprint of each finding, in order: 32 hexadecimal digits, all different.

    It is made of what stays when lines move or list items are added elsewhere: rule, file, object, field and
    message. Values of fields are not part of it, so that none can be guessed from it.
    """
    seen: Counter[str] = Counter()
    result = []
    for finding in findings:
        identity = "\n".join(_identity(finding))
        seen[identity] += 1
        text = f"{identity}\n{seen[identity]}".encode("utf-8", "backslashreplace")
        result.append(hashlib.sha256(text).hexdigest()[:32])
    return result


def stable_path(path: FieldPath, manifest: Manifest) -> str:
    """Write a path with the items' names instead of list indexes, or nothing where they have none."""
    steps: list[str | int] = []
    value: object = manifest
    for step in path:
        if isinstance(value, list) and isinstance(step, int):
            value = value[step] if 0 <= step < len(value) else None
            name = value.get("name") if isinstance(value, Mapping) else None
            steps.append(name if isinstance(name, str) else "-")
        else:
            value = value.get(step) if isinstance(value, Mapping) else None
            steps.append(step)
    return format_path(tuple(steps))


def _identity(finding: Finding) -> tuple[str, ...]:
    resource = finding.resource
    file = finding.location.file if finding.location else finding.overlay or ""
    if resource is None:
        return (finding.rule, file, "", "", "", finding.message)
    name = _GENERATED.sub("", resource.name) if resource.kind in ("ConfigMap", "Secret") else resource.name
    where = f"{resource.namespace}/{name}"
    return (finding.rule, file, resource.kind, where, finding.stable_path, finding.message)
