"""What a kube-apiserver said of custom resources, judged here by the definitions that are bundled."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from conformance.verdicts import plain
from record.mutants import Mutant
from vllm_kustomize import apiserver
from vllm_kustomize.apiserver import custom
from vllm_kustomize.apiserver.custom import bundled
from vllm_kustomize.model import Problem, Severity, format_path

HERE = Path(__file__).parent
VERSION = (1, 37)

MISSED: dict[str, str] = {}
FALSE_ALARMS: dict[str, str] = {}
ELSEWHERE: dict[str, str] = {}
"""The mutants that are judged otherwise than by the server, or at another field, each with the reason."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One mutant and what the server said."""

    base: int
    path: tuple[str | int, ...]
    op: str
    value: Any
    accepted: bool
    code: int
    causes: tuple[tuple[str, str, str], ...]
    warnings: tuple[str, ...] = ()

    def manifest(self) -> dict[str, Any]:
        """The mutant."""
        return Mutant(self.base, self.path, self.op, self.value).manifest(baselines())

    def fields(self) -> set[str]:
        """The fields that the server names, in its causes or in their messages."""
        named = {field for field, _, _ in self.causes if field and field != "<nil>"}
        for _, _, message in self.causes:
            named.update(re.findall(r'unknown field "([^"]+)"', message))
            named.update(re.findall(r'"([^"]*)" must validate', message))
            named.update(re.findall(r"with format \w+ in (\S+)$", message))
        return {plain(field) for field in named}

    def __str__(self) -> str:
        value = "deleted" if self.op == "delete" else json.dumps(self.value, ensure_ascii=False)
        return f"{baselines()[self.base]['kind']} {'.'.join(map(str, self.path))} = {value[:80]}"


@cache
def baselines() -> list[dict[str, Any]]:
    """The objects that were changed."""
    objects: list[dict[str, Any]] = json.loads((HERE / "custom-resources-baselines.json").read_bytes())
    return objects


def verdicts(name: str = "custom-resources-1.37") -> Iterator[Verdict]:
    """Every recorded verdict of a file."""
    with gzip.open(HERE / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            raw = json.loads(line)
            causes = tuple(map(tuple, raw.pop("causes")))
            yield Verdict(**{**raw, "path": tuple(raw["path"]), "causes": causes})


def errors(manifest: dict[str, Any]) -> list[Problem]:
    """What is refused of an object: by its definition, and by the rules for all metadata."""
    definition = bundled.definitions()[manifest["apiVersion"], manifest["kind"]]
    verdict = custom.check(manifest, definition, VERSION)
    assert verdict.unchecked == (), verdict.unchecked
    found = [*verdict.problems, *apiserver.check(manifest, VERSION)]
    return [problem for problem in found if problem.severity is Severity.ERROR]


def update_errors(verdict: Verdict) -> list[Problem]:
    """What is refused of a mutant as an update of its baseline, which a create accepts."""
    manifest = verdict.manifest()
    definition = bundled.definitions()[manifest["apiVersion"], manifest["kind"]]
    problems = custom.check_update(manifest, baselines()[verdict.base], definition, VERSION)
    return [problem for problem in problems if problem.severity is Severity.ERROR]


def judged_otherwise() -> tuple[set[str], set[str], set[str]]:
    """The mutants that are missed, that are falsely refused, and that are refused at another field."""
    missed, false_alarms, elsewhere = set(), set(), set()
    for verdict in verdicts():
        found = errors(verdict.manifest())
        if verdict.accepted and found:
            false_alarms.add(str(verdict))
        elif not verdict.accepted and not found:
            missed.add(str(verdict))
        elif found and verdict.fields().isdisjoint(plain(format_path(problem.path)) for problem in found):
            elsewhere.add(str(verdict))
    return missed, false_alarms, elsewhere
