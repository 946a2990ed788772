"""The schemas that are bundled are those of kubernetes-validate, as `make schemas` changes them."""

from __future__ import annotations

import pytest

from record.kubernetes_schemas import published_versions, schemas
from vllm_kustomize.checks.published import known_versions, schema_of


def test_every_published_version_comes_along() -> None:
    assert known_versions() == published_versions()


@pytest.mark.parametrize("version", [published_versions()[0], published_versions()[-1]], ids=str)
def test_schemas_are_current(version: tuple[int, int]) -> None:
    published = dict(schemas(version))
    names = [name.split(" ") for name in published]
    assert {f"{api} {kind}": schema_of(api, kind, version) for api, kind in names} == published


def test_a_kind_that_a_version_does_not_serve_has_no_schema() -> None:
    assert schema_of("policy/v1beta1", "PodSecurityPolicy", (1, 25)) is None
    assert schema_of("v1", "Pod", (1, 99)) is None
