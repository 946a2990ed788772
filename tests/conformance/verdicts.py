"""The recorded verdicts of a kube-apiserver, and how close a validator comes to them."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from record.mutants import Mutant
from vllm_kustomize import apiserver
from vllm_kustomize.checks import schema
from vllm_kustomize.model import Problem, Resource, Severity

HERE = Path(__file__).parent
RECORDED = tuple(
    sorted((1, int(file.name.split(".")[1])) for file in HERE.glob("kube-apiserver-1.*.jsonl.gz"))
)
VERSION = RECORDED[-1]
"""The newest release that was recorded."""
ELSEWHERE = "the namespace of the provided object does not match the namespace sent on the request"

Validator = Callable[[dict[str, Any]], "list[str] | None"]
"""Gives the paths of the errors in an object, or None where it cannot tell."""


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
    warnings: tuple[str, ...]

    def manifest(self) -> dict[str, Any]:
        """The mutant."""
        return Mutant(self.base, self.path, self.op, self.value).manifest(baselines())

    @property
    def about_request(self) -> bool:
        """Whether the server refused where the object was sent, not what it is."""
        return any(ELSEWHERE in message for _, _, message in self.causes)

    def located_by(self, paths: list[str]) -> bool:
        """Whether a path is the server's own, or above what was changed if the server names none."""
        own = {plain(field) for field, _, _ in self.causes if field}
        own |= {
            plain(field)
            for _, _, message in self.causes
            for field in re.findall(r'unknown field "([^"]+)"', message)
        }
        if own:
            return not own.isdisjoint(paths)
        changed = ".".join(map(str, self.path))
        return any(not path or changed == path or changed.startswith(path + ".") for path in paths)

    def __str__(self) -> str:
        value = "deleted" if self.op == "delete" else json.dumps(self.value, ensure_ascii=False)
        kind = baselines()[self.base]["kind"]
        return f"{kind} {'.'.join(map(str, self.path))} = {value[:80]} ({self.code}: {self.causes[:1]})"


@dataclass(frozen=True, slots=True)
class Figures:
    """How a validator does against the verdicts."""

    rejected: int
    missed: tuple[Verdict, ...]
    elsewhere: tuple[Verdict, ...]
    accepted: int
    false_alarms: tuple[Verdict, ...]

    @property
    def caught(self) -> float:
        """The share of rejected mutants with an error."""
        return 1 - len(self.missed) / self.rejected

    @property
    def located(self) -> float:
        """The share of rejected mutants with an error at the server's own path."""
        return self.caught - len(self.elsewhere) / self.rejected

    @property
    def false(self) -> float:
        """The share of accepted mutants with an error."""
        return len(self.false_alarms) / self.accepted


def plain(field: str) -> str:
    """A server's field path with dots alone: `limits[cpu]` and `limits.cpu` are one field."""
    return re.sub(r"\[([^\]]*)\]", r".\1", field).removeprefix(".")


@cache
def baselines() -> list[dict[str, Any]]:
    """The objects that were changed."""
    found: list[dict[str, Any]] = json.loads((HERE / "kube-apiserver-baselines.json").read_bytes())
    return found


@cache
def _recorded(version: tuple[int, int]) -> tuple[Verdict, ...]:
    with gzip.open(HERE / f"kube-apiserver-{version[0]}.{version[1]}.jsonl.gz") as lines:
        return tuple(map(_read, lines))


def _read(line: bytes) -> Verdict:
    fields = json.loads(line)
    fields["path"] = tuple(fields["path"])
    fields["causes"] = tuple(map(tuple, fields["causes"]))
    fields["warnings"] = tuple(fields["warnings"])
    return Verdict(**fields)


def verdicts(base: int | None = None, version: tuple[int, int] = VERSION) -> Iterator[Verdict]:
    """Every recorded verdict of a release on an object, or on one of those that were changed."""
    for verdict in _recorded(version):
        if base in (None, verdict.base) and not verdict.about_request:
            yield verdict


def figures(validator: Validator, base: int | None = None, version: tuple[int, int] = VERSION) -> Figures:
    """Run a validator over every mutant, or over those of one object."""
    missed, elsewhere, false_alarms = [], [], []
    rejected = accepted = 0
    for verdict in verdicts(base, version):
        errors = validator(verdict.manifest()) or []
        if verdict.accepted:
            accepted += 1
            if errors:
                false_alarms.append(verdict)
            continue
        rejected += 1
        if not errors:
            missed.append(verdict)
        elif not verdict.located_by(errors):
            elsewhere.append(verdict)
    return Figures(rejected, tuple(missed), tuple(elsewhere), accepted, tuple(false_alarms))


def problems(manifest: dict[str, Any], version: tuple[int, int] = VERSION) -> list[Problem]:
    """What the schema check and the API-server checks find together."""
    resource = Resource(manifest)
    found = list(schema.check(resource, version) or ()) if resource.kind and resource.api_version else []
    return [*found, *apiserver.check(manifest, version)]


def errors(manifest: dict[str, Any], version: tuple[int, int] = VERSION) -> list[str]:
    """The paths of the errors that the two checks find."""
    return [
        ".".join(map(str, problem.path))
        for problem in problems(manifest, version)
        if problem.severity in (None, Severity.ERROR)
    ]
