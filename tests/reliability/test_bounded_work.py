"""What a repository contains may be large or hostile: the work stays in proportion to its size.

No clock decides. `calls` counts what the interpreter calls, which is the same in every run.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from conftest import RunCli
from vllm_kustomize.findings.excerpts import Excerpts


def calls(work: Callable[[], object]) -> int:
    """How many functions are called, built-in ones included, while something works."""
    count = 0

    def one_more(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(one_more)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def is_linear(work: Callable[[int], Callable[[], object]], size: int) -> bool:
    """Whether twice the size takes about twice the work, and no more."""
    return calls(work(2 * size)) < 2.2 * calls(work(size))


@pytest.mark.parametrize(
    "item",
    [
        "  key{}: value",
        "  - name: a{}\n    value: b",
        "  # {}",
        '  - {{name: "{}"}}',
        "   ",
        "{}",
        "---\na: {}",
    ],
)
def test_every_line_of_a_file_is_quoted_in_one_walk(item: str) -> None:
    def quoted(size: int) -> Callable[[], object]:
        text = "data:\n" + "\n".join(map(item.format, range(size)))
        excerpts = Excerpts(text)
        return lambda: [excerpts.line(number) for number in range(1, text.count("\n") + 2)]

    assert is_linear(quoted, 200)


def test_a_long_line_is_cut_around_the_fault(run_cli: RunCli, tmp_path: Path) -> None:
    flags = ", ".join(f"--max-num-seqs={number}" for number in range(1, 2000))
    arguments = f"[m, {flags}, --prot=80]"
    pod = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: %s, args: %s}]}"
    )
    (tmp_path / "pod.yaml").write_text(pod % ("vllm/vllm-openai:v0.33.0", arguments))
    shown = run_cli("validate", "pod.yaml", "--select", "unknown-flag", cwd=tmp_path).output.splitlines()
    assert shown[1].endswith("--prot=80]}]}")
    assert len(shown[1]) < 200
    assert shown[2].replace(" ", "") == "|^^^^^^^^^"
    assert shown[1][shown[2].index("^") :].startswith("--prot=80")
