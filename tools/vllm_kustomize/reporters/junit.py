"""JUnit XML as Jenkins and GitLab read it: one suite per overlay or file, one test case per finding.

Written to the schema of Jenkins' xUnit plugin (junit-10.xsd), whose test cases have no `file` attribute.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from vllm_kustomize.model import Finding, Report
from vllm_kustomize.reporters import Style, sentence, visible
from vllm_kustomize.reporters.text import place


def render(report: Report, style: Style) -> str:
    """Write one document; a finding fails its case where it fails the run, and is its output otherwise."""
    root = Element("testsuites")
    for target in report.targets:
        _add_suite(root, target, report)
    if report.skipped:
        suite = SubElement(root, "testsuite", name="not checked")
        for skipped in report.skipped:
            _add_skip(_add_case(suite, "not checked", skipped.what), skipped.reason)
        _count(suite)
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _add_suite(root: Element, target: str, report: Report) -> None:
    suite = SubElement(root, "testsuite", name=visible(target))
    findings = [finding for finding in report.findings if _target(finding) == target]
    if not findings:
        _add_case(suite, target, "validate")
    for finding in findings:
        _add_finding(_add_case(suite, target, _name(finding)), finding, report)
    for suppressed in report.suppressed:
        if _target(suppressed.finding) == target:
            _add_skip(_add_case(suite, target, _name(suppressed.finding)), suppressed.reason)
    _count(suite)


def _target(finding: Finding) -> str:
    """The first overlay that shows a finding, or the file that it is in."""
    return finding.overlay or (finding.location.file if finding.location else "")


def _name(finding: Finding) -> str:
    return f"{finding.rule} {place(finding.location)}" if finding.location else finding.rule


def _add_case(suite: Element, target: str, name: str) -> Element:
    return SubElement(suite, "testcase", classname=visible(target), name=visible(name))


def _add_skip(case: Element, reason: str) -> None:
    SubElement(case, "skipped", message=visible(reason))


def _add_finding(case: Element, finding: Finding, report: Report) -> None:
    lines = [sentence(finding)]
    if finding.location:
        lines.insert(0, place(finding.location))
    lines += [f"{place(related)}: {related.note}" for related in finding.related]
    lines += [f"help: {finding.help}"] if finding.help else []
    body = visible("\n".join(lines))
    if finding.severity >= report.fail_on:
        failure = SubElement(case, "failure", type=str(finding.severity), message=visible(sentence(finding)))
        failure.text = body
    else:
        SubElement(case, "system-out").text = f"{finding.severity}: {body}"


def _count(suite: Element) -> None:
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("errors", "0")
    suite.set("skipped", str(len(suite.findall("testcase/skipped"))))
