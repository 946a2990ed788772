"""Rendered overlays and combinations: reviewers read the diff of the manifests that a cluster would get."""

from __future__ import annotations

import os
from functools import cache

import pytest

from conftest import Golden
from renders import GOLDEN, RENDERS
from vllm_kustomize.kustomize.engine import Engine, find_engine
from vllm_kustomize.model import Overlay


@cache
def rendered() -> dict[str, bytes | str]:
    """What the engine makes of each render: its output, or the message it failed with."""
    overlays = [Overlay(name, directory) for name, directory in RENDERS.items()]
    with Engine(find_engine(None)) as started:
        results = started.build_all(overlays, os.cpu_count() or 1)
        return {result.overlay.name: result.error or result.output for result in results}


@pytest.mark.parametrize("name", RENDERS)
def test_renders_as_before(name: str, golden: Golden) -> None:
    output = rendered()[name]
    assert isinstance(output, bytes), output
    golden(GOLDEN / f"{name}.yaml", output.decode())


def test_no_golden_file_without_an_overlay() -> None:
    assert {path.stem for path in GOLDEN.glob("*.yaml")} == set(RENDERS)
