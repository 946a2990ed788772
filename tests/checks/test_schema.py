"""What the schema check reports, and what it leaves to the decoder's way of reading."""

from __future__ import annotations

from typing import Any

import pytest

from vllm_kustomize.checks import schema
from vllm_kustomize.model import Resource, format_path


def problems(manifest: dict[str, Any]) -> list[str]:
    """The schema problems of an object, each at its path."""
    found = schema.check(Resource(manifest), (1, 36))
    assert found is not None
    return sorted(f"{format_path(problem.path)}: {problem.message}" for problem in found)


def config_map(**fields: object) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, **fields}


def test_every_unknown_field_has_a_problem_of_its_own() -> None:
    assert problems(config_map(dat={}, immutabel=True)) == [
        "dat: unknown field",
        "immutabel: unknown field",
    ]


@pytest.mark.parametrize(
    "manifest",
    [
        config_map(data=None, immutable=None),
        config_map(data={"a": None}),
        config_map(binaryData={"a": [104, 105]}),
        {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": "a"},
            "value": 1,
            "description": "a field that is called like a keyword of JSON schema",
        },
    ],
)
def test_what_the_decoder_accepts(manifest: Any) -> None:
    assert problems(manifest) == []


def test_numbers_have_the_size_of_their_fields() -> None:
    manifest = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "a"},
        "spec": {"replicas": 2**31, "minReadySeconds": 1.5, "revisionHistoryLimit": True},
    }
    assert problems(manifest) == [
        "spec.minReadySeconds: must be of type integer, but is a number",
        f"spec.replicas: is {2**31}, beyond {2**31 - 1}, the last number that fits",
        "spec.revisionHistoryLimit: must be of type integer, but is a boolean",
    ]


def test_a_secret_is_not_quoted() -> None:
    manifest = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "a"},
        "stringData": {"token": ["hunter2"]},
    }
    assert problems(manifest) == ["stringData.token: must be of type string, but is a list"]


def test_a_kind_without_a_schema_is_not_checked() -> None:
    resource = Resource({"apiVersion": "example.com/v1", "kind": "Deployment"})
    assert schema.check(resource, (1, 36)) is None
