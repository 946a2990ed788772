"""YAML is read as Kubernetes reads it, and every value knows where it stands."""

from __future__ import annotations

import pytest

from vllm_kustomize.kustomize.yaml.nodes import Document, DocumentError, read_documents
from vllm_kustomize.kustomize.yaml.scalars import resolve
from vllm_kustomize.model import Location, Precision


def read(text: str) -> Document:
    (document,) = read_documents(text, "f.yaml")
    return document


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", True),
        ("off", False),
        ("y", True),
        ("~", None),
        ("0644", 420),
        ("0o644", 420),
        ("08", 8),
        ("0x1F", 31),
        ("-0b11", -3),
        ("1_000", 1000),
        ("+5", 5),
        ("1:30", "1:30"),
        ("2026-11-23", "2026-11-23"),
        ("1e3", 1000),
        ("1.0", 1),
        (".5", 0.5),
        ("1.5", 1.5),
        ("1.2.3", "1.2.3"),
        ("-", "-"),
        ("18446744073709551615", 18446744073709551615),
        ("yesterday", "yesterday"),
    ],
)
def test_plain_scalars_resolve_as_go_yaml_does(text: str, value: object) -> None:
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("a: 'yes'\nb: \"1\"\n", {"a": "yes", "b": "1"}),
        ("1: a\nyes: b\n", {"1": "a", "true": "b"}),
        ("a: !!str 5\nb: !!int '5'\nc: !custom 7\n", {"a": "5", "b": 5, "c": "7"}),
        ("a: !!binary aGk=\n", {"a": "hi"}),
        ("a: &x {p: 1, q: 2}\nb:\n  <<: *x\n  p: 3\n", {"a": {"p": 1, "q": 2}, "b": {"p": 3, "q": 2}}),
        ("b:\n  p: 3\n  <<: [{p: 1, r: 1}, {r: 2, s: 2}]\n", {"b": {"p": 3, "r": 1, "s": 2}}),
        ("'<<': 3\n", {"<<": 3}),
        ("a: &x 1\nb: &x 2\nc: *x\n", {"a": 1, "b": 2, "c": 2}),
        ('{\n\t"a":\t[1]}', {"a": [1]}),
        ("\ufeffa: 1", {"a": 1}),
    ],
)
def test_data(text: str, data: object) -> None:
    assert read(text).data == data


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1\nb: 2\n", "f.yaml:2:2: did not find expected ',' or ']'"),
        ("a: b\n c: d\n", "f.yaml:2:3: mapping values are not allowed in this context"),
        ("a: *x\n", "f.yaml:1:4: unknown anchor 'x'"),
        ("a: &x [*x]\n", "f.yaml:1:8: anchor 'x' contains itself"),
        ("<<: 3\n", "f.yaml:1:5: '<<' merges something that is not a mapping"),
        ("? [a]\n: 1\n", "f.yaml:1:5: a key that is not a scalar"),
        ("~: 1\n", "f.yaml:1:1: an empty key"),
        ("a: !!int x\n", "f.yaml:1:4: 'x' is not what its tag !!int says"),
        ("a:\n- \x00\n", "f.yaml:2:3: control characters are not allowed"),
        ("é: \ud800\n", "f.yaml:1:4: the text is not valid Unicode"),
        ("[" * 60_000, "f.yaml:1:201: nested more than 200 levels deep"),
        ("- " * 60_000, "f.yaml:1:401: nested more than 200 levels deep"),
        (
            "a: &a [1,1,1,1,1,1,1,1,1,1]\n"
            + "".join(
                f"{b}: &{b} [{','.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdef", "bcdefg", strict=True)
            ),
            "f.yaml:5:",
        ),
    ],
)
def test_errors_say_where(text: str, message: str) -> None:
    with pytest.raises(DocumentError) as error:
        read_documents(text, "f.yaml")
    assert str(error.value).startswith(message)


def test_documents_keep_their_index() -> None:
    assert [document.data for document in read_documents("# c\n---\n---\na: 1\n---\n- b\n", "f")] == [
        None,
        {"a": 1},
        ["b"],
    ]
    assert read_documents("# only a comment\n", "f") == ()


TEXT = """\
# é😀
spec: &spec
  name: "x"
  empty:
  items:
    - key: 1
      text: |
        hello
    -
other: *spec
"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("spec", "name"), (3, 9, Precision.EXACT)),
        (("spec", "empty"), (4, 3, Precision.EXACT)),
        (("spec", "items"), (6, 5, Precision.EXACT)),
        (("spec", "items", 0), (6, 7, Precision.EXACT)),
        (("spec", "items", 0, "key"), (6, 12, Precision.EXACT)),
        (("spec", "items", 0, "text"), (7, 13, Precision.EXACT)),
        (("spec", "items", 1), (9, 6, Precision.EXACT)),
        (("other",), (10, 8, Precision.EXACT)),
        (("other", "name"), (3, 9, Precision.EXACT)),
        (("spec", "items", 5, "key"), (5, 3, Precision.PARENT)),
        (("spec", "name", "deeper"), (3, 3, Precision.PARENT)),
        (("absent",), (2, 1, Precision.PARENT)),
    ],
)
def test_locations(path: tuple[str | int, ...], expected: tuple[int, int, Precision]) -> None:
    location = read(TEXT).locate(path)
    assert (location.line, location.column, location.precision) == expected


def test_keys_can_be_located() -> None:
    assert read(TEXT).locate(("spec", "name"), key=True) == Location("f.yaml", 3, 3)


def test_duplicate_keys_are_found_while_reading() -> None:
    document = read("a:\n- b:\n    c: 1\n    d: 1\n    c: 2\n")
    assert document.data == {"a": [{"b": {"c": 2, "d": 1}}]}
    (duplicate,) = document.duplicates
    assert duplicate.path == ("a", 0, "b", "c")
    assert duplicate.location == Location("f.yaml", 5, 5)
    assert duplicate.first == Location("f.yaml", 3, 5)


DEFINITION = """\
# a comment
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: models.example.com
spec:
  versions:
    - name: v1
      schema:
        openAPIV3Schema:
          type: object

          properties:
            spec:
              description: |-
                Long text
                ---
              type: object
      served: true
    - name: v2
      schema:
        openAPIV3Schema:
          type: string
"""


def test_a_schema_set_aside_reads_as_if_it_had_been_read_at_once() -> None:
    text = f"{DEFINITION}---\n{OTHER}---\n{DEFINITION}"
    long = text + "#" * 20_000
    at_once = read_documents(long, "f")
    later = read_documents(long, "f", later=True)
    assert [document.data for document in later] == [document.data for document in at_once]
    path = ("spec", "versions", 0, "schema", "openAPIV3Schema", "properties", "spec", "type")
    for index in (0, 2):
        found = read_documents(long, "f", later=True)[index]
        assert found.locate(path) == at_once[index].locate(path)
        assert found.locate(path[:5], key=True) == at_once[index].locate(path[:5], key=True)


OTHER = """\
kind: ConfigMap
data:
  crd: |
    kind: CustomResourceDefinition
        openAPIV3Schema:
          type: object
"""
