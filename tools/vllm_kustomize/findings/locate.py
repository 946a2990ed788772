"""Turn diagnoses, which know only field paths, into findings, which know files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import takewhile

from vllm_kustomize.faults import describe
from vllm_kustomize.findings.fingerprint import stable_path
from vllm_kustomize.kubernetes.fields import get
from vllm_kustomize.kustomize.discover import display_path, kustomization_in
from vllm_kustomize.kustomize.provenance import Earlier, Located, Locator
from vllm_kustomize.kustomize.replay.tree import SourceTree
from vllm_kustomize.kustomize.yaml.nodes import Document
from vllm_kustomize.kustomize.yaml.words import word_in
from vllm_kustomize.model import (
    Build,
    Diagnosis,
    FieldPath,
    Finding,
    Location,
    Precision,
    Resource,
    without_offset,
)
from vllm_kustomize.model.location import RENDERED

STANDARD_INPUT = "<stdin>"
_SOURCE = "# Source: "

Find = Callable[[Resource | None, FieldPath], Located]
"""Names the place that set a field; the object is None for a problem of the whole build."""


def locate(
    build: Build, diagnoses: Iterable[Diagnosis], tree: SourceTree, documents: Sequence[Document] = ()
) -> Iterator[Finding]:
    """Add to each diagnosis the place in the sources that caused it.

    `tree` reads an overlay's sources; `documents` are those of a file of rendered YAML.
    """
    if build.overlay:
        find = _in_overlay(Locator(tree.graph(build.overlay.directory)))
    else:
        find = _in_documents(documents, build.file or "")
    find = _to_the_word(find, tree.texts)
    if build.file == STANDARD_INPUT:
        find = _to_the_template(find, documents, tree.texts.get(STANDARD_INPUT, ""))
    for diagnosis in diagnoses:
        resource = diagnosis.resource
        field, _ = without_offset(diagnosis.path)
        try:
            located = find(resource, diagnosis.path if diagnosis.at is None else diagnosis.at)
            related = tuple(
                replace(find(related.resource or resource, related.path).primary, note=related.note)
                for related in diagnosis.related
            )
        except Exception as fault:
            located, related = Located(_whole(build)), ()
            describe(fault)  # the finding is kept and loses its line, which `--debug` explains
        yield Finding(
            rule=diagnosis.rule,
            severity=diagnosis.severity,
            message=diagnosis.message,
            help=diagnosis.help,
            overlay=build.overlay.name if build.overlay else None,
            resource=resource.identity() if resource else None,
            path=field,
            location=located.primary,
            related=(*related, *located.related),
            withheld=diagnosis.withheld,
            stable_path=stable_path(field, resource.manifest if resource else {}),
        )


def _whole(build: Build) -> Location:
    if build.overlay:
        file = display_path(kustomization_in(build.overlay.directory) or build.overlay.directory)
    else:
        file = build.file or ""
    return Location(file, 1, 1, precision=Precision.FILE)


def _to_the_word(find: Find, texts: Mapping[str, str]) -> Find:
    """Follow a path that goes on into a field's text to the word there."""

    def find_word(resource: Resource | None, path: FieldPath) -> Located:
        field, offset = without_offset(path)
        located = find(resource, field)
        value = get(resource.manifest, field) if resource and offset is not None else None
        at = located.primary
        if not isinstance(value, str) or offset is None or at.precision is not Precision.EXACT:
            return located
        return replace(located, primary=word_in(texts.get(at.file, ""), at, value, offset))

    return find_word


def _in_documents(documents: Sequence[Document], file: str) -> Find:
    def find(resource: Resource | None, path: FieldPath) -> Located:
        if resource is None:
            return Located(Location(file, 1, 1, precision=Precision.FILE))
        return Located(documents[resource.document].locate((*resource.at, *path)))

    return find


def _to_the_template(find: Find, documents: Sequence[Document], text: str) -> Find:
    """Name the file that `helm template` made an object of: nobody can look at what came through a pipe."""
    lines = text.splitlines()

    def find_template(resource: Resource | None, path: FieldPath) -> Located:
        located = find(resource, path)
        begins = documents[resource.document].root.line if resource else 0
        above = takewhile(lambda line: line.startswith("#"), reversed(lines[: max(0, begins - 1)]))
        source = next((line.removeprefix(_SOURCE) for line in above if line.startswith(_SOURCE)), "")
        if not source:
            return located
        template = Location(source.strip(), 1, 1, precision=Precision.FILE)
        return Located(template, (Earlier(replace(located.primary, note=RENDERED)), *located.earlier))

    return find_template


def _in_overlay(locator: Locator) -> Find:
    def find(resource: Resource | None, path: FieldPath) -> Located:
        return locator.whole() if resource is None else locator.locate(resource, path)

    return find
