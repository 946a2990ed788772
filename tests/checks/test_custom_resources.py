"""Where definitions of custom resources come from: places that are named, the build, and what is bundled."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from conftest import RunCli

CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition  # a comment behind the kind
metadata:
  name: things.example.com
spec:
  group: example.com
  names: {kind: Thing, plural: things}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              required: [size]
              properties:
                size:
                  type: integer
                  minimum: 1
                free:
                  type: object
                  x-kubernetes-preserve-unknown-fields: true
    - name: v2
      served: true
      storage: false
      schema:
        openAPIV3Schema:
          type: object
          x-kubernetes-preserve-unknown-fields: true
"""
THING = "apiVersion: example.com/v1\nkind: Thing\nmetadata:\n  name: thing\nspec:\n  size: 0\n"
REFUSED = "<stdin>:6:9: error[schema] Thing/thing: spec.size: is 0, but must be at least 1\n\n"


def as_json(text: str) -> str:
    import yaml

    return json.dumps(yaml.safe_load(text))


def indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("crd.yaml", CRD),
        ("crds.yml", f"kind: ConfigMap\n---\n{CRD}---\nkind: ConfigMap\n"),
        ("list.yaml", f"apiVersion: v1\nkind: List\nitems:\n-\n{indented(CRD)}\n"),
        ("flow.yaml", as_json(CRD)),
        ("crd.json", as_json(CRD)),
        ("list.json", json.dumps({"kind": "List", "items": [json.loads(as_json(CRD))]})),
    ],
)
@pytest.mark.parametrize("whole", [True, False], ids=["folder", "file"])
def test_a_definition_is_read_in_every_layout(
    tmp_path: Path, run_cli: RunCli, name: str, content: str, whole: bool
) -> None:
    (tmp_path / "below").mkdir()
    file = tmp_path / "below" / name
    file.write_text(content)
    location = tmp_path if whole else file
    result = run_cli("validate", "-q", "--schema-location", str(location), "-", stdin=THING.encode())
    assert (result.output, result.code) == (REFUSED, 1)


def test_every_served_version_counts(tmp_path: Path, run_cli: RunCli) -> None:
    (tmp_path / "crd.yaml").write_text(CRD)
    newer = THING.replace("example.com/v1", "example.com/v2")
    result = run_cli("validate", "--schema-location", str(tmp_path), "-", stdin=newer.encode())
    assert result.output.startswith("1 object, 0 errors, 0 warnings in")
    older = THING.replace("example.com/v1", "example.com/v1alpha1")
    result = run_cli("validate", "--schema-location", str(tmp_path), "-", stdin=older.encode())
    assert result.output.startswith(
        "skipped Thing (example.com/v1alpha1): v1, v2 of this kind is known; "
        "name a folder that has this version with --schema-location\n"
    )


def test_a_definition_of_the_same_build_counts(run_cli: RunCli) -> None:
    result = run_cli("validate", "-q", "-v", "-", stdin=f"{THING}---\n{CRD}".encode())
    assert REFUSED.strip() in result.output
    assert result.code == 1


def test_what_is_named_comes_before_the_build_and_the_build_before_the_settings(
    tmp_path: Path, run_cli: RunCli
) -> None:
    for folder, minimum in (("named", 1), ("settled", 3)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "crd.yaml").write_text(CRD.replace("minimum: 1", f"minimum: {minimum}"))
    (tmp_path / "settings").mkdir()
    (tmp_path / "settings" / ".vllm-kustomize.yaml").write_text("schema-locations: [../settled]\n")
    build = f"{THING}---\n{CRD.replace('minimum: 1', 'minimum: 2')}".encode()

    def least(stdin: bytes, *options: str) -> str:
        output = run_cli("validate", "-q", *options, "-", cwd=tmp_path / "settings", stdin=stdin).output
        return output.partition("\n")[0].rpartition(" ")[2]

    named = ("--schema-location", "../named")
    assert [least(build, *named), least(build), least(THING.encode())] == ["1", "2", "3"]


def test_kinds_that_nobody_knows_are_skipped_with_a_reason(run_cli: RunCli) -> None:
    result = run_cli("validate", "-", stdin=THING.encode())
    reason = "no schema for this kind; name a folder that has one with --schema-location"
    assert result.output.startswith(
        f"skipped Thing (example.com/v1): {reason}\n1 object, 0 errors, 0 warnings"
    )
    assert result.code == 0


def test_definitions_come_along_and_say_which_they_are(run_cli: RunCli) -> None:
    text = """\
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: vllm
spec:
  scaleTargetRef:
    name: vllm
  minReplicaCount: 5
  maxReplicaCount: 2
  triggers:
  - type: cpu
    metadata: {value: "1"}
"""
    result = run_cli("validate", "-v", "-", stdin=text.encode())
    assert result.output.startswith(
        "<stdin>:6:3: error[api-custom] ScaledObject/vllm: spec: has minReplicaCount above maxReplicaCount\n"
    )
    assert "Lower minReplicaCount or raise maxReplicaCount" in result.output
    assert "\ndefinition of ScaledObject (keda.sh/v1alpha1): KEDA v" in result.output
    assert "skipped" not in result.output


@pytest.mark.parametrize(
    ("name", "content", "note"),
    [
        ("broken.yaml", b"kind: CustomResourceDefinition\na: [", "not YAML"),
        ("broken.json", b'{"kind": "CustomResourceDefinition"', "not JSON"),
        ("deep.json", b'{"kind": "CustomResourceDefinition", "a": ' + b"[" * 100_000, "levels deep"),
        ("deep.yaml", b"kind: CustomResourceDefinition\na: " + b"[" * 100_000, "not YAML"),
        ("latin.yaml", b"kind: CustomResourceDefinition # \xe9", "not UTF-8"),
        ("old.yaml", b"apiVersion: apiextensions.k8s.io/v1beta1\nkind: CustomResourceDefinition\n", "is of"),
        ("null.yaml", b"kind: CustomResourceDefinition\nspec:\n", "a definition without a name has no spec"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_and_no_other_is_lost(
    tmp_path: Path, run_cli: RunCli, name: str, content: bytes, note: str
) -> None:
    (tmp_path / name).write_bytes(content)
    (tmp_path / "unrelated.yaml").write_text("a: [")
    (tmp_path / "z.yaml").write_text(CRD)
    result = run_cli("validate", "--schema-location", str(tmp_path), "-", stdin=THING.encode())
    assert REFUSED.partition("\n")[0] in result.output
    assert f"skipped schemas in {tmp_path}/{name}: " in result.output
    assert note in result.output
    assert "unrelated" not in result.output
    assert result.code == 1


def test_only_regular_files_are_read(tmp_path: Path, run_cli: RunCli) -> None:
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "dangling.yaml").symlink_to("nowhere")
    (tmp_path / "endless.yaml").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "z.yaml").write_text(CRD)
    result = run_cli("validate", "--schema-location", str(tmp_path), "-", stdin=THING.encode())
    assert REFUSED.partition("\n")[0] in result.output
    assert f"{tmp_path}/endless.yaml" in result.output
    assert f"{tmp_path}/dangling.yaml: no such file or directory" in result.output


def test_a_place_without_definitions_says_so(tmp_path: Path, run_cli: RunCli) -> None:
    file = tmp_path / "values.yaml"
    file.write_text("a: 1\n")
    result = run_cli("validate", "--schema-location", str(file), "-", stdin=THING.encode())
    assert f"skipped schemas in {file}: it has no CustomResourceDefinition\n" in result.output
    result = run_cli("validate", "--schema-location", str(tmp_path / "nowhere"), "-", stdin=THING.encode())
    assert result.errors == f"vllm-kustomize: the schema location {tmp_path}/nowhere does not exist\n"
    assert result.code == 2


@pytest.mark.parametrize("uri", ["http://127.0.0.1:9/schema.json", "file:///etc/hostname"])
def test_a_json_schema_fetches_and_reads_nothing(tmp_path: Path, run_cli: RunCli, uri: str) -> None:
    (tmp_path / "thing-example-v1.json").write_text(json.dumps({"properties": {"spec": {"$ref": uri}}}))
    result = run_cli("validate", "--schema-location", str(tmp_path), "-", stdin=THING.encode())
    assert "is broken: " in result.errors
    assert "nothing is fetched or read for a schema" in result.errors
    assert result.code == 2


def test_a_json_schema_named_as_kubeconform_does_is_used(tmp_path: Path, run_cli: RunCli) -> None:
    schema = {"properties": {"spec": {"properties": {"size": {"type": "integer", "minimum": 1}}}}}
    (tmp_path / "example.com").mkdir()
    (tmp_path / "example.com" / "thing_v1.json").write_text(json.dumps(schema))
    result = run_cli("validate", "-q", "--schema-location", str(tmp_path), "-", stdin=THING.encode())
    assert result.output.startswith("<stdin>:6:9: error[schema] Thing/thing: spec.size: is 0, beyond 1")


def test_an_update_is_judged_by_the_definition(tmp_path: Path, run_cli: RunCli) -> None:
    spec = "          properties:\n            spec:\n              type: object\n"
    rule = "x-kubernetes-validations: [{rule: self == oldSelf, message: is fixed}]"
    (tmp_path / "crd.yaml").write_text(CRD.replace(spec, f"{spec}              {rule}\n", 1))
    (tmp_path / "old.yaml").write_text(THING.replace("size: 0", "size: 1"))
    options = ("--schema-location", "crd.yaml", "--existing", "old.yaml")
    new = THING.replace("size: 0", "size: 2").encode()
    result = run_cli("validate", "-q", *options, "-", cwd=tmp_path, stdin=new)
    assert result.output.startswith("<stdin>:6:3: error[immutable-field] Thing/thing: spec: is fixed\n")
    same = THING.replace("size: 0", "size: 1").encode()
    assert run_cli("validate", "-q", *options, "-", cwd=tmp_path, stdin=same).output == ""


def test_a_rule_that_cannot_be_evaluated_is_said(run_cli: RunCli) -> None:
    spec = "          properties:\n            spec:"
    crd = CRD.replace(spec, f"          x-kubernetes-validations: [{{rule: 'nothing(self)'}}]\n{spec}", 1)
    stdin = f"{THING.replace('size: 0', 'size: 1')}---\n{crd}".encode()
    result = run_cli("validate", "-", stdin=stdin)
    what = "the rule nothing(self): the function nothing() is unknown"
    assert result.output.startswith(f"skipped Thing (example.com/v1): {what}: not checked\n")
