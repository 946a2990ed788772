"""Definitions from documents of every shape, and what they say of objects."""

from __future__ import annotations

from typing import Any

import pytest

from vllm_kustomize.apiserver import custom
from vllm_kustomize.apiserver.custom import bundled
from vllm_kustomize.apiserver.custom.definitions import read_documents
from vllm_kustomize.model import format_path

SPEC: dict[str, Any] = {
    "type": "object",
    "required": ["size", "mode"],
    "properties": {
        "size": {"type": "integer", "format": "int32", "minimum": 1, "maximum": 9},
        "mode": {"type": "string", "enum": ["a", "b"], "default": "a"},
        "ratio": {"type": "number", "multipleOf": 0.5, "exclusiveMinimum": True, "minimum": 0},
        "name": {"type": "string", "pattern": "^[a-z]+$", "minLength": 2, "maxLength": 4},
        "port": {"x-kubernetes-int-or-string": True},
        "since": {"type": "string", "format": "date-time"},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "note": {"type": "string", "nullable": True},
        "tags": {
            "type": "array",
            "x-kubernetes-list-type": "set",
            "maxItems": 3,
            "items": {"type": "string"},
        },
        "parts": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["key"],
            "items": {
                "type": "object",
                "required": ["key"],
                "properties": {"key": {"type": "string"}, "value": {"type": "integer", "default": 1}},
            },
        },
        "labels": {"type": "object", "maxProperties": 1, "additionalProperties": {"type": "string"}},
        "pod": {
            "type": "object",
            "x-kubernetes-embedded-resource": True,
            "x-kubernetes-preserve-unknown-fields": True,
        },
        "one": {
            "type": "object",
            "properties": {"x": {"type": "string"}, "y": {"type": "string"}},
            "oneOf": [{"required": ["x"]}, {"required": ["y"]}],
        },
        "fixed": {
            "type": "string",
            "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "cannot change"}],
        },
    },
    "x-kubernetes-validations": [
        {
            "rule": "!has(self.ratio) || self.ratio <= double(self.size)",
            "messageExpression": "'the ratio is above ' + string(self.size)",
            "fieldPath": ".ratio",
        }
    ],
}
CRD: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "things.example.com"},
    "spec": {
        "group": "example.com",
        "names": {"kind": "Thing", "plural": "things"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}, "scale": {"specReplicasPath": ".spec.size"}},
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {"spec": SPEC, "status": {"type": "object"}},
                    }
                },
            },
            {
                "name": "v1beta1",
                "served": True,
                "deprecated": True,
                "schema": {"openAPIV3Schema": {"type": "object"}},
            },
            {"name": "v1alpha1", "served": False, "schema": {"openAPIV3Schema": {"type": "object"}}},
        ],
    },
}
(DEFINITION, OLDER) = read_documents([CRD], "crd.yaml").definitions


def judged(spec: dict[str, Any], old: dict[str, Any] | None = None, **more: Any) -> list[str]:
    thing = {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "a"}}
    new = {**thing, "spec": spec, **more}
    verdict = custom.check(new, DEFINITION, (1, 37))
    assert verdict.unchecked == ()
    problems = verdict.problems
    if old is not None:
        problems = custom.check_update(new, {**thing, "spec": old}, DEFINITION, (1, 37))
    return [f"{format_path(problem.path)}: {problem.message}" for problem in problems]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"size": 1}, []),
        ({}, ["spec.size: is required"]),
        ({"size": "1"}, ["spec.size: must be an integer, but is a string"]),
        ({"size": 10}, ["spec.size: is 10, but must be at most 9"]),
        (
            {"size": 2**31},
            [
                "spec.size: is 2147483648, which is not a valid int32",
                "spec.size: is 2147483648, but must be at most 9",
            ],
        ),
        ({"size": 1, "mode": None}, []),
        ({"size": 1, "mode": "c"}, ['spec.mode: "c" is not supported; use one of "a", "b"']),
        ({"size": 1, "ratio": -0.5}, ["spec.ratio: is -0.5, but must be more than 0"]),
        (
            {"size": 1, "ratio": 1},
            ["spec.ratio: is 1, but the server takes no integer where multipleOf is 0.5"],
        ),
        ({"size": 1, "ratio": 0.75}, ["spec.ratio: is 0.75, but must be a multiple of 0.5"]),
        ({"size": 1, "ratio": 2.5}, ["spec.ratio: the ratio is above 1"]),
        ({"size": 1, "name": "x"}, ["spec.name: has 1 characters, but must have at least 2"]),
        ({"size": 1, "name": "ABC"}, ['spec.name: "ABC" does not match ^[a-z]+$']),
        ({"size": 1, "port": 8.5}, ["spec.port: must be an integer or a string, but is a number"]),
        ({"size": 1, "since": "now"}, ['spec.since: "now" is not of the format date-time']),
        ({"size": 1, "free": {"any": [{"thing": 1}]}, "note": None, "port": "http"}, []),
        ({"size": 1, "extra": 1}, ["spec.extra: unknown field"]),
        (
            {"size": 1, "tags": ["x", "y", "x"]},
            ['spec.tags[2]: "x" is there twice; each may appear once'],
        ),
        ({"size": 1, "tags": list("wxyz")}, ["spec.tags: has 4 items, but may have at most 3"]),
        (
            {"size": 1, "parts": [{"key": "a"}, {"key": "a", "value": 2}]},
            ["spec.parts[1]: an item with key: a is there already; each may appear once"],
        ),
        (
            {"size": 1, "labels": {"a": "1", "b": "2"}},
            ["spec.labels: has 2 fields, but may have at most 1"],
        ),
        ({"size": 1, "labels": {"a": None}}, []),
        (
            {"size": 1, "pod": {"kind": "Pod", "metadata": {"nam": "x"}}},
            ["spec.pod.apiVersion: is required", "spec.pod.metadata.nam: unknown field"],
        ),
        (
            {"size": 1, "one": {}},
            ["spec.one: fits none of the alternatives, but must fit one: x set; y set"],
        ),
        (
            {"size": 1, "one": {"x": "", "y": ""}},
            ["spec.one: fits 2 of the alternatives, but must fit one: x set; y set"],
        ),
        ({"size": 1, "fixed": "new"}, []),
    ],
)
def test_an_object_is_judged_as_the_server_judges_it(spec: Any, said: Any) -> None:
    assert judged(spec) == said


def test_a_status_is_dropped_where_it_is_a_subresource() -> None:
    assert judged({"size": 1}, status=7) == []


def test_metadata_has_to_be_decodable() -> None:
    said = judged({"size": 1}, metadata={"name": 7, "labels": {"a": 1}, "lables": {}})
    assert said == [
        "metadata.lables: unknown field",
        "metadata.name: must be a string, but is an integer",
        "metadata.labels.a: must be a string, but is an integer",
    ]


@pytest.mark.parametrize(
    ("spec", "old", "said"),
    [
        ({"size": 1, "fixed": "new"}, {"size": 1, "fixed": "old"}, ["spec.fixed: cannot change"]),
        ({"size": 1, "fixed": "new"}, {"size": 1}, []),
        ({"size": 1, "mode": "b"}, {"size": 1, "name": "ab"}, []),
        (
            {"size": 1, "labels": {}},
            {"size": 1, "labels": {"a": "b"}},
            ["spec.labels: must be a mapping, not null"],
        ),
        ({"size": 1, "labels": {}}, {"size": 1}, []),
        ({"size": 1, "parts": [{"key": "b"}]}, {"size": 1, "parts": [{"key": "a", "value": 2}]}, []),
    ],
)
def test_an_update_is_compared_with_what_was_there(spec: Any, old: Any, said: Any) -> None:
    assert judged(spec, old) == said


def test_formats_of_numbers_count_since_1_36() -> None:
    thing = {"apiVersion": "example.com/v1", "kind": "Thing", "spec": {"size": 2**31}}
    said = [len(custom.check(thing, DEFINITION, version).problems) for version in ((1, 35), (1, 36))]
    assert said == [1, 2]


def test_a_deprecated_version_is_warned_of() -> None:
    thing = {"apiVersion": "example.com/v1beta1", "kind": "Thing"}
    (problem,) = custom.check(thing, OLDER, (1, 37)).problems
    assert (str(problem.severity), problem.path) == ("warning", ("apiVersion",))
    assert problem.message == "example.com/v1beta1 Thing is deprecated"


@pytest.mark.parametrize(
    ("document", "notes"),
    [
        (CRD, ()),
        ({"kind": "List", "items": [CRD]}, ()),
        (
            {"kind": "CustomResourceDefinitionList", "items": [{**CRD, "kind": "CustomResourceDefinition"}]},
            (),
        ),
        ({**CRD, "spec": None}, ("things.example.com has no spec",)),
        ({**CRD, "spec": {"group": "g"}}, ("things.example.com names no group and kind",)),
        (
            {**CRD, "spec": {**CRD["spec"], "versions": [{"served": True}]}},
            ("things.example.com has a version without a name",),
        ),
        (
            {**CRD, "spec": {**CRD["spec"], "versions": [{"name": "v1"}]}},
            ("things.example.com has no schema for its version v1",),
        ),
        ({**CRD, "spec": {**CRD["spec"], "versions": {}}}, ("things.example.com has no versions",)),
        (
            {**CRD, "apiVersion": "apiextensions.k8s.io/v1beta1", "spec": {"validation": {}}},
            (
                "things.example.com is of apiextensions.k8s.io/v1beta1, which no server has known since "
                "Kubernetes 1.22",
            ),
        ),
    ],
)
def test_documents_that_hold_a_definition_or_look_like_one(document: Any, notes: Any) -> None:
    reading = read_documents([document, None, [], "text", {"kind": 7}], "crd.yaml")
    assert reading.notes == notes
    assert [each.version for each in reading.definitions] == ([] if notes else ["v1", "v1beta1"])


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": ["a"]},
        {"properties": {"spec": None}},
        {"properties": {"spec": {"properties": {"a": 7, "b": {"enum": {}, "required": "a"}}}}},
        {"properties": {"spec": {"x-kubernetes-validations": {"rule": 1}, "anyOf": "x", "items": []}}},
        {"properties": {"spec": {"x-kubernetes-validations": [7, {"rule": None}, {"rule": "self.("}]}}},
        {"type": ["object"], "minLength": "1", "pattern": 7, "not": 7, "default": {"a": {}}},
        {"properties": {"spec": {"properties": {"a": {"pattern": "(", "type": "string"}}}}},
    ],
)
def test_a_schema_of_another_shape_is_read_as_far_as_it_goes(schema: Any) -> None:
    crd = {
        **CRD,
        "spec": {**CRD["spec"], "versions": [{"name": "v1", "schema": {"openAPIV3Schema": schema}}]},
    }
    (definition,) = read_documents([crd], "crd.yaml").definitions
    thing = {"apiVersion": "example.com/v1", "kind": "Thing", "spec": {"a": "b"}}
    custom.check(thing, definition, (1, 37))


def test_the_definitions_that_come_along_have_no_words_of_others() -> None:
    kept = {"message", "help", "rule", "fieldPath", "optionalOldSelf"}
    definitions = bundled.definitions()
    assert len(definitions) > 50

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            assert not {"description", "title", "example", "externalDocs"} & {
                key for key, value in node.items() if isinstance(value, str)
            }
            for rule in node.get("x-kubernetes-validations", ()):
                assert set(rule) <= kept
                assert rule["message"]
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    for definition in definitions.values():
        walk(definition.schema.fields.raw)
        assert definition.origin
