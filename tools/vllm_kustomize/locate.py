"""Turn problems, which know only field paths, into findings, which know files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from vllm_kustomize.kustomize.discover import display_path, kustomization_in
from vllm_kustomize.kustomize.document import Document
from vllm_kustomize.model import (
    Build,
    FieldPath,
    Finding,
    Location,
    Precision,
    Problem,
    Resource,
    Severity,
)

Locator = Callable[[Resource | None, FieldPath], Location]
"""Names the place that set a field; the object is None for a problem of the whole build."""


def locate(
    build: Build, problems: Iterable[Problem], documents: Sequence[Document] = ()
) -> Iterator[Finding]:
    """Add to each problem the place in the sources that caused it.

    `documents` are those of a file of rendered YAML; an overlay's sources are found from its kustomization.
    """
    find = _in_documents(documents, build.file or "") if build.file else _in_overlay(build)
    for problem in problems:
        yield Finding(
            rule=problem.rule,
            severity=problem.severity or Severity.ERROR,
            message=problem.message,
            help=problem.help,
            overlay=build.overlay.name if build.overlay else None,
            resource=problem.resource,
            path=problem.path,
            location=find(problem.resource, problem.path),
            related=tuple(
                replace(find(related.resource or problem.resource, related.path), note=related.note)
                for related in problem.related
            ),
        )


def _in_documents(documents: Sequence[Document], file: str) -> Locator:
    def find(resource: Resource | None, path: FieldPath) -> Location:
        if resource is None:
            return Location(file, 1, 1, precision=Precision.FILE)
        return documents[resource.document].locate((*resource.at, *path))

    return find


def _in_overlay(build: Build) -> Locator:
    directory = build.overlay.directory if build.overlay else None
    file = display_path(kustomization_in(directory) or directory) if directory else ""

    def find(resource: Resource | None, path: FieldPath) -> Location:
        return Location(file, 1, 1, precision=Precision.FILE)

    return find
