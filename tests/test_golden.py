"""Rendered overlays and combinations: reviewers read the manifests' diff, every kubectl renders the same."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from conftest import Golden
from renders import GOLDEN, RENDERS
from vllm_kustomize import pipeline
from vllm_kustomize.kustomize.engine import find_engine


def other_engines() -> list[str]:
    """Every kubectl and kustomize on PATH but the one that comes along."""
    own = find_engine(None).resolve()
    found = (shutil.which(name) for name in ("kubectl", "kustomize"))
    return [path for path in found if path and Path(path).resolve() != own]


@pytest.mark.parametrize("name", RENDERS)
def test_overlay_renders_as_before(name: str, golden: Golden) -> None:
    golden(GOLDEN / f"{name}.yaml", pipeline.build(str(RENDERS[name])).decode())


@pytest.mark.parametrize(
    "overlay",
    [path for path in RENDERS.values() if path.parent.name == "overlays"],
    ids=lambda path: path.name,
)
def test_every_kubectl_renders_the_same_bytes(overlay: Path) -> None:
    engines = other_engines()
    if not engines:
        pytest.skip("no other kubectl or kustomize on PATH")
    expected = pipeline.build(str(overlay))
    assert {engine: pipeline.build(str(overlay), engine) for engine in engines} == dict.fromkeys(
        engines, expected
    )


def test_no_golden_file_without_an_overlay() -> None:
    assert {path.stem for path in GOLDEN.glob("*.yaml")} == set(RENDERS)
