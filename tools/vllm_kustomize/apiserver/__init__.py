"""What kube-apiserver rejects, a module a family.

A module re-states, in tables of fields and small rules, what the server validates for some kinds; its `KINDS`
maps each kind to the check of a whole object. Types and unknown fields are the schema check's concern, and a
value of the wrong type is not looked at here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from vllm_kustomize.model import KubernetesVersion, Manifest, Problem

if TYPE_CHECKING:
    from vllm_kustomize.apiserver.combinators import Check

OLDEST: KubernetesVersion = (1, 29)
NEWEST: KubernetesVersion = (1, 37)
MODULES: Mapping[str, tuple[str, ...]] = {
    "v1": ("pod", "service", "config", "storage", "quota"),
    "apps/v1": ("workloads",),
    "autoscaling/v2": ("autoscaling",),
    "batch/v1": ("jobs",),
    "networking.k8s.io/v1": ("networking",),
    "policy/v1": ("policy",),
    "rbac.authorization.k8s.io/v1": ("rbac",),
    "scheduling.k8s.io/v1": ("policy",),
    "storage.k8s.io/v1": ("storage",),
}
"""Where the kinds of each API group version are looked for."""


def check(manifest: Manifest, version: KubernetesVersion) -> Iterator[Problem]:
    """Yield what kube-apiserver of a Kubernetes version would reject, or warn of, in one object.

    Every problem has a rule, `api-` and the family, and a severity. A version outside of those known (1.29 to
    1.37) gets the widest acceptance. Kinds that are not listed, custom resources included, have their
    metadata checked.
    """
    from vllm_kustomize.apiserver.combinators import Scope

    scope = Scope(version)
    _check_of(str(manifest.get("apiVersion")), str(manifest.get("kind")))(manifest, (), scope)
    return iter(scope.problems)


def knows(version: KubernetesVersion) -> bool:
    """Whether the checks know what this Kubernetes version rejects."""
    return OLDEST <= version <= NEWEST


def covers(api_version: str, kind: str) -> bool:
    """Whether the kind has checks of its own, and not for its metadata alone."""
    return any(kind in _kinds(module) for module in MODULES.get(api_version, ()))


@cache
def _check_of(api_version: str, kind: str) -> Check:
    for module in MODULES.get(api_version, ()):
        if kind in _kinds(module):
            return _kinds(module)[kind]
    return _kinds("metadata")["*"]


def _kinds(module: str) -> Mapping[str, Check]:
    kinds: Mapping[str, Check] = import_module(f"{__name__}.{module}").KINDS
    return kinds
