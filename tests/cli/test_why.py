"""`why` prints each value behind the place that wrote it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conftest import RunCli, write_files

FILES = {
    "base/kustomization.yaml": """\
        resources: [deployment.yaml]
        configMapGenerator:
          - name: settings
            literals: [LEVEL=info]
        secretGenerator:
          - name: tokens
            literals: [hf=hf_0123456789]
    """,
    "base/deployment.yaml": """\
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: server
        spec:
          replicas: 1
          template:
            spec:
              containers:
                - name: vllm
                  image: vllm/vllm-openai:v0.32.0
                  args: [--max-model-len=8192, --api-key=s3cr3t]
                  env:
                    - name: NOTES
                      value: |
                        one
                        two
                  envFrom:
                    - configMapRef:
                        name: settings
    """,
    "overlays/one/kustomization.yaml": """\
        resources: [../../base]
        namePrefix: one-
        images:
          - name: vllm/vllm-openai
            newTag: v0.33.0
        patches:
          - path: replicas.yaml
          - target:
              kind: Deployment
            patch: |
              - op: replace
                path: /spec/template/spec/containers/0/args/0
                value: --max-model-len=4096
    """,
    "overlays/one/replicas.yaml": """\
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: server
        spec:
          replicas: 2
    """,
}


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    write_files(tmp_path, FILES)
    return tmp_path


DEPLOYMENT = """\
overlays/one/replicas.yaml:1:13        | apiVersion: apps/v1
base/deployment.yaml:2:7               | kind: Deployment
                                       | metadata:
base/deployment.yaml:4:9               |   name: one-server
  overlays/one/kustomization.yaml:2:13 |   # namePrefix is added here
                                       | spec:
overlays/one/replicas.yaml:6:13        |   replicas: 2
  over base/deployment.yaml:6:13       |   # was 1
                                       |   template:
                                       |     spec:
                                       |       containers:
                                       |       - args:
overlays/one/kustomization.yaml:13:16  |         - --max-model-len=4096
  over base/deployment.yaml:12:18      |         # was "--max-model-len=8192"
base/deployment.yaml:12:40             |         - --api-key=[hidden]
                                       |         env:
base/deployment.yaml:14:21             |         - name: NOTES
base/deployment.yaml:15:22             |           value: |
                                       |             one
                                       |             two
                                       |         envFrom:
                                       |         - configMapRef:
base/deployment.yaml:20:23             |             name: one-settings-2748f727mg
  base/kustomization.yaml:3:11         |             # names ConfigMap/one-settings
overlays/one/kustomization.yaml:5:13   |         image: vllm/vllm-openai:v0.33.0
  over base/deployment.yaml:11:18      |         # was "vllm/vllm-openai:v0.32.0"
base/deployment.yaml:10:17             |         name: vllm
"""

SECRET = """\
near base/kustomization.yaml:6:5       | apiVersion: v1
                                       | data:
base/kustomization.yaml:7:19           |   hf: [hidden]
near base/kustomization.yaml:6:5       | kind: Secret
                                       | metadata:
base/kustomization.yaml:6:11           |   name: one-tokens-8846tfb486
  overlays/one/kustomization.yaml:2:13 |   # namePrefix is added here
near base/kustomization.yaml:6:5       | type: Opaque
"""

ARGUMENT = """\
overlays/one/kustomization.yaml:13:16 | - --max-model-len=4096
  over base/deployment.yaml:12:18     | # was "--max-model-len=8192"
"""

ARGS = "spec.template.spec.containers"


@pytest.mark.parametrize(
    ("arguments", "output"),
    [
        pytest.param(["deployment/one-server"], DEPLOYMENT, id="object"),
        pytest.param(["Secret/one-tokens"], SECRET, id="generated, without its hash"),
        pytest.param(["one-server", f"{ARGS}[0].args[0]"], ARGUMENT, id="field"),
        pytest.param(["one-server", f".{ARGS}[vllm].args.0"], ARGUMENT, id="field, by name"),
    ],
)
def test_values_stand_beside_the_places_that_wrote_them(
    arguments: list[str], output: str, repo: Path, run_cli: RunCli
) -> None:
    result = run_cli("why", "overlays/one", *arguments, cwd=repo)
    assert (result.code, result.output, result.errors) == (0, output, "")


def test_without_an_object_all_are_explained(repo: Path, run_cli: RunCli) -> None:
    result = run_cli("why", "overlays/one", cwd=repo)
    config_map, secret, deployment = result.output.split("\n\n")
    assert "name: one-settings-2748f727mg" in config_map
    assert (f"{secret}\n", deployment) == (SECRET, DEPLOYMENT)


def test_json_has_every_value_with_what_it_overrode(repo: Path, run_cli: RunCli) -> None:
    result = run_cli("why", "overlays/one", "one-server", "spec.replicas", "--format", "json", cwd=repo)

    def place(file: str) -> dict[str, object]:
        return {"file": file, "line": 6, "column": 13, "precision": "exact"}

    assert json.loads(result.output) == {
        "version": 1,
        "objects": [
            {
                "resource": {
                    "apiVersion": "apps/v1",
                    "kind": "Deployment",
                    "namespace": None,
                    "name": "one-server",
                },
                "values": [
                    {
                        "path": "spec.replicas",
                        "value": 2,
                        "location": place("overlays/one/replicas.yaml"),
                        "note": "",
                        "earlier": [
                            {
                                "value": 1,
                                "location": place("base/deployment.yaml"),
                                "note": "overridden here",
                            }
                        ],
                    }
                ],
            }
        ],
    }


THERE_ARE = "there are ConfigMap/one-settings-2748f727mg, Secret/one-tokens-8846tfb486, Deployment/one-server"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["overlays"], "overlays is not an overlay: a folder with a kustomization.yaml is one"),
        (
            ["overlays/one", "Deployment/server"],
            f"no object 'Deployment/server', did you mean 'Deployment/one-server'?; {THERE_ARE}",
        ),
        (
            ["overlays/one", "one-server", "spec.replica"],
            "no field 'replica' in spec, did you mean 'replicas'?",
        ),
        (["overlays/one", "one-server", f"{ARGS}[1]"], f"no item '1' in {ARGS}: it has items 0 to 0"),
        (
            ["overlays/one", "one-server", "spec.replicas.x"],
            "nothing stands below spec.replicas, which is a single value",
        ),
    ],
)
def test_it_says_what_it_cannot_find(arguments: list[str], message: str, repo: Path, run_cli: RunCli) -> None:
    result = run_cli("why", *arguments, cwd=repo)
    assert (result.code, result.output, result.errors) == (2, "", f"vllm-kustomize: {message}\n")


def test_a_name_that_several_objects_have_is_not_enough(repo: Path, run_cli: RunCli) -> None:
    service = "apiVersion: v1\nkind: Service\nmetadata:\n  name: server\n"
    (repo / "base/deployment.yaml").write_text(f"{service}---\n{(repo / 'base/deployment.yaml').read_text()}")
    result = run_cli("why", "overlays/one", "one-server", cwd=repo)
    message = "'one-server' is Service/one-server and Deployment/one-server: name one of them"
    assert (result.code, result.output, result.errors) == (2, "", f"vllm-kustomize: {message}\n")
