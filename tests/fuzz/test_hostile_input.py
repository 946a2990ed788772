"""Whatever the input: an exit code and a message or findings; no traceback, hang, secret or escape sequence.

`make fuzz` runs 10,000 cases; the default suite a slice of them and every failure of the past.
"""

from __future__ import annotations

import json
import os
import re
import signal
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from conftest import REPO, Result, RunCli
from fuzz.hostile import ENCODED_SECRET, SECRET, Mutations, Slips, mutate, mutations, slip, slips
from vllm_kustomize.reporters import FORMATS

CASES = int(os.environ.get("VLLM_KUSTOMIZE_FUZZ", "200"))
PATIENCE = 20
"""Seconds after which a case counts as hung; an ordinary one takes a hundredth of one."""

# What has once broken the command, found by longer runs: kept so that it never does again.
PAST_MANIFESTS: tuple[tuple[int, Mutations, str], ...] = (
    (2, [(154, "replace", 40)], "concise"),  # a list as the key of a configMapKeyRef
    (2, [(28541, "copy", 55), (35235, "replace", 51)], "sarif"),  # a mapping as the key of a toleration
    (0, [(37645, "replace", 25), (20980, "copy", 48), (19958, "copy", 58), (3992, "replace", 24)], "github"),
    (0, [(62981, "copy", 26), (21939, "rename", 1), (30015, "delete", 8), (24953, "rename", 54)], "json"),
    (0, [(13018, "append", 32), (54376, "replace", 0)], "json"),  # a secret variable among the arguments
    (31, [(668, "copy", 1), (8510, "delete", 25), (59555, "replace", 46), (59801, "append", 27)], "junit"),
)
PAST_SOURCES: tuple[tuple[str, Mutations, Slips, str], ...] = (
    ("component/kustomization.yaml", [(0, "rename", 1), (19490, "copy", 0)], [], "concise"),
    (
        "component/kustomization.yaml",
        [(46666, "delete", 32), (39979, "rename", 39), (47415, "append", 23)],
        [],
        "github",
    ),
    ("component/kustomization.yaml", [(10215, "replace", 2), (64962, "append", 30)], [], "sarif"),
    ("kustomization.yaml", [(57038, "delete", 12), (3865, "replace", 34), (41133, "append", 28)], [], "text"),
    (
        "kustomization.yaml",
        [(6109, "copy", 53), (40150, "delete", 21)],
        [(48817, 8, "*a"), (28956, 2, "*a")],
        "concise",
    ),
    ("kustomization.yaml", [(29112, "rename", 26), (28676, "copy", 55)], [], "junit"),
    (
        "kustomization.yaml",
        [(13422, "rename", 27), (55872, "wrap", 20), (63192, "copy", 52), (19089, "delete", 7)],
        [],
        "junit",
    ),
    ("server.yaml", [(60477, "wrap", 33), (32755, "rename", 17), (46389, "wrap", 56)], [], "json"),
    ("server.yaml", [(56892, "wrap", 52), (37041, "append", 49), (41118, "replace", 59)], [], "text"),
)

SERVER = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "server", "labels": {"app": "server"}},
    "spec": {
        "selector": {"matchLabels": {"app": "server"}},
        "template": {
            "metadata": {"labels": {"app": "server"}},
            "spec": {
                "containers": [
                    {
                        "name": "vllm",
                        "image": "vllm/vllm-openai:v0.33.0",
                        "command": ["vllm", "serve"],
                        "args": ["meta-llama/Llama-3.2-1B", "--port=8000", "--tensor-parallel-size", "2"],
                        "env": [{"name": "HF_TOKEN", "value": SECRET}, {"name": "A", "value": "$(HF_TOKEN)"}],
                        "ports": [{"name": "http", "containerPort": 8000}],
                        "resources": {"limits": {"nvidia.com/gpu": "2", "memory": "8Gi"}},
                        "startupProbe": {"httpGet": {"path": "/health", "port": "http"}},
                        "volumeMounts": [{"name": "shm", "mountPath": "/dev/shm"}],
                    }
                ],
                "volumes": [{"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "2Gi"}}],
            },
        },
    },
}
TOKEN = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "hf-token-secret"},
    "data": {"token": ENCODED_SECRET},
    "stringData": {"password": SECRET},
}
BASELINES = json.loads((REPO / "tests/conformance/kube-apiserver-baselines.json").read_text())
OBJECTS: list[Any] = [SERVER, TOKEN, *(BASELINES.values() if isinstance(BASELINES, dict) else BASELINES)]

KUSTOMIZATION = {
    "apiVersion": "kustomize.config.k8s.io/v1beta1",
    "kind": "Kustomization",
    "resources": ["server.yaml", "token.yaml"],
    "components": ["component"],
    "namespace": "team",
    "namePrefix": "a-",
    "nameSuffix": "-b",
    "labels": [
        {"pairs": {"team": "a"}, "includeSelectors": True, "fields": [{"path": "spec/x", "kind": "Y"}]}
    ],
    "commonAnnotations": {"owner": "a"},
    "images": [{"name": "vllm/vllm-openai", "newTag": "v0.32.0"}],
    "replicas": [{"name": "server", "count": 2}],
    "patches": [
        {"path": "patch.yaml"},
        {
            "target": {"kind": "Deploy.*", "labelSelector": "app=server"},
            "patch": "- {op: remove, path: /spec/x}\n",
        },
    ],
    "replacements": [
        {
            "source": {"kind": "Deployment", "fieldPath": "metadata.name"},
            "targets": [{"select": {"kind": "Secret"}, "fieldPaths": ["metadata.annotations.x"]}],
        }
    ],
    "configMapGenerator": [
        {"name": "c", "literals": ["a=b"], "files": ["x=patch.yaml"], "behavior": "create"}
    ],
    "secretGenerator": [{"name": "s", "literals": [f"password={SECRET}"], "options": {"immutable": True}}],
}
PATCH = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "server"},
    "spec": {
        "replicas": 3,
        "template": {
            "spec": {
                "containers": [{"name": "vllm", "args": ["--port=1"], "env": [{"name": "B", "value": "c"}]}],
                "volumes": [{"name": "shm", "$patch": "delete"}],
            }
        },
    },
}
JSON_PATCH = [
    {"op": "test", "path": "/spec/template/spec/containers/0/name", "value": "vllm"},
    {"op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": "--x"},
    {"op": "replace", "path": "/metadata/labels/a~1b", "value": 5},
    {"op": "move", "from": "/spec/replicas", "path": "/spec/paused"},
]
SETTINGS: Any = {
    "paths": ["."],
    "kubernetes-versions": ["1.30", "1.36"],
    "select": ["*"],
    "ignore": [
        {
            "rule": "missing-resources",
            "overlays": ["dev-*"],
            "reason": "small clusters",
            "until": "2999-03-01",
        }
    ],
    "severities": {"api-*": "error", "unpinned-image": "warning"},
    "fail-on": "warning",
    "schema-locations": ["."],
    "baseline": "baseline.json",
}


class Patience(Exception):
    """A case that takes too long."""


@contextmanager
def _patience() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise Patience(f"no answer within {PATIENCE} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(PATIENCE)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def cases(share: float) -> Callable[[Any], Any]:
    """Give a test its share of all cases."""
    quiet = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(
        max_examples=int(CASES * share),
        deadline=None,
        derandomize="VLLM_KUSTOMIZE_FUZZ" not in os.environ,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=quiet,
    )


def past(failures: Iterable[tuple[Any, ...]]) -> Callable[[Any], Any]:
    """Give a test the cases that failed once."""

    def add(test: Any) -> Any:
        for failure in failures:
            test = example(*failure)(test)
        return test

    return add


formats = st.sampled_from(FORMATS)


def check(result: Result) -> None:
    """Assert what holds for every run."""
    everything = result.output + result.errors
    assert result.code in (0, 1, 2), result
    assert "Traceback" not in everything
    assert result.code != 2 or result.errors, "could not run, and nothing says why"
    for secret in (SECRET, ENCODED_SECRET):
        assert secret not in everything
    assert [c for c in everything if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs")] == []


def validate(run_cli: RunCli, directory: Path, *arguments: str, stdin: str = "") -> Result:
    with _patience():
        return run_cli("validate", *arguments, cwd=directory, stdin=stdin.encode("utf-8", "surrogatepass"))


@cases(0.35)
@past(PAST_MANIFESTS)
@given(st.integers(0, len(OBJECTS) - 1), mutations, formats)
def test_manifests(run_cli: RunCli, tmp_path: Path, index: int, changes: Mutations, format_: str) -> None:
    documents = [mutate(OBJECTS[index], changes), TOKEN]
    text = _dump(*documents, allow_unicode=len(changes) % 2 == 0)
    check(_forgiven(validate(run_cli, tmp_path, "-", "--format", format_, stdin=text), text))


@cases(0.2)
@given(st.integers(0, len(OBJECTS) - 1), slips, formats)
def test_broken_yaml(run_cli: RunCli, tmp_path: Path, index: int, changes: Slips, format_: str) -> None:
    text = slip(_dump(OBJECTS[index], SERVER), changes)
    result = validate(run_cli, tmp_path, "-", "--format", format_, stdin=text)
    check(Result(result.code, result.output.replace(SECRET, ""), result.errors))  # it may have moved anywhere


@cases(0.35)
@past(PAST_SOURCES)
@given(
    st.sampled_from(("kustomization.yaml", "patch.yaml", "component/kustomization.yaml", "server.yaml")),
    mutations,
    st.one_of(st.just([]), slips),
    formats,
)
def test_sources(
    run_cli: RunCli,
    tmp_path: Path,
    file: str,
    changes: Mutations,
    breaks: Slips,
    format_: str,
) -> None:
    sources: dict[str, Any] = {
        "kustomization.yaml": KUSTOMIZATION,
        "component/kustomization.yaml": {
            **KUSTOMIZATION,
            "kind": "Component",
            "resources": [],
            "components": [],
        },
        "patch.yaml": JSON_PATCH if len(changes) % 2 else PATCH,
        "component/patch.yaml": PATCH,
        "server.yaml": SERVER,
        "token.yaml": TOKEN,
    }
    repo = tmp_path / "repo"
    for name, content in sources.items():
        text = _dump(mutate(content, changes) if name == file else content)
        target = repo / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(slip(text, breaks) if name == file else text, errors="surrogatepass")
    engine = _stub_engine(tmp_path)
    result = validate(run_cli, repo, "--engine", str(engine), "--format", format_)
    if breaks or file == "server.yaml":
        result = Result(result.code, result.output.replace(SECRET, ""), result.errors)
    check(result)


@cases(0.1)
@given(st.sampled_from((".vllm-kustomize.yaml", "baseline.json")), mutations, st.one_of(st.just([]), slips))
def test_settings_and_baselines(
    run_cli: RunCli, tmp_path: Path, file: str, changes: Mutations, breaks: Slips
) -> None:
    (tmp_path / "server.yaml").write_text(_dump(SERVER, TOKEN))
    (tmp_path / ".vllm-kustomize.yaml").write_text(_dump(SETTINGS))
    baseline = tmp_path / "baseline.json"
    baseline.unlink(missing_ok=True)
    written = validate(run_cli, tmp_path, "server.yaml", "--baseline", "baseline.json", "--write-baseline")
    assert written.code == 0, written
    assert SECRET not in baseline.read_text()
    content = SETTINGS if file != "baseline.json" else json.loads(baseline.read_text())
    (tmp_path / file).write_text(slip(_dump(mutate(content, changes)), breaks), errors="surrogatepass")
    check(validate(run_cli, tmp_path, "server.yaml"))


def _forgiven(result: Result, text: str) -> Result:
    """The result without the secret where a mutation took away the name that says it is one."""
    if re.search(rf"name: HF_TOKEN\n\s+value: {SECRET}", text):
        return result
    return Result(result.code, result.output.replace(SECRET, ""), result.errors)


def _dump(*documents: Any, allow_unicode: bool = False) -> str:
    text: str = yaml.dump_all(
        documents, Dumper=yaml.CSafeDumper, allow_unicode=allow_unicode, sort_keys=False
    )
    return text


def _stub_engine(directory: Path) -> Path:
    """An engine that always renders the same: what is under test here is everything around it."""
    engine, rendered = directory / "kustomize", directory / "rendered.yaml"
    if not engine.exists():
        rendered.write_text(_dump(SERVER, TOKEN))
        engine.write_text(f'#!/bin/sh\n[ "$1" = version ] && echo v5.8.1 || exec cat {rendered}\n')
        engine.chmod(0o755)
    return engine
