"""A variable comes from a key that its Secret or ConfigMap does not have.

A reference that is not optional to a key that is not there keeps the container from starting
(CreateContainerConfigError). An object that is empty in the manifests, or that a controller fills, may have
the key in the cluster.

Bad:   secretKeyRef: {name: db, key: pass}, and the Secret has the key password
Good:  secretKeyRef: {name: db, key: password}
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import flag, get, items, mapping, text
from vllm_kustomize.kubernetes.lookup import find, of_kind
from vllm_kustomize.kubernetes.pods import pods
from vllm_kustomize.model import Build, FieldPath, Manifest, Problem, Related, Resource, Severity
from vllm_kustomize.wording import did_you_mean

SEVERITY = Severity.ERROR
HELP = "Correct the key, or set optional: true where the value is added in the cluster."

_KINDS = {"secretKeyRef": "Secret", "configMapKeyRef": "ConfigMap"}

_ALIKE = 0.9
"""How much of two names has to be the same for one to be a slip of the other."""

_FILLED_BY: dict[str, tuple[tuple[str, ...], ...]] = {
    "ExternalSecret": (("spec", "target", "name"), ("metadata", "name")),
    "SealedSecret": (("spec", "template", "metadata", "name"), ("metadata", "name")),
    "Certificate": (("spec", "secretName"),),
}
"""Custom resources that fill a Secret, and the fields that may name it."""


def check_build(build: Build) -> Iterator[Problem]:
    """Yield references to keys that the build's own objects lack, and near misses of their names."""
    for resource, path, kind, reference in _references(build):
        name, key = text(reference, "name"), text(reference, "key")
        source = find(build, kind, resource.namespace, name)
        if source is None:
            there = [r.name for r in of_kind(build, kind) if r.namespace == resource.namespace]
            if near := did_you_mean(name, there, _ALIKE):
                message = f"this build has no {kind} '{name}'{near}"
                yield Problem((*path, "name"), message, severity=Severity.WARNING, resource=resource)
        elif not flag(reference, "optional") and not _may_have(source, key, build):
            yield Problem(
                (*path, "key"),
                f"the {kind} '{name}' of this build has no key '{key}'",
                resource=resource,
                related=(Related(("metadata", "name"), f"the {kind} is defined here", source),),
            )


def _references(build: Build) -> Iterator[tuple[Resource, FieldPath, str, Manifest]]:
    for resource in build.resources:
        for pod in pods(resource):
            for container in pod.all_containers:
                for path, variable in items(container.spec.get("env"), (*container.path, "env")):
                    for field, kind in _KINDS.items():
                        if reference := mapping(variable, "valueFrom", field):
                            yield resource, (*path, "valueFrom", field), kind, reference


def _may_have(source: Resource, key: str, build: Build) -> bool:
    known = {
        name for field in ("data", "stringData", "binaryData") for name in mapping(source.manifest.get(field))
    }
    return (
        not known
        or key in known
        or source.manifest.get("type") == "kubernetes.io/service-account-token"
        or any("inject" in str(name) for name in mapping(source.metadata.get("annotations")))
        or (source.kind == "Secret" and _is_filled(source, build))
    )


def _is_filled(secret: Resource, build: Build) -> bool:
    return any(
        get(other.manifest, field) == secret.name
        for kind, fields in _FILLED_BY.items()
        for other in of_kind(build, kind)
        for field in fields
    )
