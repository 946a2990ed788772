"""`validate --server`, with a kubectl that repeats what real servers have answered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from conftest import RunCli
from vllm_kustomize.checks import cluster
from vllm_kustomize.model import Error, Severity, format_path

HERE = Path(__file__).parent / "answers"
OPTIONS = ("validate", "--server", "--engine", str(HERE / "kubectl"), "--select", "api-server")


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSWERS", str(HERE))


def test_findings_have_the_servers_words_and_the_line_in_the_source(run_cli: RunCli, answers: None) -> None:
    result = run_cli(*OPTIONS, "--format", "json", str(HERE / "objects.yaml"))
    found = [
        (
            finding["resource"]["name"],
            finding["severity"],
            finding["path"],
            finding["location"]["line"],
            finding["message"],
        )
        for finding in json.loads(result.output)["findings"]
    ]
    said = " (reported by the API server)"
    differs = "differs from the object that is there: "
    assert found == [
        ("taken", "error", "spec.clusterIPs[0]", 12,
         f'{differs}Invalid value: ["10.0.0.1"]: may not change once set{said}'),
        ("taken", "error", "spec.ports[0].nodePort", 16,
         f"Invalid value: 30080: provided port is already allocated{said}"),
        ("taken", "warning", "spec.ports[0].nodePort", 16,
         f"this port is in use by another cluster{said}"),
        ("secret", "error", "data.token", 25,
         f"{differs}Invalid value: field is immutable when `immutable` is set{said}"),
        ("twice", "error", "spec.template.spec.bogus", 39,
         f"field not declared in schema{said}"),
        ("twice", "error", "spec.template.spec.containers[0].env", 44,
         f'duplicate entries for key [name="MODEL"]{said}'),
    ]  # fmt: skip
    assert result.code == 1
    assert "hf_secret" not in result.output


DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "vllm"},
    "spec": {"template": {"spec": {"containers": [{"name": "a"}, {"name": "vllm", "ports": [{}]}]}}},
}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            'The Deployment "vllm" is invalid: spec.replicas: Invalid value: -1: must be at least 0',
            [("spec.replicas", "Invalid value: -1: must be at least 0")],
        ),
        (
            'Error from server (BadRequest): Deployment in version "v1" cannot be handled as a Deployment: '
            'strict decoding error: unknown field "spec.a", unknown field "spec.template.spec.b"',
            [("spec.a", "unknown field"), ("spec.template.spec.b", "unknown field")],
        ),
        (
            'Error from server (BadRequest): Deployment in version "v1" cannot be handled as a Deployment: '
            "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
            [("", 'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal '
                  "string into Go struct field DeploymentSpec.spec.replicas of type int32")],
        ),
        (
            'error: resource mapping not found for name: "x" namespace: "" from "STDIN": no matches for '
            'kind "InferencePool" in version "example.com/v1"\nensure CRDs are installed first',
            [("kind", "the server has no InferencePool in example.com/v1; install its CRD first")],
        ),
        (
            'Error from server (NotFound): namespaces "llm" not found',
            [("metadata.namespace", 'the server has no namespace "llm"; create it first')],
        ),
        (
            'Error from server (Forbidden): admission webhook "policy.example" denied the request: no GPU',
            [("", 'admission webhook "policy.example" denied the request: no GPU')],
        ),
        (
            "Error from server: failed to create typed patch object "
            "(default/vllm; apps/v1, Kind=Deployment): "
            '.spec.template.spec.containers[name="vllm"].ports[0].x: '
            "field not declared in schema",
            [("spec.template.spec.containers[1].ports[0].x", "field not declared in schema")],
        ),
    ],
)  # fmt: skip
def test_reads_what_kubectl_prints(answer: str, expected: Any) -> None:
    found = list(cluster.read(1, answer, DEPLOYMENT))
    assert [
        (format_path(p.path), p.message.removesuffix(" (reported by the API server)")) for p in found
    ] == expected
    assert {problem.severity for problem in found} == {Severity.ERROR}


@pytest.mark.parametrize(
    "answer",
    [
        "The connection to the server localhost:8080 was refused - did you specify the right host or port?",
        "error: You must be logged in to the server (Unauthorized)",
        "Unable to connect to the server: dial tcp: lookup cluster.example: no such host",
        'error: context "nowhere" does not exist',
        'Error from server (Forbidden): deployments.apps "vllm" is forbidden: User "me" cannot patch '
        'resource "deployments" in API group "apps" in the namespace "default"',
        "Error from server (ServiceUnavailable): the server is currently unable to handle the request",
        "",
    ],
)
def test_what_is_no_verdict_is_an_error(answer: str) -> None:
    with pytest.raises(Error, match="cannot ask the API server"):
        list(cluster.read(1, answer, DEPLOYMENT))


def test_a_refused_connection_ends_with_code_2(
    run_cli: RunCli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "fine.txt").write_text("The connection to the server localhost:8080 was refused\n")
    monkeypatch.setenv("ANSWERS", str(tmp_path))
    result = run_cli(*OPTIONS, str(HERE / "objects.yaml"))
    assert (result.code, result.output) == (2, "")
    assert (
        "cannot ask the API server: The connection to the server localhost:8080 was refused" in result.errors
    )
