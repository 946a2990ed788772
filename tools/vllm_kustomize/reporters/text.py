"""Text for a person at a terminal: a block per finding with the line it points at, and a summary line."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from vllm_kustomize.findings.tokens import value_at
from vllm_kustomize.model import Finding, Location, Precision, Report, Severity, Undecided
from vllm_kustomize.reporters import Style, one_line, shared_by, visible
from vllm_kustomize.reporters.statistics import table
from vllm_kustomize.wording import count

_COLOURS = {Severity.ERROR: "1;31", Severity.WARNING: "1;33", Severity.INFO: "1;36"}
_BOLD, _DIM = "1", "2"
_NARROWEST, _WIDEST = 20, 200
"""Columns that a quoted line may take, its number included; the wider one also where there is no terminal."""
_MANY = 8
"""Rules that are counted instead of named."""
_LONG = 30
"""Findings from which on a table of all rules stands at the end."""


def render(report: Report, style: Style) -> str:
    """Write the findings, and unless quiet the lines they point at, what was skipped and a summary."""
    lines: list[str] = []
    for finding in report.findings:
        lines += [*block(finding, style), ""]
    if style.verbosity >= 0:
        if len(report.findings) > _LONG:
            lines += [*table(report), ""]
        lines += _skipped(report)
        lines += list(_verbose(report, style))
        if report.cluster:
            lines.append(f"asked the API server of {_inline(str(report.cluster))}")
        lines.append(_summary(report, style))
    return "".join(f"{line}\n" for line in lines)


def place(location: Location) -> str:
    """Where something is, as editors read it: file, line and column, or the file alone."""
    file = one_line(location.file)
    return file if location.precision == Precision.FILE else f"{file}:{location.line}:{location.column}"


def block(finding: Finding, style: Style) -> Iterator[str]:
    """The lines on one finding: what is wrong, the line that it points at, other places, and the help."""
    colour = _COLOURS[finding.severity]
    label = _paint(f"{finding.severity}[{finding.rule}]", colour, style)
    where = f"{place(finding.location)}: " if finding.location else ""
    subject = f"{finding.resource}: " if finding.resource else ""
    message = _inline(f"{subject}{finding.message}{shared_by(finding)}")
    yield f"{_paint(where, _BOLD, style)}{label} {message}"
    if finding.excerpt and style.verbosity >= 0:
        yield from _quote(finding, style)
    for related in finding.related:
        note = f": {_inline(related.note)}" if related.note else ""
        yield f"    {place(related)}{note}"
    if finding.help:
        yield f"    {_paint('help:', _DIM, style)} {_inline(finding.help)}"


def _quote(finding: Finding, style: Style) -> Iterator[str]:
    """The source line with its number, and a mark under the value; cut to a width that holds the value."""
    assert finding.location is not None
    number = str(finding.location.line)
    gutter = " " * (4 + len(number))
    room = max(_NARROWEST, min(style.width or _WIDEST, _WIDEST) - len(gutter) - 4)
    before, value, after = _split(finding)
    indent = len(before) - len(before.lstrip())
    if indent > 8:  # deep YAML: its indentation says nothing here
        before = before[indent - 4 :]
    if _width(before) > room // 2:
        before = _cut(before[::-1], room // 2)[::-1]
    value = _cut(value, room - _width(before))
    after = _cut(after, room - _width(before) - _width(value))
    bar = _paint("|", _DIM, style)
    mark = _paint("^" * max(1, _width(value)), _COLOURS[finding.severity], style)
    yield f"    {_paint(number, _DIM, style)} {bar} {before}{value}{after}".rstrip()
    yield f"{gutter} {bar} {' ' * _width(before)}{mark}"


def _split(finding: Finding) -> tuple[str, str, str]:
    """What stands in the excerpt before, at, and after the value that the finding points at; printable.

    A line so long that its beginning is cut off is taken for one in flow style.
    """
    assert finding.location is not None
    line, column = finding.excerpt, finding.location.column - 1 - finding.excerpt_from
    is_word, in_flow = bool(finding.location.begins), bool(finding.excerpt_from)
    value = value_at(line, column, is_word=is_word, in_flow=in_flow)
    before, after = line[:column].replace("\t", " "), line[column + len(value) :]
    return visible(before), visible(value), visible(after)


def _cut(text: str, room: int) -> str:
    """As much of a text as fits into `room` columns, with an ellipsis where something is missing."""
    if _width(text) <= room:
        return text
    kept, width = "", 1
    for character in text:
        width += _width(character)
        if width > room:
            break
        kept += character
    return kept + "…" if room > 0 else ""


def _width(text: str) -> int:
    """Columns that a terminal needs: two for wide characters, none for combining ones."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )


def _skipped(report: Report) -> Iterator[str]:
    """What was not checked, by reason: most of a long list has the same one."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for skipped in sorted(report.skipped, key=lambda skipped: not skipped.whole):
        verdict = "not checked" if skipped.whole else "skipped"
        reasons.setdefault((verdict, _inline(skipped.reason)), []).append(_inline(skipped.what))
    for (verdict, reason), things in reasons.items():
        if len(things) == 1:
            yield f"{verdict} {things[0]}: {reason}"
        else:
            yield f"{verdict} {len(things)}: {reason}"
            yield from (f"    {thing}" for thing in things)


def _verbose(report: Report, style: Style) -> Iterator[str]:
    if style.verbosity > 0:
        for suppressed in report.suppressed:
            finding = suppressed.finding
            where = f"{place(finding.location)}: " if finding.location else ""
            yield f"suppressed {where}{finding.rule}: {_inline(suppressed.reason)}"
        yield from map(_undecided, report.undecided)
        versions = ", ".join(f"{major}.{minor}" for major, minor in report.kubernetes_versions)
        yield f"engine: {report.engine}"
        yield f"Kubernetes: {versions}"
        yield from (f"definition of {visible(definition)}" for definition in report.definitions)
        yield f"settings: {visible(report.settings) or 'none'}"


def _undecided(undecided: Undecided) -> str:
    rules = f"{len(undecided.rules)} rules" if len(undecided.rules) > _MANY else ", ".join(undecided.rules)
    targets = f" in {', '.join(undecided.targets)}" if undecided.targets else ""
    return _inline(f"undecided {undecided.what}{targets}: {undecided.reason} ({rules})")


def _summary(report: Report, style: Style) -> str:
    if not report.targets and not report.documents:
        return "no overlay uses the changed files: nothing to validate"
    errors, warnings = report.count(Severity.ERROR), report.count(Severity.WARNING)
    infos = report.count(Severity.INFO)
    whole = sum(skipped.whole for skipped in report.skipped)
    skipped = len(report.skipped) - whole
    hint = "" if style.verbosity > 0 else " (-v says why)"
    parts = [
        *([count(report.overlays, "overlay")] if report.overlays else []),
        count(report.documents, "object"),
        _paint(count(errors, "error"), _COLOURS[Severity.ERROR] if errors else "", style),
        _paint(count(warnings, "warning"), _COLOURS[Severity.WARNING] if warnings else "", style),
        *([count(infos, "info")] if infos else []),
        *([f"{len(report.suppressed)} suppressed"] if report.suppressed else []),
        *([f"{skipped} skipped"] if skipped else []),
        *([f"{whole} not checked"] if whole else []),
        *([f"{len(report.undecided)} undecided{hint}"] if report.undecided else []),
    ]
    seconds = "" if style.seconds is None else f" in {style.seconds:.1f} s"
    return ", ".join(parts) + seconds


def _paint(text: str, code: str, style: Style) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if style.colour and code and text else text


def _inline(text: str) -> str:
    r"""A text on one line, its line breaks as `\n`: a CI may obey what stands at the beginning of a line."""
    return visible(text).replace("\n", "\\n")
