"""What kube-apiserver rejects: one folder per API group.

A module restates, in tables of fields and small rules, what the server validates for some kinds; its `KINDS`
maps each kind of its `API_VERSION` to the check of a whole object. Types and unknown fields are the schema
check's concern, and a value of the wrong type is not looked at here.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from vllm_kustomize.model import KubernetesVersion, Manifest, Problem

if TYPE_CHECKING:
    from vllm_kustomize.apiserver.framework.combinators import Check

OLDEST: KubernetesVersion = (1, 34)
NEWEST: KubernetesVersion = (1, 37)
"""The releases whose verdicts were recorded, and those in between."""


def check(manifest: Manifest, version: KubernetesVersion) -> Iterator[Problem]:
    """Yield what kube-apiserver of a Kubernetes version would reject, or warn of, in one object.

    Every problem has a rule, `api-` and the family, and a severity. A version outside of those known (1.34 to
    1.37) gets the widest acceptance. Kinds that are not listed, custom resources included, have their
    metadata checked.
    """
    from vllm_kustomize.apiserver.framework.combinators import Scope

    scope = Scope(version)
    _check_of(str(manifest.get("apiVersion")), str(manifest.get("kind")))(manifest, (), scope)
    return iter(scope.problems)


def knows(version: KubernetesVersion) -> bool:
    """Whether the checks know what this Kubernetes version rejects."""
    return OLDEST <= version <= NEWEST


def covers(api_version: str, kind: str) -> bool:
    """Whether the kind has checks of its own, and not for its metadata alone."""
    return _own_check(api_version, kind) is not None


@cache
def _check_of(api_version: str, kind: str) -> Check:
    from vllm_kustomize.apiserver.framework.metadata import ANY_KIND

    return _own_check(api_version, kind) or ANY_KIND


@cache
def _own_check(api_version: str, kind: str) -> Check | None:
    """The check in the folder that is called like the API group up to its first dot."""
    group = api_version.rpartition("/")[0] or "core"
    folder = group.partition(".")[0]
    if folder not in _folders():
        return None
    package = import_module(f"{__name__}.{folder}")
    for found in pkgutil.iter_modules(package.__path__):
        module = import_module(f"{package.__name__}.{found.name}")
        if getattr(module, "API_VERSION", "") == api_version and kind in module.KINDS:
            check: Check = module.KINDS[kind]
            return check
    return None


@cache
def _folders() -> frozenset[str]:
    return frozenset(found.name for found in pkgutil.iter_modules(__path__) if found.ispkg)
