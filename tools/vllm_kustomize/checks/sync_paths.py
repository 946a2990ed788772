"""Whether the folders that GitOps objects sync exist in the repository that they stand in."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vllm_kustomize.kubernetes.fields import get, items, mapping, text
from vllm_kustomize.kustomize.repository import Repository
from vllm_kustomize.model import Build, FieldPath, Outcome, Problem, Resource, Severity, Undecided
from vllm_kustomize.wording import closest

RULE = "missing-sync-path"

_FLUX, _ARGO_CD = "kustomize.toolkit.fluxcd.io", "argoproj.io"
_ALIKE = 0.8
"""How much of two names has to be the same for one to be a slip of the other."""
_PLACEHOLDER = re.compile(r"\{\{\s*\.?([\w-]+)\s*\}\}")


@dataclass(frozen=True, slots=True)
class Synced:
    """A folder that an object syncs, the field that says so, and the URL of the folder's repository."""

    field: FieldPath
    path: str
    url: str

    @property
    def folder(self) -> str:
        """The path from the repository's root, normalised; never above the root."""
        return posixpath.normpath(f"/{self.path}").lstrip("/") or "."


def check(synced: Synced, repository: Repository) -> Iterator[Outcome]:
    """Yield a path that leads nowhere."""
    folder = Path(synced.folder)
    if repository.has(synced.folder):
        return
    near = closest(folder.name, repository.folders(str(folder.parent)), _ALIKE)
    hint = f", did you mean {folder.with_name(near)}?" if near else ""
    message = f"the repository has no folder {folder}{hint}"
    if repository.is_at(synced.url):
        yield Problem(synced.field, message)
    elif near:
        yield Problem(synced.field, message, severity=Severity.WARNING)
    else:
        where = synced.url or "another source"
        yield Undecided(f"the folder {folder} is in {where}, which this repository was not cloned from")


def synced(build: Build, resource: Resource) -> Iterator[Synced]:
    """The folders of git repositories that an object syncs, where it says so plainly."""
    group = resource.api_version.rpartition("/")[0]
    if (group, resource.kind) == (_FLUX, "Kustomization"):
        yield from _of_flux(build, resource)
    elif (group, resource.kind) == (_ARGO_CD, "Application"):
        yield from _of_argo_cd(resource, ("spec",), [{}])
    elif (group, resource.kind) == (_ARGO_CD, "ApplicationSet"):
        generators: FieldPath = ("spec", "generators")
        elements = [
            {str(key): str(value) for key, value in element.items()}
            for _, generator in items(get(resource.manifest, generators), generators)
            for _, element in items(get(generator, ("list", "elements")), ())
        ]
        yield from _of_argo_cd(resource, ("spec", "template", "spec"), elements)


def _of_flux(build: Build, resource: Resource) -> Iterator[Synced]:
    reference = mapping(resource.manifest, "spec", "sourceRef")
    if reference.get("kind") != "GitRepository":
        return
    place = (text(reference, "namespace") or resource.namespace, text(reference, "name"))
    url = next(
        (
            text(each.manifest, "spec", "url")
            for each in build.resources
            if each.kind == "GitRepository" and (each.namespace, each.name) == place
        ),
        "",
    )
    yield Synced(("spec", "path"), text(resource.manifest, "spec", "path"), url)


def _of_argo_cd(resource: Resource, spec: FieldPath, elements: list[dict[str, str]]) -> Iterator[Synced]:
    """The sources of an Application, or of a template for each element of its list."""
    sources = [((*spec, "source"), mapping(resource.manifest, *spec, "source"))]
    sources += items(get(resource.manifest, (*spec, "sources")), (*spec, "sources"))
    for place, source in sources:
        path = text(source, "path")
        for element in elements if path else ():
            filled = _PLACEHOLDER.sub(lambda found, of=element: of.get(found[1], found[0]), path)  # type: ignore[misc]
            if "{{" not in filled:
                yield Synced((*place, "path"), filled, text(source, "repoURL"))
