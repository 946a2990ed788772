"""The settings file: found upwards, checked, and every mistake located."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema_rs
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from conftest import POD, RunCli
from vllm_kustomize.model import Error, Severity
from vllm_kustomize.settings import Settings
from vllm_kustomize.settings.file import SCHEMA, _problems, load_settings

FULL = """\
paths: [overlays]
kubernetes-versions: ["1.34", "1.36"]
select: [api-*, schema]
ignore:
  - rule: api-pod
    overlays: [overlays/dev-*]
    until: "2027-03-01"
    reason: The pods there come from a generator.
severities:
  missing-probe: info
fail-on: warning
schema-locations: [crds]
baseline: known.json
"""

FULL_TOML = """\
[project]
name = "x"

[tool.vllm-kustomize]
paths = ["overlays"]
kubernetes-versions = ["1.34", "1.36"]
select = ["api-*", "schema"]
fail-on = "warning"
schema-locations = ["crds"]
baseline = "known.json"

[tool.vllm-kustomize.severities]
missing-probe = "info"

[[tool.vllm-kustomize.ignore]]
rule = "api-pod"
overlays = ["overlays/dev-*"]
until = "2027-03-01"
reason = "The pods there come from a generator."
"""


def test_both_files_say_the_same(tmp_path: Path) -> None:
    found = []
    for name, text in (("yaml/.vllm-kustomize.yaml", FULL), ("toml/pyproject.toml", FULL_TOML)):
        file = tmp_path / name
        file.parent.mkdir()
        file.write_text(text, encoding="utf-8")
        (file.parent / "overlays/a").mkdir(parents=True)
        (file.parent / ".git").mkdir()
        settings = load_settings([str(file.parent / "overlays/a")])
        found.append(
            (
                settings.kubernetes_versions,
                settings.select,
                settings.ignores,
                settings.severities,
                settings.fail_on,
                [path.name for path in settings.schema_locations],
                [Path(path).name for path in settings.paths],
                settings.baseline and settings.baseline.name,
            )
        )
    assert found[0] == found[1]
    assert found[0][4] is Severity.WARNING


def test_no_file_means_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "vllm-kustomize-user"\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert load_settings() == Settings(jobs=load_settings().jobs)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pahts: [x]\n", ":1:1: unknown setting 'pahts', did you mean 'paths'?"),
        ("select: schema\n", ":1:1: 'select' must be a list"),
        ("fail-on: never\n", ":1:1: 'fail-on' must be one of error, warning, info, not 'never'"),
        (
            "kubernetes-versions:\n  - 1.30\n",
            ":2:5: item 1 of 'kubernetes-versions' must be a text; put it in quotes",
        ),
        ("ignore:\n  - rule: schema\n", ":2:5: item 1 of 'ignore' needs a reason"),
        (
            "ignore:\n  - rule: schema\n    reason: ' '\n",
            ":3:5: 'reason' cannot be ' ': Why this is acceptable.",
        ),
        (
            "ignore:\n  - rule: a\n    reason: b\n    until: '2027-02-30'\n",
            ":4:5: day is out of range for month",
        ),
        ("severities:\n  schema: bad\n", ":2:3: 'schema' must be one of error, warning, info, not 'bad'"),
        ("paths: [a]\npaths: [b]\n", ":2:1: 'paths' is set twice"),
        ("paths: [a\n", ":2:1: did not find expected ',' or ']'"),
        ("- a\n", ":1:1: the settings file must be a table"),
    ],
)
def test_a_mistake_is_located(
    text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".vllm-kustomize.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(Error) as error:
        load_settings()
    assert str(error.value).startswith(f".vllm-kustomize.yaml{message}")


TWO_IGNORES = """\
[[tool.vllm-kustomize.ignore]]
rule = "a"
reason = "b"
[[tool.vllm-kustomize.ignore]]
rule = "c\""""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pahts = []", "2:1: unknown setting 'pahts', did you mean 'paths'?"),
        ('paths = ["a"]\nselect = 1', "3:1: 'select' must be a list"),
        (
            TWO_IGNORES,
            "5:23: item 2 of 'ignore' needs a reason",
        ),
        ('severities = {schema = "bad"}', "2:15: 'schema' must be one of error, warning, info, not 'bad'"),
    ],
)
def test_a_mistake_in_toml_is_located(
    text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text(f"[tool.vllm-kustomize]\n{text}\n", encoding="utf-8")
    with pytest.raises(Error) as error:
        load_settings()
    assert str(error.value) == f"pyproject.toml:{message}"


def test_broken_toml_and_two_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.vllm-kustomize\n", encoding="utf-8")
    with pytest.raises(Error, match=r"^pyproject.toml: .*line 1"):
        load_settings()
    (tmp_path / "pyproject.toml").write_text("[tool.vllm-kustomize]\n", encoding="utf-8")
    (tmp_path / ".vllm-kustomize.yaml").write_text("", encoding="utf-8")
    with pytest.raises(Error, match=r"^settings stand in .vllm-kustomize.yaml and pyproject.toml; keep one"):
        load_settings()


SCHEMA_DATA = json.loads(SCHEMA.read_text(encoding="utf-8"))
TEXT = st.sampled_from(
    ["error", "1.36", "v1.36.2", "restricted:v1.31", "restricted", "2027-03-01", "x", " ", ""]
)
JUNK = st.one_of(TEXT, st.booleans(), st.integers(), st.none(), st.lists(TEXT, max_size=2))
ENTRY = st.one_of(st.dictionaries(st.sampled_from(["rule", "reason", "until", "overlays", "x"]), JUNK), JUNK)
VALUE = st.one_of(
    JUNK, st.lists(ENTRY, max_size=2), st.dictionaries(st.sampled_from(["a", "b"]), JUNK, max_size=2)
)


@given(st.dictionaries(st.sampled_from([*SCHEMA_DATA["properties"], "pahts"]), VALUE, max_size=3))
def test_the_published_schema_agrees(data: dict[str, object]) -> None:
    valid = jsonschema_rs.Draft7Validator(SCHEMA_DATA).is_valid(data)
    assert valid is not bool(list(_problems(data, SCHEMA_DATA, ())))


def test_the_published_schema_takes_everything() -> None:
    assert jsonschema_rs.Draft7Validator(SCHEMA_DATA).is_valid(yaml.safe_load(FULL))


def test_an_unknown_rule_or_version_is_refused(run_cli: RunCli, tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text("resources: []\n", encoding="utf-8")
    for text, message in (
        ("severities: {schemas: info}", "no rule 'schemas', did you mean 'schema'?"),
        (
            "ignore: [{rule: missing-probes, reason: x}]",
            "no rule 'missing-probes', did you mean 'missing-probe'?",
        ),
        ("kubernetes-versions: ['1.99']", "no schemas for Kubernetes 1.99"),
    ):
        (tmp_path / ".vllm-kustomize.yaml").write_text(text, encoding="utf-8")
        result = run_cli("validate", ".", cwd=tmp_path)
        assert (result.code, message in result.errors) == (2, True), result.errors


def test_options_go_before_settings(run_cli: RunCli, tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text("resources: [pod.yaml]\n", encoding="utf-8")
    (tmp_path / "pod.yaml").write_text(POD, encoding="utf-8")
    (tmp_path / ".vllm-kustomize.yaml").write_text(
        "fail-on: warning\nselect: [host-namespaces]\n", encoding="utf-8"
    )
    assert run_cli("validate", ".", "-q", cwd=tmp_path).code == 1
    assert run_cli("validate", ".", "-q", "--select", "schema", cwd=tmp_path).code == 0
    assert run_cli("validate", ".", "-q", "--ignore", "host-namespaces", cwd=tmp_path).code == 0
