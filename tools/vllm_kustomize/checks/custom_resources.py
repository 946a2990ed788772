"""Where the definition of a custom resource comes from, and what the object's verdict is.

In this order: the places named with --schema-location, the definitions in the same build, the places that the
settings name, and the bundled ones. A place is a folder or a file: CustomResourceDefinitions in YAML or
JSON in any layout, or JSON schemas named as users of kubeconform name them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

from vllm_kustomize.apiserver import custom
from vllm_kustomize.apiserver.custom import bundled
from vllm_kustomize.apiserver.custom.definitions import KIND, Definition, read_documents
from vllm_kustomize.checks.schema import schema_problems
from vllm_kustomize.kustomize.discover import display_path
from vllm_kustomize.kustomize.yaml.reader import parse_json, parse_yaml, read_text
from vllm_kustomize.model import Build, Error, KubernetesVersion, Problem, Resource, Severity, Skipped
from vllm_kustomize.settings import CheckSettings

_YAML = (".yaml", ".yml")
Known = Mapping[tuple[str, str], Definition]
"""Definitions by the `apiVersion` and `kind` of their objects."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a schema location holds, and what about its files could not be read."""

    path: Path
    definitions: Known = field(default_factory=dict)
    notes: tuple[Skipped, ...] = ()


@dataclass(frozen=True, slots=True)
class Sources:
    """Everywhere that a build's definitions are looked for, first to last."""

    named: tuple[Place, ...] = ()
    build: Known = field(default_factory=dict)
    settled: tuple[Place, ...] = ()
    notes: tuple[Skipped, ...] = ()

    def find(self, api_version: str, kind: str) -> Definition | jsonschema_rs.Draft7Validator | None:
        """The first definition, or JSON schema, of a kind; None where nobody knows it."""
        for place in self.named:
            if found := _in_place(place, api_version, kind):
                return found
        if found := self.build.get((api_version, kind)):
            return found
        for place in self.settled:
            if found := _in_place(place, api_version, kind):
                return found
        return bundled.definitions().get((api_version, kind))

    def versions(self, group: str, kind: str) -> list[str]:
        """The versions of a kind that anyone knows."""
        places = (place.definitions for place in (*self.named, *self.settled))
        known = (*places, self.build, bundled.definitions())
        return sorted(
            {
                each.version
                for some in known
                for each in some.values()
                if (each.group, each.kind) == (group, kind)
            }
        )


def sources(build: Build, settings: CheckSettings) -> Sources:
    """Read every place that the settings name, and the definitions of the build itself."""
    named = tuple(map(_read_place, settings.named_schema_locations))
    settled = tuple(map(_read_place, settings.schema_locations))
    own = read_documents(
        [resource.manifest for resource in build.resources if resource.kind == KIND], "this build"
    )
    notes = [note for place in (*named, *settled) for note in place.notes]
    notes.extend(Skipped(f"{KIND} of this build", note) for note in own.notes)
    return Sources(
        named, {(each.api_version, each.kind): each for each in own.definitions}, settled, tuple(notes)
    )


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of one object: problems, what could not be checked, and who judged."""

    problems: tuple[Problem, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    by: str = ""


def judge(resource: Resource, version: KubernetesVersion, known: Sources) -> Judged:
    """Judge one custom resource as a new object, by the first definition found."""
    name = f"{resource.kind} ({resource.api_version})"
    found = known.find(resource.api_version, resource.kind)
    if found is None:
        return Judged(skipped=(Skipped(name, _nobody_knows(resource, known)),))
    if not isinstance(found, Definition):
        return Judged(tuple(schema_problems(found, resource.manifest)), by=f"{name}: a JSON schema")
    verdict = custom.check(resource.manifest, found, version)
    skipped = tuple(Skipped(f"{name}: {what}", "not checked") for what in verdict.unchecked)
    problems = map(_of_one_release, verdict.problems) if _comes_along(found) else verdict.problems
    return Judged(tuple(problems), skipped, f"{name}: {found.origin}")


def _comes_along(found: Definition) -> bool:
    return bundled.definitions().get((found.api_version, found.kind)) is found


def _of_one_release(problem: Problem) -> Problem:
    """What a newer release of the project may know is a warning: nobody says which one the cluster runs."""
    added_later = problem.message == "unknown field" or " is not supported; use one of " in problem.message
    return replace(problem, severity=Severity.WARNING) if added_later else problem


def judge_update(
    resource: Resource, last: Resource, version: KubernetesVersion, known: Sources
) -> Iterator[Problem]:
    """Yield what is refused of a custom resource as an update, and is not refused of a new object."""
    found = known.find(resource.api_version, resource.kind)
    if isinstance(found, Definition):
        yield from custom.check_update(resource.manifest, last.manifest, found, version)


def _nobody_knows(resource: Resource, known: Sources) -> str:
    group = resource.api_version.rpartition("/")[0]
    if versions := known.versions(group, resource.kind):
        known_of = f"{', '.join(versions)} of this kind is known"
        return f"{known_of}; name a folder that has this version with --schema-location"
    return "no schema for this kind; name a folder that has one with --schema-location"


def is_custom(resource: Resource) -> bool:
    """Whether the object's group can only be a custom resource's: it has a dot and is not Kubernetes' own."""
    group = resource.api_version.rpartition("/")[0]
    return "." in group and not group.endswith(".k8s.io")


def _in_place(place: Place, api_version: str, kind: str) -> Definition | jsonschema_rs.Draft7Validator | None:
    return place.definitions.get((api_version, kind)) or _json_schema(place.path, api_version, kind)


def forget() -> None:
    """Read every place anew from now on: between two runs of one process its files may have changed."""
    _read_place.cache_clear()
    _json_schema.cache_clear()


@cache
def _json_schema(place: Path, api_version: str, kind: str) -> jsonschema_rs.Draft7Validator | None:
    """The JSON schema of a kind, in a file named like kubeconform's; raises `Error` where it is broken.

    Nothing is fetched and no other file is read for it: a `$ref` stays within the schema.
    """
    group, _, version = api_version.rpartition("/")
    names = (f"{kind}-{group.split('.')[0]}-{version}.json".lower(), f"{group}/{kind.lower()}_{version}.json")
    for file in (place / name for name in names):
        text, problem = _text(file)
        if problem:
            continue
        try:
            schema = parse_json(text)
            if not isinstance(schema, dict):
                return None
            return jsonschema_rs.Draft7Validator(
                schema, pattern_options=jsonschema_rs.RegexOptions(), retriever=_fetch_nothing
            )
        except (
            jsonschema_rs.ValidationError,
            jsonschema_rs.ReferencingError,
            ValueError,
            RecursionError,
        ) as error:
            reason = str(error).partition("\n")[0] or "it is nested too deep"
            raise Error(f"the schema {display_path(file)} is broken: {reason}") from None
    return None


def _fetch_nothing(uri: str) -> Any:
    raise ValueError(f"it refers to {uri}, and nothing is fetched or read for a schema")


@cache
def _read_place(path: Path) -> Place:
    """Read every definition at a place; raises `Error` where there is nothing there."""
    if not path.exists():
        raise Error(f"the schema location {display_path(path)} does not exist")
    definitions: dict[tuple[str, str], Definition] = {}
    notes: list[Skipped] = []
    for file in _files(path):
        text, problem = _text(file)
        documents: list[Any] = []
        if not problem and (KIND in text or file == path):
            documents, problem = _documents(file, text)
        reading = read_documents(documents, display_path(file))
        for each in reading.definitions:
            definitions.setdefault((each.api_version, each.kind), each)
        if file == path and not problem and not reading.definitions and not reading.notes:
            problem = f"it has no {KIND}"
        said = (problem, *reading.notes) if problem else reading.notes
        notes.extend(Skipped(f"schemas in {display_path(file)}", note) for note in said)
    return Place(path, definitions, tuple(notes))


def _files(path: Path) -> Iterator[Path]:
    """The YAML and JSON files at a place, in order."""
    if not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path):
        folders.sort()
        yield from (Path(folder, name) for name in sorted(names) if name.endswith((*_YAML, ".json")))


def _text(file: Path) -> tuple[str, str]:
    """The text of a regular file of a reasonable size, or why there is none."""
    try:
        return read_text(file), ""
    except UnicodeDecodeError:
        return "", "not UTF-8"
    except OSError as error:
        return "", (error.strerror or str(error)).lower()


def _documents(file: Path, text: str) -> tuple[list[Any], str]:
    """The parsed documents of a file, or why there are none."""
    try:
        return ([parse_json(text)] if file.suffix == ".json" else parse_yaml(text)), ""
    except ValueError as error:
        kind = "JSON" if file.suffix == ".json" else "YAML"
        return [], f"not {kind}: {str(error).partition(chr(10))[0]}"
