"""CustomResourceDefinitions, read from parsed documents: one definition for each version that is served.

The shape is that of apiextensions.k8s.io/v1. Nothing about the input is certain: a document of another shape
is named in a note, and read no further.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vllm_kustomize.apiserver.custom.schema import Schema, read

KIND = "CustomResourceDefinition"


@dataclass(frozen=True, slots=True)
class Scale:
    """Where the scale subresource finds its numbers: field paths as the definition writes them."""

    spec_replicas: tuple[str, ...] = ()
    status_replicas: tuple[str, ...] = ()
    selector: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Definition:
    """One served version of a kind; `origin` says where it comes from, for people."""

    group: str
    version: str
    kind: str
    schema: Schema
    namespaced: bool = True
    deprecation: str = ""
    has_status: bool = False
    scale: Scale | None = None
    origin: str = ""

    @property
    def api_version(self) -> str:
        """The `apiVersion` of its objects."""
        return f"{self.group}/{self.version}"


@dataclass(frozen=True, slots=True)
class Reading:
    """The definitions of some documents, and what is wrong with those that look like some."""

    definitions: tuple[Definition, ...] = ()
    notes: tuple[str, ...] = ()


def read_documents(documents: Iterator[Any] | list[Any], origin: str) -> Reading:
    """Read every CustomResourceDefinition of these documents, those in a `List` included."""
    definitions: list[Definition] = []
    notes: list[str] = []
    for document in documents:
        for candidate in _candidates(document):
            note = _malformed(candidate)
            if note:
                notes.append(note)
            else:
                definitions.extend(_versions(candidate, origin))
    return Reading(tuple(definitions), tuple(notes))


def _candidates(document: Any) -> Iterator[Mapping[str, Any]]:
    if not isinstance(document, Mapping):
        return
    kind, items = document.get("kind"), document.get("items")
    if kind == KIND:
        yield document
    elif isinstance(kind, str) and kind.endswith("List") and isinstance(items, list):
        for item in items:
            if isinstance(item, Mapping) and item.get("kind", kind.removesuffix("List")) == KIND:
                yield item


def _malformed(document: Mapping[str, Any]) -> str:
    """Why a definition cannot be used, or an empty string."""
    spec = document.get("spec")
    api_version = document.get("apiVersion")
    name = _mapping(document.get("metadata")).get("name") or "a definition without a name"
    if api_version == "apiextensions.k8s.io/v1beta1":
        return f"{name} is of apiextensions.k8s.io/v1beta1, which no server has known since Kubernetes 1.22"
    if api_version not in (None, "apiextensions.k8s.io/v1"):
        return f"{name} is of {api_version}, not of apiextensions.k8s.io/v1"
    if not isinstance(spec, Mapping):
        return f"{name} has no spec"
    if not isinstance(spec.get("group"), str) or not isinstance(_mapping(spec.get("names")).get("kind"), str):
        return f"{name} names no group and kind"
    versions = spec.get("versions")
    if not isinstance(versions, list) or not versions:
        return f"{name} has no versions"
    for version in versions:
        if not isinstance(version, Mapping) or not isinstance(version.get("name"), str):
            return f"{name} has a version without a name"
        if not isinstance(_mapping(version.get("schema")).get("openAPIV3Schema"), Mapping):
            return f"{name} has no schema for its version {version['name']}"
    return ""


def _versions(document: Mapping[str, Any], origin: str) -> Iterator[Definition]:
    spec = document["spec"]
    kind = spec["names"]["kind"]
    for version in spec["versions"]:
        if version.get("served", True) is False:
            continue
        api_version = f"{spec['group']}/{version['name']}"
        subresources = _mapping(version.get("subresources"))
        yield Definition(
            group=spec["group"],
            version=version["name"],
            kind=kind,
            schema=read(version["schema"]["openAPIV3Schema"]),
            namespaced=spec.get("scope") != "Cluster",
            deprecation=_deprecation(version, f"{api_version} {kind}"),
            has_status=isinstance(subresources.get("status"), Mapping),
            scale=_scale(subresources.get("scale")),
            origin=origin,
        )


def _deprecation(version: Mapping[str, Any], name: str) -> str:
    if version.get("deprecated") is not True:
        return ""
    warning = version.get("deprecationWarning")
    return warning if isinstance(warning, str) and warning else f"{name} is deprecated"


def _scale(raw: Any) -> Scale | None:
    if not isinstance(raw, Mapping):
        return None
    paths = (raw.get(name) for name in ("specReplicasPath", "statusReplicasPath", "labelSelectorPath"))
    return Scale(
        *(tuple(path.strip(".").split(".")) if isinstance(path, str) and path else () for path in paths)
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
