"""Find an object of a build by what names it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from vllm_kustomize.model import Build, Resource


def find(build: Build, kind: str, namespace: str, name: object) -> Resource | None:
    """The object of a build with that kind, namespace and name, or None."""
    return _objects(build).get((kind, namespace, name))


@lru_cache(maxsize=1)
def _objects(build: Build) -> Mapping[tuple[str, str, object], Resource]:
    """The objects of a build by what names them; the first where several have one name."""
    return {
        (resource.kind, resource.namespace, resource.name): resource for resource in reversed(build.resources)
    }
