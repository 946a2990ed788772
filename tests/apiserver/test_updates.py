"""Updates against the verdicts of a real kube-apiserver, and each kind's rules in whole findings."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from conformance.verdicts import HERE, Verdict, baselines
from conftest import RunCli
from vllm_kustomize.apiserver import updates
from vllm_kustomize.apiserver.updates.frozen import ORPHAN
from vllm_kustomize.model import Severity, format_path

CASES = Path(__file__).parent / "updates"
VERSION = (1, 37)


def recorded() -> Iterator[Verdict]:
    """Every verdict on an update of a baseline."""
    with gzip.open(HERE / "updates-1.37.jsonl.gz") as lines:
        for line in lines:
            row = json.loads(line)
            causes = tuple(map(tuple, row["causes"]))
            yield Verdict(**{**row, "path": tuple(row["path"]), "causes": causes, "warnings": ()})


def test_updates_are_judged_as_the_server_judges_them() -> None:
    missed, false = [], []
    for verdict in recorded():
        found = updates.check(baselines()[verdict.base], verdict.manifest(), VERSION)
        refused = any(problem.severity is Severity.ERROR for problem in found)
        if refused and verdict.accepted:
            false.append(str(verdict))
        elif not refused and not verdict.accepted:
            missed.append(str(verdict))
    assert (missed, false) == ([], [])


@pytest.mark.parametrize("index", range(len(baselines())))
def test_an_object_that_stays_as_it_is_is_fine(index: int) -> None:
    baseline = baselines()[index]
    assert list(updates.check(baseline, baseline, VERSION)) == []


def cases() -> list[Path]:
    """One file per kind: the object that exists, then updates of it with what is refused."""
    return sorted(CASES.glob("*.yaml"))


@pytest.mark.parametrize("file", cases(), ids=lambda file: file.stem)
def test_the_rules_of_a_kind(file: Path) -> None:
    exists, *changed = yaml.safe_load_all(file.read_text(encoding="utf-8"))
    expected = [document.pop("refused") for document in changed]
    assert [refusals(exists, document["with"]) for document in changed] == expected


def refusals(exists: dict[str, Any], changes: dict[str, Any]) -> list[str]:
    """What is wrong with an object once some of its fields are others; `null` takes a field away."""
    manifest = merged(exists, changes)
    found = updates.check(exists, manifest, VERSION)
    return [f"{format_path(problem.path)} {problem.message}" for problem in found]


def merged(target: Any, patch: Any) -> Any:
    """A JSON merge patch, applied."""
    if not isinstance(patch, dict) or not isinstance(target, dict):
        return patch
    result = {name: value for name, value in target.items() if name not in patch}
    added = {name: merged(target.get(name), value) for name, value in patch.items() if value is not None}
    return result | added


OLD = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: d
  namespace: llm
spec:
  selector:
    matchLabels: {a: b}
  template:
    metadata:
      labels: {a: b, c: d}
    spec:
      containers:
        - name: c
          image: a:1
"""
NEW = OLD.replace("matchLabels: {a: b}", "matchLabels: {c: d}")


def test_a_finding_stands_at_the_line_that_changed_and_names_the_way_out(
    run_cli: RunCli, tmp_path: Path
) -> None:
    (tmp_path / "old.yaml").write_text(OLD, encoding="utf-8")
    (tmp_path / "new.yaml").write_text(NEW, encoding="utf-8")
    result = run_cli(
        "validate", "new.yaml", "--existing", "old.yaml", "--select", "immutable-field", "-q", cwd=tmp_path
    )
    assert (result.code, result.output.splitlines()) == (
        1,
        [
            "new.yaml:8:22: error[immutable-field] Deployment/d: spec.selector.matchLabels.c: cannot be "
            "changed in the object that exists: it was not set",
            "    new.yaml:8:5: changed too",
            f"    help: {ORPHAN}",
            "",
        ],
    )
