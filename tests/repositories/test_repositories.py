"""Small repositories with the shape of public ones, each with all that the first run there prints.

A case is a folder `tests/repositories/<case>/` and its `expected.txt`; docs/precision.md says which public
manifest it was made after.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from conftest import REPO, Golden, RunCli

CASES = sorted(
    path for path in Path(__file__).parent.iterdir() if path.is_dir() and path.name != "__pycache__"
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_first_run(case: Path, run_cli: RunCli, golden: Golden, tmp_path: Path) -> None:
    copy = tmp_path / case.name  # what this repository says of itself is nothing to the case
    shutil.copytree(case, copy, ignore=shutil.ignore_patterns("expected.txt"))
    result = run_cli("validate", "--no-cache", cwd=copy)
    assert result.errors == ""
    output = re.sub(r" in \d+\.\d s$", "", result.output, flags=re.MULTILINE)
    golden(case / "expected.txt", f"{output}exit code {result.code}\n")


def test_every_case_is_in_the_table() -> None:
    table = (REPO / "docs/precision.md").read_text(encoding="utf-8")
    assert [case.name for case in CASES if f"| `{case.name}` |" not in table] == []
