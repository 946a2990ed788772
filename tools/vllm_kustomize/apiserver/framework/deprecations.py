"""What the server accepts with a warning because it is deprecated, or already does nothing.

The warnings of pkg/api/pod, pkg/api/node and pkg/api/persistentvolume.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vllm_kustomize.apiserver.framework.combinators import Fault, Scope, structs, warning
from vllm_kustomize.kubernetes.fields import is_set, mapping

VOLUME_SOURCES: Mapping[str, str] = {
    "photonPersistentDisk": "has done nothing since Kubernetes 1.16",
    "gitRepo": "is off since Kubernetes 1.33; let an init container clone into an emptyDir",
    "scaleIO": "has done nothing since Kubernetes 1.22",
    "flocker": "has done nothing since Kubernetes 1.25",
    "storageos": "has done nothing since Kubernetes 1.25",
    "quobyte": "has done nothing since Kubernetes 1.25",
    "glusterfs": "has done nothing since Kubernetes 1.26",
    "cephfs": "has done nothing since Kubernetes 1.31; use a CSI driver",
    "rbd": "has done nothing since Kubernetes 1.31; use a CSI driver",
}
NODE_LABELS: Mapping[str, str] = {
    "beta.kubernetes.io/arch": "kubernetes.io/arch",
    "beta.kubernetes.io/os": "kubernetes.io/os",
    "beta.kubernetes.io/instance-type": "node.kubernetes.io/instance-type",
    "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
}


def volume_sources(value: Any, scope: Scope) -> Iterator[Fault]:
    """Kinds of volume that are gone."""
    for name in value:
        if name in VOLUME_SOURCES and is_set(value, name):
            yield warning((name,), VOLUME_SOURCES[name])


def node_selector(pod: Any, scope: Scope) -> Iterator[Fault]:
    """Labels of nodes that have a new name."""
    for name in mapping(pod, "nodeSelector"):
        if name in NODE_LABELS:
            yield warning(("nodeSelector", name), f"is deprecated; use {NODE_LABELS[name]}")


def node_keys(value: Any, scope: Scope) -> Iterator[Fault]:
    """The same in the expressions of a node selector's term."""
    for index, expression in structs(value, "matchExpressions"):
        name = expression.get("key")
        if isinstance(name, str) and name in NODE_LABELS:
            yield warning(("matchExpressions", index, "key"), f"is deprecated; use {NODE_LABELS[name]}")


def spread_key(value: Any, scope: Scope) -> Iterator[Fault]:
    """The same as the key of a topology spread constraint."""
    name = value.get("topologyKey")
    if isinstance(name, str) and name in NODE_LABELS:
        yield warning(("topologyKey",), f"is deprecated; use {NODE_LABELS[name]}")


def reclaim_policy(value: Any, scope: Scope) -> Iterator[Fault]:
    """Volumes that are wiped to be used again."""
    if value.get("persistentVolumeReclaimPolicy") == "Recycle":
        yield warning(("persistentVolumeReclaimPolicy",), "Recycle is deprecated; provision volumes instead")
