"""What a repository contains may be large or hostile: the work stays in proportion to its size.

No clock decides. `calls` counts what the interpreter calls, which is the same in every run.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from conftest import RunCli
from vllm_kustomize.findings.excerpts import Excerpts
from vllm_kustomize.settings import ALWAYS


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
    flags = ", ".join(f"--max-num-seqs={number}" for number in range(1, 300))
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


DOUBLING = [("A0", "x" * 1000), *((f"A{n}", f"$(A{n - 1})" * 2) for n in range(1, 60))]
SCRIPTS = {
    "doubled in the shell": "A=x; " + "A=$A$A; " * 60 + "vllm serve $A",
    "repeated in the shell": "A=" + "x" * 9999 + "; vllm serve m " + "$A " * 9999,
    "arguments in the shell": 'vllm serve m "$@"' * 500,
    "a long script": "vllm serve " + "\\x" * 100_000,
    "doubled variables": "vllm serve m --port=$(A59)",
    "references without an end": "$(" * 20_000,
    "empty lines": "vllm serve m\n" + "\n" * 20_000,
    "templates without an end": "vllm serve m " + "{{" * 20_000,
    "placeholders without an end": "vllm serve m " + "<" * 20_000,
    "a long host": "vllm serve m " + "a-" * 20_000,
    "a word in capitals": "vllm serve m YOUR" + "A" * 60 + "1",
    "many assignments": "A=b " * 8_000 + "vllm serve m",
}
"""What once took exponential, cubic or quadratic time or memory: each would run for minutes to years."""


def test_what_a_container_runs_is_read_within_bounds(run_cli: RunCli) -> None:
    variables = [{"name": name, "value": value} for name, value in DOUBLING]
    containers = [
        {
            "name": name.replace(" ", "-"),
            "image": "vllm/vllm-openai:v0.33.0",
            "command": ["sh", "-c", script],
            "env": variables,
        }
        for name, script in SCRIPTS.items()
    ]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": containers}}
    result = run_cli("validate", "-", "--format", "json", stdin=json.dumps(pod).encode())
    assert (result.code, result.errors, len(result.output) < 500_000) == (1, "", True)
    assert {finding["rule"] for finding in json.loads(result.output)["findings"]}.isdisjoint(ALWAYS)


def test_what_a_rule_finds_a_hundred_times_in_one_object_is_summed_up(
    run_cli: RunCli, tmp_path: Path
) -> None:
    flags = [f"--no-such-{number}" for number in range(150)]
    container = {"name": "c", "image": "vllm/vllm-openai:v0.33.0", "args": ["m", *flags]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [container]}}
    (tmp_path / "pod.yaml").write_text(json.dumps(pod, indent=1))
    arguments = ["validate", "pod.yaml", "--select", "unknown-flag"]
    text = run_cli(*arguments, cwd=tmp_path).output
    assert "has no option --no-such-0 (and 149 more that unknown-flag finds here)" in text.splitlines()[0]
    assert text.count("--no-such") == 1 + 1 + 5
    assert text.splitlines()[-1].startswith("1 object, 150 errors, 0 warnings")
    found = json.loads(run_cli(*arguments, "--format", "json", cwd=tmp_path).output)
    assert [finding["count"] for finding in found["findings"]] == [150]
    assert [place["line"] for place in found["findings"][0]["related"]] == [15, 16, 17, 18, 19]
    assert found["summary"]["errors"] == 150
    known = ["--baseline", "known.json"]
    run_cli(*arguments, *known, "--write-baseline", cwd=tmp_path)
    assert run_cli(*arguments, *known, "-q", cwd=tmp_path).code == 0
