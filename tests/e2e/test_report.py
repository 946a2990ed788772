"""The cases and the report, without running anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e import cases, report
from e2e.cases import Case
from e2e.client import Answer
from e2e.kubelet.kubelet import Shutdown
from e2e.kubelet.pod import vllm_pod
from e2e.play import Outcome
from e2e.server_line import read_line
from vllm_kustomize import pipeline
from vllm_kustomize.kustomize.load import load_rendered
from vllm_kustomize.model import Build

SERVES = Outcome(
    startup=61.2,
    probes="1/6 1/1 1/1",
    curl=Answer(7),
    chat=Answer(16),
    in_flight=Answer(4000),
    memory=7 << 30,
    shutdown=Shutdown(15, "", 12.6, 0, killed=False),
    notes=("vLLM 0.32.0 (CPU build) stands in for an image",),
)
CUT_OFF = Outcome(
    "the answer in flight was cut off", startup=50, curl=Answer(7), chat=Answer(error="no answer")
)
RESULTS = [
    (Case("cpu", Path("cpu")), SERVES),
    (Case("short", Path("short"), ("cut off",)), CUT_OFF),
    (Case("other", Path("other"), ("SIGKILL", "cut off")), CUT_OFF),
    (Case("calm", Path("calm"), ("cut off",)), SERVES),
    (Case("rough", Path("rough")), CUT_OFF),
]


def test_the_table() -> None:
    assert report.table(RESULTS).splitlines() == [
        "       ready  probes       curl      chat       in flight    memory   preStop  drain  verdict",
        "cpu    61 s   1/6 1/1 1/1  7 tokens  16 tokens  4000 tokens  7.0 GiB  15 s     13 s   serves",
        "short  50 s   -            7 tokens  failed     -            -        -        -      "
        "failed as expected",
        "other  50 s   -            7 tokens  failed     -            -        -        -      WRONG",
        "calm   61 s   1/6 1/1 1/1  7 tokens  16 tokens  4000 tokens  7.0 GiB  15 s     13 s   WRONG",
        "rough  50 s   -            7 tokens  failed     -            -        -        -      FAILED",
    ]


def test_the_details() -> None:
    assert (
        report.details(RESULTS[2:4])
        == """\
other
  expected: SIGKILL … cut off
  the answer in flight was cut off
calm
  expected: cut off
  vLLM 0.32.0 (CPU build) stands in for an image"""
    )


def test_only_what_came_out_as_it_should_passes() -> None:
    assert [report.passed(case, outcome) for case, outcome in RESULTS] == [True, True, False, False, False]


@pytest.mark.parametrize("case", cases.all_cases(), ids=lambda case: case.name)
def test_every_case_is_a_pod_that_can_be_played(case: Case) -> None:
    build = Build(tuple(load_rendered(pipeline.build(str(case.overlay)), case.name)))
    line = read_line(vllm_pod(build), build, "0.32.0")
    assert line.name == line.model
    assert ("refuses --max-model-length" in line.comparison) == (case.name == "wrong-flag")


def test_names_and_folders_choose_cases(tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").touch()
    assert cases.find(["cpu", str(tmp_path)]) == [
        Case("cpu", cases.OVERLAYS / "cpu"),
        Case(tmp_path.name, tmp_path.resolve()),
    ]
    assert cases.find([]) == cases.all_cases()
    with pytest.raises(ValueError, match="gpu is not an overlay's folder and none of cpu, nvidia, amd"):
        cases.find(["gpu"])
