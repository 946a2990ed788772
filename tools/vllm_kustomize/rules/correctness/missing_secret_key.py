"""A variable that must come from a Secret or ConfigMap of this build finds its key there.

A reference that is not optional to a key that is not there keeps the container from starting
(CreateContainerConfigError).

Bad:   secretKeyRef: {name: hf-token-secret, key: token}, and the Secret has no data
Good:  secretKeyRef: {name: hf-token-secret, key: token, optional: true}
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import get, items, mapping, text
from vllm_kustomize.kubernetes.pods import pods
from vllm_kustomize.model import Build, Problem, Related, Resource, Severity
from vllm_kustomize.wording import did_you_mean

SEVERITY = Severity.ERROR
HELP = "Correct the name or the key, or set optional: true where the value is added in the cluster."

_KINDS = {"secretKeyRef": "Secret", "configMapKeyRef": "ConfigMap"}


def check_build(build: Build) -> Iterator[Problem]:
    """Yield references to keys that the build's own objects lack, and near misses of their names."""
    sources = {(r.kind, r.namespace, r.name): r for r in build.resources if r.kind in _KINDS.values()}
    for resource in build.resources:
        for pod in pods(resource):
            for container in pod.all_containers:
                for path, variable in items(container.spec.get("env"), (*container.path, "env")):
                    for field, kind in _KINDS.items():
                        reference = mapping(get(variable, ("valueFrom", field)))
                        if reference:
                            where = (*path, "valueFrom", field)
                            for problem in _check(reference, kind, resource.namespace, sources):
                                yield Problem(
                                    (*where, *problem.path),
                                    problem.message,
                                    resource=resource,
                                    related=problem.related,
                                )


def _check(
    reference: object, kind: str, namespace: str, sources: dict[tuple[str, str, str], Resource]
) -> Iterator[Problem]:
    given = mapping(reference)
    name, key = text(given.get("name")), text(given.get("key"))
    source = sources.get((kind, namespace, name))
    if source is None:
        there = [known for of, where, known in sources if (of, where) == (kind, namespace)]
        if hint := did_you_mean(name, there, 0.8):
            yield Problem(("name",), f"this build has no {kind} '{name}'{hint}")
    elif given.get("optional") is not True and key not in _keys(source):
        note = Related(("metadata", "name"), f"the {kind} is defined here", source)
        yield Problem(("key",), f"the {kind} '{name}' of this build has no key '{key}'", related=(note,))


def _keys(source: Resource) -> set[object]:
    return {
        key for field in ("data", "stringData", "binaryData") for key in mapping(source.manifest.get(field))
    }
