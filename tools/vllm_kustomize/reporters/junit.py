"""JUnit XML as Jenkins and GitLab read it: one suite per overlay or file, one test case per finding.

Written to the schema of Jenkins' xUnit plugin (junit-10.xsd), whose test cases have no `file` attribute.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.sax.saxutils import escape, quoteattr

from vllm_kustomize.model import Finding, Report, Skipped, Suppressed
from vllm_kustomize.reporters import Style, sentence, visible
from vllm_kustomize.reporters.text import place


def render(report: Report, style: Style) -> str:
    """Write one document; a finding fails its case where it fails the run, and is its output otherwise."""
    suites = [line for target in report.targets for line in _suite(target, report)]
    if report.skipped:
        cases = (_skipped(skipped) for skipped in report.skipped)
        suites += _wrap("not checked", cases, failures=0, skipped=len(report.skipped))
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', "<testsuites>", *suites, "</testsuites>", ""])


def _suite(target: str, report: Report) -> Iterator[str]:
    findings = [finding for finding in report.findings if _target(finding) == target]
    suppressed = [one for one in report.suppressed if _target(one.finding) == target]
    failures = sum(finding.severity >= report.fail_on for finding in findings)
    passed = [] if findings else [f'    <testcase classname={_attribute(target)} name="validate"/>']
    cases = [
        *passed,
        *(_finding(target, finding, report) for finding in findings),
        *(_suppressed(target, one) for one in suppressed),
    ]
    yield from _wrap(target, cases, failures, len(suppressed))


def _target(finding: Finding) -> str:
    """The first overlay that shows a finding, or the file that it is in."""
    return finding.overlay or (finding.location.file if finding.location else "")


def _wrap(name: str, cases: Iterable[str], failures: int, skipped: int) -> Iterator[str]:
    cases = list(cases)
    counts = f'tests="{len(cases)}" failures="{failures}" errors="0" skipped="{skipped}"'
    yield f"  <testsuite name={_attribute(name)} {counts}>"
    yield from cases
    yield "  </testsuite>"


def _finding(target: str, finding: Finding, report: Report) -> str:
    lines = [sentence(finding)]
    if finding.location:
        lines.insert(0, place(finding.location))
    lines += [f"{place(related)}: {related.note}" for related in finding.related]
    lines += [f"help: {finding.help}"] if finding.help else []
    body = _text("\n".join(lines))
    if finding.severity >= report.fail_on:
        message = _attribute(sentence(finding))
        inner = f'<failure type="{finding.severity}" message={message}>{body}</failure>'
    else:
        inner = f"<system-out>{finding.severity}: {body}</system-out>"
    return _case(target, finding, inner)


def _suppressed(target: str, suppressed: Suppressed) -> str:
    return _case(target, suppressed.finding, f"<skipped message={_attribute(suppressed.reason)}/>")


def _case(target: str, finding: Finding, inner: str) -> str:
    where = f" {place(finding.location)}" if finding.location else ""
    name = _attribute(f"{finding.rule}{where}")
    return f"    <testcase classname={_attribute(target)} name={name}>{inner}</testcase>"


def _skipped(skipped: Skipped) -> str:
    name, reason = _attribute(skipped.what), _attribute(skipped.reason)
    return f'    <testcase classname="not checked" name={name}><skipped message={reason}/></testcase>'


def _text(text: str) -> str:
    return escape(visible(text))


def _attribute(text: str) -> str:
    return quoteattr(visible(text))
