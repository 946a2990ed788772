"""The repo's own overlays are clean: the first thing that a change may break."""

from __future__ import annotations

import json

from conftest import RunCli


def test_the_overlays_of_this_repo_have_no_errors(run_cli: RunCli) -> None:
    result = run_cli("validate", "--format", "json")
    assert result.errors == ""
    report = json.loads(result.output)
    assert [finding for finding in report["findings"] if finding["severity"] == "error"] == []
    assert result.code == 0
    assert report["summary"]["overlays"] >= 3
