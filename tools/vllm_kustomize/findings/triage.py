"""Decide what becomes of the findings: merged, accepted by someone, or reported."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path

from vllm_kustomize.findings.merge import merge
from vllm_kustomize.kustomize.discover import display_path
from vllm_kustomize.model import Allow, Finding, Location, Precision, Severity, Suppressed
from vllm_kustomize.model.location import RENDERED
from vllm_kustomize.settings import ALWAYS, Ignore, Settings

UNUSED, INVALID = "unused-suppression", "invalid-suppression"

NEVER_ACCEPTED = ALWAYS | {UNUSED, INVALID}
"""Findings after which something was not checked, and those on the comments themselves."""


@dataclass(frozen=True, slots=True)
class Triaged:
    """What is reported and what was accepted."""

    findings: tuple[Finding, ...]
    suppressed: tuple[Suppressed, ...] = ()


def triage(
    findings: Iterable[Finding],
    settings: Settings,
    allows: tuple[Allow, ...],
    seen_whole: Callable[[str], bool],
) -> Triaged:
    """Apply the settings' severities and ignores, the comments in the sources, and the baseline.

    `allows` are the comments. `seen_whole` tells whether all that a file has a part in was
    checked, so that a comment in it which accepted nothing is of no use.
    """
    judged = (replace(f, severity=settings.severity(f.rule, f.severity)) for f in findings)
    wanted, ignored = _apply_ignores(judged, settings)
    unallowed, allowed, own = _apply_comments(wanted, settings, allows, seen_whole)
    new, known, stale = _apply_baseline(unallowed, settings, seen_whole)
    return Triaged(tuple(in_order((*new, *own, *stale))), (*ignored, *allowed, *known))


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Findings by file, then object as they stand in it, the errors of an object first, then by line."""
    listed = list(findings)
    begins: dict[tuple[str, str], int] = {}
    for finding in listed:
        key, line = _object_in_file(finding), finding.location.line if finding.location else 0
        begins[key] = min(line, begins.get(key, line))

    def rank(finding: Finding) -> tuple[str, int, str, int, int, int]:
        file, resource = _object_in_file(finding)
        at = finding.location
        line, column = (at.line, at.column) if at else (0, 0)
        return file, begins[file, resource], resource, -finding.severity, line, column

    return sorted(listed, key=rank)


def _object_in_file(finding: Finding) -> tuple[str, str]:
    return finding.location.file if finding.location else "", str(finding.resource or "")


def _apply_ignores(
    findings: Iterable[Finding], settings: Settings
) -> tuple[tuple[Finding, ...], list[Suppressed]]:
    """Take out what the settings accept; overlay by overlay, because an ignore may be for one of them."""
    kept: list[Finding] = []
    taken: dict[Ignore, list[Finding]] = {}
    for finding in findings:
        ignore = next((one for one in settings.ignores if _ignores(one, finding, settings)), None)
        (taken.setdefault(ignore, []) if ignore else kept).append(finding)
    return merge(kept), [
        Suppressed(finding, "settings", ignore.reason)
        for ignore, accepted in taken.items()
        for finding in merge(accepted)
    ]


def _ignores(ignore: Ignore, finding: Finding, settings: Settings) -> bool:
    if finding.rule in NEVER_ACCEPTED or not fnmatchcase(finding.rule, ignore.rule):
        return False
    if _is_over(ignore.until, settings):
        return False
    if not ignore.overlays:
        return True
    root = settings.file.parent if settings.file else Path.cwd()
    try:
        name = (Path.cwd() / (finding.overlay or "")).relative_to(root).as_posix()
    except ValueError:
        return False
    return any(fnmatchcase(name, pattern.rstrip("/")) for pattern in ignore.overlays)


def _is_over(until: str, settings: Settings) -> bool:
    return bool(until) and (settings.today or date.today()).isoformat() > until


def _apply_comments(
    findings: Iterable[Finding],
    settings: Settings,
    allows: tuple[Allow, ...],
    seen_whole: Callable[[str], bool],
) -> tuple[list[Finding], list[Suppressed], list[Finding]]:
    """Take out what comments accept; the last list are findings on the comments themselves."""
    if not allows:
        return list(findings), [], []
    used: set[tuple[Allow, str]] = set()
    kept, suppressed = [], []
    complete = True
    for finding in findings:
        complete = complete and finding.rule not in NEVER_ACCEPTED
        allow = next((one for one in allows if _allows(one, finding)), None)
        if allow is None:
            kept.append(finding)
            continue
        used.add((allow, finding.rule))
        if _is_over(allow.until, settings):
            note = replace(allow.location, note=f"was allowed here until {allow.until}")
            kept.append(replace(finding, related=(*finding.related, note)))
        else:
            suppressed.append(Suppressed(finding, "source", allow.reason))
    own = [one for allow in allows if allow.error for one in _about(allow, INVALID, allow.error, settings)]
    if complete:
        own += _unused(allows, used, settings, seen_whole)
    return kept, suppressed, own


def _allows(allow: Allow, finding: Finding) -> bool:
    rendered = (related for related in finding.related if related.note == RENDERED)
    at = next(rendered, finding.location)
    if allow.error or at is None or finding.rule in NEVER_ACCEPTED or finding.rule not in allow.rules:
        return False
    here = allow.heads if at.precision == Precision.FILE else allow.line in (at.line, at.begins)
    return here and allow.location.file == at.file


def _unused(
    allows: Iterable[Allow],
    used: set[tuple[Allow, str]],
    settings: Settings,
    seen_whole: Callable[[str], bool],
) -> Iterator[Finding]:
    for allow in allows:
        if allow.error or not seen_whole(allow.location.file):
            continue
        for rule in allow.rules:
            if (allow, rule) not in used and settings.selects(rule):
                yield from _about(allow, UNUSED, f"nothing here is found by {rule}", settings)


def _about(allow: Allow, rule_id: str, message: str, settings: Settings) -> Iterator[Finding]:
    from vllm_kustomize import rules

    if settings.selects(rule_id):
        rule = rules.get(rule_id)
        severity = settings.severity(rule_id, rule.severity)
        yield Finding(rule_id, severity, message, rule.help, location=allow.location)


def _apply_baseline(
    findings: list[Finding], settings: Settings, seen_whole: Callable[[str], bool]
) -> tuple[list[Finding], list[Suppressed], list[Finding]]:
    """Take out what the baseline knows; the last list says how many of its entries nothing needs now."""
    if settings.baseline is None:
        return findings, [], []
    from vllm_kustomize.findings import baseline

    known = baseline.read(settings.baseline)
    unused = dict(known)
    kept, suppressed = [], []
    for finding, fingerprint in baseline.identified(findings):
        unused.pop(fingerprint, None)
        if fingerprint in known and finding.rule not in NEVER_ACCEPTED:
            suppressed.append(Suppressed(finding, "baseline", "known when the baseline was written"))
        else:
            kept.append(finding)
    if any(finding.rule in NEVER_ACCEPTED for finding in findings):
        return kept, suppressed, []
    stale = sum(settings.selects(rule) and seen_whole(file) for rule, file in unused.values())
    return kept, suppressed, list(_stale(settings.baseline, stale, settings)) if stale else []


def _stale(file: Path, count: int, settings: Settings) -> Iterator[Finding]:
    matches = "entry of the baseline matches" if count == 1 else "entries of the baseline match"
    if settings.selects(UNUSED):
        at = Location(display_path(file), 1, 1, precision=Precision.EXACT)
        message = f"{count} {matches} nothing now"
        yield Finding(UNUSED, Severity.INFO, message, "Write it anew with --write-baseline.", location=at)
