"""`validate --server`, with a kubectl that repeats what real servers have answered."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from checks.fake_api_server import FakeApiServer
from conformance.verdicts import HERE as CONFORMANCE
from conftest import RunCli
from vllm_kustomize.checks import cluster
from vllm_kustomize.kustomize.kubeconfig import find_cluster
from vllm_kustomize.model import Build, Cluster, Error, Resource, Severity, Skipped, format_path

HERE = Path(__file__).parent / "answers"
KIND = Cluster("kind", "llm")
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
    differs = "differs from the object that is there: "
    assert found == [
        ("taken", "error", "spec.clusterIPs[0]", 12,
         f'{differs}Invalid value: ["10.0.0.1"]: may not change once set'),
        ("taken", "error", "spec.ports[0].nodePort", 16,
         "Invalid value: 30080: provided port is already allocated"),
        ("taken", "warning", "spec.ports[0].nodePort", 16,
         "this port is in use by another cluster"),
        ("secret", "error", "data.token", 25,
         f"{differs}Invalid value: field is immutable when `immutable` is set"),
        ("twice", "error", "spec.template.spec.bogus", 39,
         "field not declared in schema"),
        ("twice", "error", "spec.template.spec.containers[0].env", 44,
         'duplicate entries for key [name="MODEL"]'),
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
    found = list(cluster.read(1, answer, DEPLOYMENT, KIND))
    assert [(format_path(problem.path), problem.message) for problem in found] == expected
    assert {problem.severity for problem in found} == {Severity.ERROR}


REFUSED = "The connection to the server localhost:8080 was refused"
THE_SERVER = "the API server of context 'kind', namespace 'llm' "


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            f"{REFUSED} - did you specify the right host or port?",
            f"cannot be reached: {REFUSED} - did you specify the right host or port?; "
            "check the network, or name another context with --context",
        ),
        (
            "Unable to connect to the server: dial tcp: lookup cluster.example: no such host",
            "cannot be reached: Unable to connect to the server: dial tcp: lookup cluster.example: no such "
            "host; check the network, or name another context with --context",
        ),
        (
            "error: You must be logged in to the server (Unauthorized)",
            "does not accept the user's credentials: You must be logged in to the server (Unauthorized); log "
            "in again",
        ),
        (
            'Error from server (Forbidden): deployments.apps "vllm" is forbidden: User "me" cannot patch '
            'resource "deployments" in API group "apps" in the namespace "default"',
            'forbids the dry run: deployments.apps "vllm" is forbidden: User '
            '"me" cannot patch resource "deployments" in API group "apps" in the namespace "default"; a dry '
            "run needs the rights to create and patch the object",
        ),
        (
            "Error from server (ServiceUnavailable): the server is currently unable to handle the request",
            "gives no verdict: the server is currently unable to handle the request",
        ),
        ("", "gives no verdict: kubectl says nothing"),
    ],
)
def test_what_is_no_verdict_is_an_error(answer: str, expected: Any) -> None:
    with pytest.raises(Error) as raised:
        list(cluster.read(1, answer, DEPLOYMENT, KIND))
    assert str(raised.value) == THE_SERVER + expected


OF_WHAT_IS_KEPT = [
    'Invalid value: "VolumeSnapshot": must be '
    "'PersistentVolumeClaim' when referencing the default apiGroup",
    "Invalid value: {}: must match dataSourceRef",
    "Required value",
    "Required value: must specify a handler type",
]
"""What is wrong with the new object together with fields of the old one."""


def test_a_refusal_because_of_the_object_that_is_there_says_so() -> None:
    """All were accepted as new objects: what is refused of them is about the one that is there."""
    with gzip.open(CONFORMANCE / "updates-1.37.jsonl.gz") as lines:
        rows = [json.loads(line) for line in lines]
    causes = {message for row in rows for field, _, message in row["causes"] if field}
    silent = []
    for cause in causes:
        (found,) = cluster.read(1, f'The X "x" is invalid: spec: {cause}', {"spec": {}}, KIND)
        if not found.message.startswith("differs from the object that is there"):
            silent.append(cause)
    assert sorted(silent) == OF_WHAT_IS_KEPT


CONFIG = {
    "current-context": "kind",
    "contexts": [
        {"name": "kind", "context": {"cluster": "kind", "namespace": "llm"}},
        {"name": "prod", "context": {"cluster": "prod"}},
    ],
}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (("", "", ""), KIND),
        (("", "other", ""), Cluster("kind", "other")),
        (("prod", "", ""), Cluster("prod", "default")),
        (("prod", "", "prod"), Cluster("prod", "default")),
    ],
)
def test_the_context_and_namespace_that_are_asked(wanted: tuple[str, str, str], expected: Any) -> None:
    assert find_cluster(CONFIG, *wanted) == expected


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (("prd", "", ""), "the kubeconfig has no context 'prd', did you mean 'prod'?"),
        (
            ("", "", "prod"),
            "'kind' is not the context 'prod' of the settings, and no other cluster is asked: "
            "name it with --context prod",
        ),
    ],
)
def test_a_context_that_is_not_asked(wanted: tuple[str, str, str], expected: Any) -> None:
    with pytest.raises(Error) as raised:
        find_cluster(CONFIG, *wanted)
    assert str(raised.value) == expected


def test_no_kubeconfig_names_no_cluster(
    run_cli: RunCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    result = run_cli("validate", "--server", str(HERE / "objects.yaml"))
    assert (result.code, result.output, result.errors) == (
        2,
        "",
        "vllm-kustomize: there is no cluster to ask: the kubeconfig has no current context; "
        "name one with --context, or set KUBECONFIG\n",
    )


def test_context_without_server(run_cli: RunCli) -> None:
    result = run_cli("validate", "--context", "prod", str(HERE / "objects.yaml"))
    assert (result.code, result.errors) == (
        2,
        "vllm-kustomize: --context and --namespace say whom --server asks: give it too\n",
    )


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApiServer]:
    """A small API server; `fake` is the current context, `locked` another, and nobody is at `gone`."""
    with FakeApiServer() as server:
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "fake",
            "clusters": [
                {"name": "fake", "cluster": {"server": server.address}},
                {"name": "gone", "cluster": {"server": "http://127.0.0.1:1"}},
            ],
            "users": [{"name": "me", "user": {"token": "t"}}],
            "contexts": [
                {"name": "fake", "context": {"cluster": "fake", "user": "me", "namespace": "llm"}},
                {"name": "gone", "context": {"cluster": "gone", "user": "me"}},
                {"name": "locked", "context": {"cluster": "fake", "user": "me"}},
            ],
        }
        file = tmp_path / "kubeconfig"
        file.write_text(json.dumps(config))
        monkeypatch.setenv("KUBECONFIG", str(file))
        monkeypatch.setenv("KUBECACHEDIR", str(tmp_path / "cache"))
        yield server


ASKED = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: changed
data:
  a: b
immutable: true
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: warned
  namespace: other
---
apiVersion: example.com/v1
kind: Widget
metadata:
  name: known-to-the-cluster
---
apiVersion: example.com/v1
kind: Gadget
metadata:
  name: unknown
"""


def test_the_real_kubectl_asks_a_server(run_cli: RunCli, fake: FakeApiServer, tmp_path: Path) -> None:
    (tmp_path / "objects.yaml").write_text(ASKED)
    result = run_cli("validate", "--server", "objects.yaml", cwd=tmp_path)
    *findings, asked, summary = [line for line in result.output.splitlines() if line[:1].strip()]
    assert (result.code, findings, asked) == (
        1,
        [
            "objects.yaml:6:3: error[api-server] ConfigMap/changed: differs from the object that is there: "
            "Forbidden: field is immutable when `immutable` is set",
            "objects.yaml:12:9: warning[api-server] ConfigMap/warned: this is only a warning",
            "objects.yaml:21:7: error[api-server] Gadget/unknown: the server has no Gadget in "
            "example.com/v1; install its CRD first",
        ],
        "asked the API server of context 'fake', namespace 'llm'",
    )
    assert summary.startswith("4 objects, 2 errors, 1 warning in ")
    assert sorted(fake.asked) == [
        "/api/v1/namespaces/llm/configmaps/changed",
        "/api/v1/namespaces/other/configmaps/warned",
        "/apis/example.com/v1/namespaces/llm/widgets/known-to-the-cluster",
    ]


@pytest.mark.parametrize(
    ("context", "name", "expected"),
    [
        (
            "gone",
            "fine",
            "context 'gone', namespace 'default' cannot be reached: Get "
            '"http://127.0.0.1:1/api?timeout=1m0s": dial tcp 127.0.0.1:1: connect: connection refused; check '
            "the network, or name another context with --context",
        ),
        (
            "locked",
            "fine",
            "context 'locked', namespace 'default' does not accept the user's credentials: the server has "
            "asked for the client to provide credentials; log in again",
        ),
        (
            "fake",
            "forbidden",
            "context 'fake', namespace 'llm' forbids the dry run: configmaps \"forbidden\" is forbidden: "
            'User "me" cannot patch resource "configmaps"; a dry run needs the rights to create and patch '
            "the object",
        ),
    ],
)
def test_the_real_kubectl_gets_no_verdict(
    run_cli: RunCli, fake: FakeApiServer, tmp_path: Path, context: str, name: str, expected: Any
) -> None:
    fake.lets_in = context != "locked"
    (tmp_path / "objects.yaml").write_text(f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n")
    result = run_cli("validate", "--server", "--context", context, "objects.yaml", cwd=tmp_path)
    assert (result.code, result.errors) == (2, f"vllm-kustomize: the API server of {expected}\n")


def test_only_the_context_of_the_settings_is_asked(
    run_cli: RunCli, fake: FakeApiServer, tmp_path: Path
) -> None:
    (tmp_path / ".vllm-kustomize.yaml").write_text("context: prod\n")
    (tmp_path / "objects.yaml").write_text(ASKED)
    result = run_cli("validate", "--server", "objects.yaml", cwd=tmp_path)
    assert (result.code, result.errors, fake.asked) == (
        2,
        "vllm-kustomize: 'fake' is not the context 'prod' of the settings, and no other cluster is asked: "
        "name it with --context prod\n",
        [],
    )


BRINGS = """\
apiVersion: v1
kind: Namespace
metadata:
  name: llm
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: inside
  namespace: llm
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: gadgets.example.com
spec:
  group: example.com
  names:
    kind: Gadget
---
apiVersion: example.com/v1
kind: Gadget
metadata:
  name: later
"""


def test_what_the_build_itself_brings_is_no_fault() -> None:
    answers = {
        "inside": (1, 'Error from server (NotFound): namespaces "llm" not found'),
        "later": (1, 'error: no matches for kind "Gadget" in version "example.com/v1"'),
    }
    build = Build(tuple(Resource(each) for each in yaml.safe_load_all(BRINGS)))
    server = cluster.Server(KIND, lambda resource: answers.get(resource.name, (0, "")))
    found = list(cluster.check(build, server, 2))
    unknown = Skipped("Gadget (example.com/v1)", "no schema for this kind")
    assert [problem for answer in found for problem in answer.problems] == []
    assert list(cluster.skipped([unknown], found)) == [
        unknown,
        Skipped(
            "ConfigMap/inside on the API server", "it has no namespace 'llm' until this build is applied"
        ),
        Skipped(
            "Gadget/later on the API server",
            "it knows no Gadget until the definition in this build is applied",
        ),
    ]
