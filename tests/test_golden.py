"""Rendered overlays and combinations: reviewers read the manifests' diff, every kubectl renders the same."""

from __future__ import annotations

import os
import shutil
from functools import cache
from pathlib import Path

import pytest

from conftest import Golden
from renders import GOLDEN, RENDERS
from vllm_kustomize.kustomize.engine import Engine, find_engine
from vllm_kustomize.model import Overlay


def other_engines() -> list[Path]:
    """Every kubectl and kustomize on PATH but the one that comes along."""
    own = find_engine(None).resolve()
    found = (shutil.which(name) for name in ("kubectl", "kustomize"))
    return [Path(path) for path in found if path and Path(path).resolve() != own]


@cache
def rendered(engine: Path) -> dict[str, bytes | str]:
    """What an engine makes of each render: its output, or the message it failed with."""
    overlays = [Overlay(name, directory) for name, directory in RENDERS.items()]
    with Engine(engine) as started:
        results = started.build_all(overlays, os.cpu_count() or 1)
        return {result.overlay.name: result.error or result.output for result in results}


@pytest.mark.parametrize("name", RENDERS)
def test_renders_as_before(name: str, golden: Golden) -> None:
    output = rendered(find_engine(None))[name]
    assert isinstance(output, bytes), output
    golden(GOLDEN / f"{name}.yaml", output.decode())


def test_every_kubectl_renders_the_same_bytes() -> None:
    engines = other_engines()
    if not engines:
        pytest.skip("no other kubectl or kustomize on PATH")
    for engine in engines:
        assert rendered(engine) == rendered(find_engine(None)), engine


def test_no_golden_file_without_an_overlay() -> None:
    assert {path.stem for path in GOLDEN.glob("*.yaml")} == set(RENDERS)
