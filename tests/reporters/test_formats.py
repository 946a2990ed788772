"""Every format holds whatever a manifest can hold, and is what its readers parse."""

from __future__ import annotations

import json
import os
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from conftest import POD, REPO, RunCli
from vllm_kustomize.model import Finding, Location, Precision, Report, Resource, Severity, Skipped, Suppressed
from vllm_kustomize.reporters import FORMATS, Style, render

WIDE = "\N{CJK UNIFIED IDEOGRAPH-65E5}"
HOSTILE = f"quote\" apostrophe' <tag> & 100% ]]> \N{SNOWMAN} {WIDE} \x1b[31m \x00 a,b:c"
MESSAGE = f"{HOSTILE}\nsecond line\rthird"

OFFICIAL = os.environ.get("VLLM_KUSTOMIZE_FORMAT_SCHEMAS")
official = pytest.mark.skipif(
    not OFFICIAL,
    reason="VLLM_KUSTOMIZE_FORMAT_SCHEMAS names no folder with sarif-schema-2.1.0.json and junit-10.xsd",
)


def report(text: str = MESSAGE, name: str = "a b%,:'\"\N{SNOWMAN}.yaml") -> Report:
    """One finding of each severity, one suppressed and one skipped, all with that text."""
    resource = Resource({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": text}}, 2)
    finding = Finding(
        "schema",
        Severity.ERROR,
        text,
        text,
        "overlays/a",
        resource,
        ("data", text),
        Location(name, 3, 5),
        (Location("base/x.yaml", 7, 9, text),),
        ("overlays/a", "overlays/b"),
        f"  key: {text.splitlines()[0] if text else ''}",
    )
    return Report(
        (
            finding,
            replace(finding, severity=Severity.WARNING, rule="host-namespaces", resource=None, related=()),
            replace(finding, severity=Severity.INFO, rule="api-metadata", location=None, excerpt=""),
        ),
        2,
        3,
        (Skipped(text, text),),
        (Suppressed(finding, "source", text), Suppressed(finding, "baseline", text)),
        ("overlays/a", "overlays/b"),
    )


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("text", ["", "plain", MESSAGE, "\udc80 lone", "x" * 5000, "::error::%0A"])
def test_no_control_character_gets_out(name: str, text: str) -> None:
    output = render(name, report(text), Style())
    output.encode("utf-8")
    assert not [c for c in output if not c.isprintable() and c not in "\n "]


def test_text_shows_the_line_and_marks_the_value() -> None:
    finding = Finding(
        "some-rule",
        Severity.ERROR,
        "is wrong",
        "change it",
        None,
        Resource({"kind": "Pod", "metadata": {"name": "p"}}),
        ("spec",),
        Location("pod.yaml", 12, 9),
        (Location("base.yaml", 1, 2, "overridden here"),),
        ("overlays/cpu", "overlays/amd"),
        f"  {WIDE}\tab: 'one # two' # why",
    )
    lines = render("text", Report((finding,), 2, 4, fail_on=Severity.INFO), Style()).splitlines()
    assert lines == [
        "pod.yaml:12:9: error[some-rule] Pod/p: is wrong (in overlays/cpu, overlays/amd)",
        f"    12 |   {WIDE} ab: 'one # two' # why",
        "       |          ^^^^^^^^^^^",
        "    base.yaml:1:2: overridden here",
        "    help: change it",
        "",
        "2 overlays, 4 objects, 1 error, 0 warnings",
    ]


@pytest.mark.parametrize(
    ("excerpt", "column", "marked"),
    [
        ("image: vllm:v1  # pinned", 8, "vllm:v1"),
        ("args: [a, --port=1, b]", 11, "--port=1"),
        ('env: {A: "x, y"}', 10, '"x, y"'),
        ("name: a#b", 7, "a#b"),
        ("- 'it''s'", 3, "'it''s'"),
        ("key:", 1, "key"),
        ("- {name: c, image: x:1}", 3, "{"),
        ("short", 40, ""),
    ],
)
def test_the_mark_ends_where_the_value_ends(excerpt: str, column: int, marked: str) -> None:
    finding = Finding("r", Severity.INFO, "m", location=Location("f", 1, column), excerpt=excerpt)
    shown, mark = render("text", Report((finding,), 0, 1), Style()).splitlines()[1:3]
    start = mark.index("^")
    assert shown[start : start + len(marked)] == marked
    assert mark.count("^") == max(1, len(marked))


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_a_quoted_line_fits_the_terminal(width: int) -> None:
    excerpt = " " * 30 + "- key: " + "value" * 100
    for column in (1, 33, 38, 400):
        finding = Finding("r", Severity.INFO, "m", location=Location("f", 1, column), excerpt=excerpt)
        lines = render("text", Report((finding,), 0, 1), Style(width=width)).splitlines()[1:3]
        assert max(map(len, lines)) <= max(width, 30)
        assert "^" in lines[1]


def test_concise_is_one_line_a_finding() -> None:
    lines = render("concise", report(), Style()).splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("a b%,:'\"\N{SNOWMAN}.yaml:3:5: error[schema] ConfigMap/quote")
    assert lines[0].endswith("(in overlays/a, overlays/b)")


def test_github_commands_are_read_as_written() -> None:
    properties, data = [], []
    for line in render("github", report(), Style()).splitlines():
        # As the runner reads them: actions/runner, src/Runner.Common/ActionCommand.cs.
        command, _, text = line.removeprefix("::").partition("::")
        name, _, rest = command.partition(" ")
        found = dict(item.split("=", 1) for item in rest.split(","))
        for key, value in found.items():
            for escaped, plain in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
                value = value.replace(escaped, plain)
            found[key] = value
        properties.append((name, found))
        data.append(text)
    place = {"file": "a b%,:'\"\N{SNOWMAN}.yaml", "line": "3", "col": "5"}
    assert properties == [
        ("error", {**place, "title": "schema"}),
        ("warning", {**place, "title": "host-namespaces"}),
        ("notice", {"title": "api-metadata"}),
    ]
    assert all("100%25" in text and "%0A" in text for text in data)


def test_gitlab_report_has_what_gitlab_reads() -> None:
    schema = {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["description", "check_name", "fingerprint", "severity", "location"],
            "properties": {
                "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
                "location": {
                    "required": ["path", "lines"],
                    "properties": {"lines": {"required": ["begin"]}, "path": {"pattern": "^[^/.]"}},
                },
            },
        },
    }
    entries = json.loads(render("gitlab", report(), Style()))
    jsonschema_rs.validate(schema, entries)
    assert len({entry["fingerprint"] for entry in entries}) == 3
    assert [entry["severity"] for entry in entries] == ["major", "minor", "info"]


def test_junit_counts_and_children() -> None:
    root = ET.fromstring(render("junit", report(), Style()))
    suites = {suite.get("name"): suite for suite in root}
    assert list(suites) == ["overlays/a", "overlays/b", "not checked"]
    counts = {
        name: [suite.get(key) for key in ("tests", "failures", "skipped")] for name, suite in suites.items()
    }
    assert counts == {
        "overlays/a": ["5", "1", "2"],
        "overlays/b": ["1", "0", "0"],
        "not checked": ["1", "0", "1"],
    }
    for case in root.iter("testcase"):
        assert set(case.keys()) == {"classname", "name"}
    failure = root.find(".//failure")
    assert failure is not None
    assert "<tag> & 100% ]]>" in (failure.get("message") or "")
    assert "\\x1b" in (failure.text or "")


def test_junit_failures_are_what_fails_the_run() -> None:
    root = ET.fromstring(render("junit", replace(report(), fail_on=Severity.WARNING), Style()))
    assert root[0].get("failures") == "2"


def sarif(of: Report) -> dict[str, Any]:
    run: dict[str, Any] = json.loads(render("sarif", of, Style()))["runs"][0]
    return run


def test_sarif_has_rules_places_and_suppressions() -> None:
    run = sarif(report())
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["schema", "host-namespaces", "api-metadata"]
    assert all(rule["help"]["text"] and rule["defaultConfiguration"]["level"] for rule in rules)
    results = run["results"]
    assert [result["level"] for result in results] == ["error", "warning", "note", "error", "error"]
    assert [[s["kind"] for s in result["suppressions"]] for result in results] == [
        [],
        [],
        [],
        ["inSource"],
        ["external"],
    ]
    assert results[0]["locations"][0]["physicalLocation"] == {
        "artifactLocation": {
            "uri": "a%20b%25%2C%3A%27%22%E2%98%83.yaml",
            "uriBaseId": "SRCROOT",
        },
        "region": {"startLine": 3, "startColumn": 5},
    }
    assert run["invocations"][0]["toolExecutionNotifications"]


def fingerprints_of(folder: Path, run_cli: RunCli) -> list[str]:
    options = ("--select", "unpinned-image", "--select", "missing-resources", "--format", "sarif")
    results = json.loads(run_cli("validate", "pod.yaml", *options, cwd=folder).output)["runs"][0]["results"]
    return [result["partialFingerprints"]["vllmKustomize/v1"] for result in results]


def test_fingerprints_survive_moved_lines_and_added_items(run_cli: RunCli, tmp_path: Path) -> None:
    pod = tmp_path / "pod.yaml"
    pod.write_text(POD.replace("x:1", "x"), encoding="utf-8")
    before = fingerprints_of(tmp_path, run_cli)
    assert len(before) == len(set(before)) == 2
    container = "    - name: first\n      image: z\n    - name: c\n"
    pod.write_text(
        "# moved\n" + POD.replace("x:1", "x").replace("    - name: c\n", container), encoding="utf-8"
    )
    after = fingerprints_of(tmp_path, run_cli)
    assert len(after) == len(set(after)) == 4
    assert set(before) < set(after)


def test_sarif_names_the_end_of_a_value_and_the_page_of_its_rule(
    run_cli: RunCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pod.yaml").write_text(
        POD + "      env: [{name: A_TOKEN, value: s3cr3t}]\n", encoding="utf-8"
    )
    monkeypatch.setenv("VLLM_KUSTOMIZE_HOME", "https://git.example.com/a/b/")
    options = ("--select", "host-namespaces,literal-secret", "--format", "sarif")
    run = json.loads(run_cli("validate", "pod.yaml", *options, cwd=tmp_path).output)["runs"][0]
    driver = run["tool"]["driver"]
    assert driver["informationUri"] == "https://git.example.com/a/b"
    assert [rule["helpUri"] for rule in driver["rules"]] == [
        "https://git.example.com/a/b/blob/main/docs/rules.md#group-hardening",
        "https://git.example.com/a/b/blob/main/docs/rules.md#group-correctness",
    ]
    places = [result["locations"][0]["physicalLocation"]["region"] for result in run["results"]]
    assert places == [
        {"startLine": 6, "startColumn": 12, "endColumn": 16},
        {"startLine": 10, "startColumn": 36},
    ], "the length of a secret is not told"


@official
def test_sarif_fits_the_official_schema() -> None:
    schema = json.loads((Path(OFFICIAL or "") / "sarif-schema-2.1.0.json").read_text(encoding="utf-8"))
    # The published pattern has a stray bracket, which is not a regular expression.
    for part in ("run", "toolComponent"):
        del schema["definitions"][part]["properties"]["language"]["pattern"]
    for of in (report(), Report((), 0, 0)):
        jsonschema_rs.Draft7Validator(schema).validate(
            json.loads(render("sarif", of, Style(home="https://a.b")))
        )


@official
def test_junit_fits_the_schema_of_jenkins() -> None:
    xmlschema = pytest.importorskip("xmlschema")
    schema = xmlschema.XMLSchema(str(Path(OFFICIAL or "") / "junit-10.xsd"))
    for of in (report(), Report((), 0, 0)):
        schema.validate(render("junit", of, Style()))


def test_several_formats_at_once(run_cli: RunCli, tmp_path: Path) -> None:
    files = {name: tmp_path / name for name in FORMATS if name != "text"}
    options = [f"--format={name}={file}" for name, file in files.items()]
    result = run_cli("validate", "overlays/cpu", "--format", "text", *options, cwd=REPO)
    assert result.code == 0
    assert "1 overlay" in result.output
    assert {name for name, file in files.items() if file.exists()} == set(files)
    json.loads(files["sarif"].read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--format", "xml"],
            f"no format 'xml': use one of {', '.join(FORMATS)}",
        ),
        (["--format", "json="], "--format json= names no file; write it as --format json=FILE"),
        (
            ["--format", "json", "--concise"],
            "json and concise cannot both be printed; write --format concise=FILE",
        ),
        (["--format", "json=no/such/folder/x"], "cannot write no/such/folder/x: No such file or directory"),
    ],
)
def test_unusable_formats_are_refused(options: list[str], message: str, run_cli: RunCli) -> None:
    result = run_cli("validate", "overlays/cpu", *options)
    assert (result.code, result.errors.strip()) == (2, f"vllm-kustomize: {message}")


OVERLAY = "resources: [../../base]\nnameSuffix: -{name}\n"


def test_a_base_fault_is_one_finding(run_cli: RunCli, tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base/kustomization.yaml").write_text("resources: [pod.yaml]\n", encoding="utf-8")
    (tmp_path / "base/pod.yaml").write_text(POD, encoding="utf-8")
    for name in ("cpu", "nvidia", "amd"):
        (tmp_path / "overlays" / name).mkdir(parents=True)
        text = OVERLAY.format(name=name)
        (tmp_path / "overlays" / name / "kustomization.yaml").write_text(text, encoding="utf-8")
    options = ("validate", "--select", "host-namespaces")
    result = run_cli(*options, "--concise", cwd=tmp_path)
    assert result.output == (
        "base/pod.yaml:6:12: warning[host-namespaces] Pod/p-amd: the pod runs in the host's process namespace"
        " (in overlays/amd, overlays/cpu, overlays/nvidia)\n"
    )
    found = json.loads(run_cli(*options, "--format", "json", cwd=tmp_path).output)
    assert found["summary"]["warnings"] == 1
    assert found["findings"][0]["overlay"] == "overlays/amd"
    assert found["findings"][0]["overlays"] == ["overlays/amd", "overlays/cpu", "overlays/nvidia"]


SECRETS = """\
apiVersion: v1
kind: Secret
metadata:
  name: s
  labels:
    bad: {0}
stringData:
  plain: {0}
  nested: |
    {0}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: d
spec:
  selector:
    matchLabels: {{a: b}}
  template:
    metadata:
      labels: {{a: b}}
    spec:
      containers:
        - name: c
          image: x:1
          args:
            - --api-key={0}
            - --api-key
            - {0}
          env:
            - name: HF_TOKEN
              value: {0}
            - value: {0}
              name: DB_PASSWORD
"""


def test_no_excerpt_shows_a_secret() -> None:
    from vllm_kustomize.findings.excerpts import Excerpts

    secret = "s3cr3t-v4lu3"
    lines = SECRETS.format(secret).splitlines()
    excerpts = Excerpts("\n".join(lines))
    shown = [excerpts.line(number) for number in range(1, len(lines) + 1)]
    leaks = [number for number, line in enumerate(shown, 1) if secret in line]
    assert leaks == [6], "labels are not secrets, whatever stands around them"
    assert shown[7] == "  plain: [hidden]"
    assert shown[26] == "            - --api-key=[hidden]"
    assert shown[31] == "              value: [hidden]"
    assert [line for line in shown if "[hidden]" not in line and secret not in line] == [
        line for line in lines if secret not in line
    ]


GENERATED = """\
secretGenerator:
  - name: s
    literals:
      - key=s3cr3t
patches:
  - target: {kind: Secret}
    patch: |-
      - op: add
        path: /stringData/plain
        value: s3cr3t
      - op: add
        value: s3cr3t
        path: /data/plain
  - patch: |-
      apiVersion: v1
      kind: Secret
      metadata:
        name: s
      stringData:
        plain: s3cr3t
"""


def test_no_excerpt_of_a_kustomization_shows_a_secret() -> None:
    from vllm_kustomize.findings.excerpts import Excerpts

    lines = GENERATED.splitlines()
    excerpts = Excerpts("\n".join(lines))
    shown = [excerpts.line(number) for number in range(1, len(lines) + 1)]
    assert [line for line in shown if "s3cr3t" in line] == []


def test_a_finding_about_a_secret_shows_no_value(run_cli: RunCli, tmp_path: Path) -> None:
    pod = tmp_path / "pod.yaml"
    env = "      env:\n        - name: LICENCE\n          value: hf_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefgh\n"
    pod.write_text(POD + env, encoding="utf-8")
    result = run_cli("validate", "pod.yaml", "--select", "literal-secret", cwd=tmp_path)
    assert "hf_ABC" not in result.output
    assert "          value: [hidden]" in result.output or "    value: [hidden]" in result.output


def test_precision_is_said() -> None:
    found = Report(
        (Finding("schema", Severity.ERROR, "m", location=Location("f", 1, 1, "", Precision.FILE)),), 0, 0
    )
    at = json.loads(render("json", found, Style()))["findings"][0]["location"]
    assert at == {"file": "f", "line": 1, "column": 1, "precision": "file"}
    assert render("text", found, Style()).startswith("f: error[schema] m\n")
