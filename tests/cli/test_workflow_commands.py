"""A CI that reads commands from a job's output gets none from what a manifest is called."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import RunCli

MANIFEST = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: "a\\n::error::obeyed"
  labels: {"b\\n##[error]obeyed": c}
"""


@pytest.mark.parametrize("format_", ["text", "concise", "github"])
def test_no_line_begins_with_a_command_of_a_manifest(format_: str, run_cli: RunCli, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(MANIFEST, encoding="utf-8")
    result = run_cli("validate", "x.yaml", "--format", format_, cwd=tmp_path)
    assert result.code == 1
    assert not [line for line in result.output.splitlines() if line.lstrip().startswith(("::error::", "##["))]


@pytest.mark.parametrize("format_", ["text", "concise"])
def test_github_is_told_to_stop_reading_commands(
    format_: str, run_cli: RunCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x.yaml").write_text(MANIFEST, encoding="utf-8")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    lines = run_cli("validate", "x.yaml", "--format", format_, cwd=tmp_path).output.splitlines()
    token = lines[0].removeprefix("::stop-commands::")
    assert lines[0] != token
    assert lines[-1] == f"::{token}::"
    assert token not in "\n".join(lines[1:-1])
