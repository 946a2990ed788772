"""Turn problems, which know only field paths, into findings, which know files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vllm_kustomize.kustomize.discover import display_path, kustomization_in
from vllm_kustomize.model import Build, Finding, Location, Precision, Problem, Severity


def locate(build: Build, problems: Iterable[Problem]) -> Iterator[Finding]:
    """Add to each problem the place in the sources that caused it."""
    if build.overlay:
        file = display_path(kustomization_in(build.overlay.directory) or build.overlay.directory)
    else:
        file = build.file or ""
    for problem in problems:
        yield Finding(
            rule=problem.rule,
            severity=problem.severity or Severity.ERROR,
            message=problem.message,
            help=problem.help,
            overlay=build.overlay.name if build.overlay else None,
            resource=problem.resource,
            path=problem.path,
            location=Location(file, 1, 1, precision=Precision.FILE),
        )
