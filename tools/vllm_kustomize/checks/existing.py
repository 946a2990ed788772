"""Nothing changes that the API server never changes in an object that exists.

Selectors, the spec of a claim, a StatefulSet's volumeClaimTemplates, a Job's template, the type of a Secret
and their like are fixed once the object is created: a build in which one of them changed is valid, and no
apply will ever bring it in. `validate NEW --existing OLD` compares every object with the one of the same
identity in OLD: rendered YAML, a folder of it, an overlay, or an overlay at a git revision
(`main:overlays/nvidia`). The update is judged as server-side apply by the same field manager makes it.

Bad:   spec: {selector: {matchLabels: {app: vllm-2}}}           (it was app: vllm)
Good:  metadata: {name: vllm-2}                                 (a new object)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from vllm_kustomize.apiserver import updates
from vllm_kustomize.model import KubernetesVersion, Problem, Resource

RULE = updates.RULE
HELP = "Give the object a new name, or delete it and apply it anew."

Identity = tuple[str, str, str, str]
"""API group, kind, namespace and name: what makes two manifests those of one object."""


def by_identity(resources: Iterable[Resource]) -> dict[Identity, Resource]:
    """The objects by what identifies them."""
    return {identity(resource): resource for resource in resources}


def identity(resource: Resource) -> Identity:
    """What identifies an object in a cluster, whatever the version of its API."""
    return resource.api_version.rpartition("/")[0], resource.kind, resource.namespace, resource.name


def check(
    resource: Resource, existing: Mapping[Identity, Resource], version: KubernetesVersion
) -> Iterator[Problem]:
    """Yield what the server would refuse to change in the object that exists; nothing where it is new."""
    last = existing.get(identity(resource))
    if last is not None:
        yield from updates.check(last.manifest, resource.manifest, version)
