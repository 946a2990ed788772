"""The fields that a kustomization's own settings write, and how they are set.

Source: api/internal/konfig/builtinpluginconsts and api/filters/fieldspec of kubernetes-sigs/kustomize.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from vllm_kustomize.kustomize.replay.objects import Id
from vllm_kustomize.kustomize.yaml.nodes import Node
from vllm_kustomize.model import Precision


class FieldSpec(NamedTuple):
    """A field of some kinds; an empty group, version or kind stands for any."""

    path: str
    kind: str = ""
    group: str = ""
    version: str = ""
    create: bool = False

    def selects(self, identity: Id) -> bool:
        """Tell whether the field belongs to objects of this id's group, version and kind."""
        return (
            self.kind in ("", identity.kind)
            and self.group in ("", identity.group)
            and self.version in ("", identity.version)
        )


def _templates(field: str) -> tuple[FieldSpec, ...]:
    template = f"spec/template/metadata/{field}"
    job = f"spec/jobTemplate/metadata/{field}"
    return (
        FieldSpec(f"metadata/{field}", create=True),
        FieldSpec(template, "ReplicationController", version="v1", create=True),
        FieldSpec(template, "Deployment", create=True),
        FieldSpec(template, "ReplicaSet", create=True),
        FieldSpec(template, "DaemonSet", create=True),
        FieldSpec(template, "StatefulSet", "apps", create=True),
        FieldSpec(template, "Job", "batch", create=True),
        FieldSpec(job, "CronJob", "batch", create=True),
        FieldSpec(f"spec/jobTemplate/{template}", "CronJob", "batch", create=True),
    )


_CLAIM_LABELS = FieldSpec("spec/volumeClaimTemplates[]/metadata/labels", "StatefulSet", "apps", create=True)
_AFFINITY = (
    "affinity/podAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector",
    "affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector",
    "affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector",
    "affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector",
    "topologySpreadConstraints/labelSelector",
)

FieldSpecs = dict[str, tuple[FieldSpec, ...]]
"""The fields that each setting writes."""

FIELD_SPECS: FieldSpecs = {
    "labels": (),
    "templateLabels": (*_templates("labels"), _CLAIM_LABELS),
    "volumeClaimTemplateLabels": (_CLAIM_LABELS,),
    "commonLabels": (
        FieldSpec("spec/selector", "Service", version="v1", create=True),
        FieldSpec("spec/selector", "ReplicationController", version="v1", create=True),
        FieldSpec("spec/selector/matchLabels", "Deployment", create=True),
        FieldSpec("spec/selector/matchLabels", "ReplicaSet", create=True),
        FieldSpec("spec/selector/matchLabels", "DaemonSet", create=True),
        FieldSpec("spec/selector/matchLabels", "StatefulSet", "apps", create=True),
        *(
            FieldSpec(f"spec/template/spec/{selector}/matchLabels", kind, "apps")
            for kind in ("Deployment", "StatefulSet")
            for selector in _AFFINITY
        ),
        FieldSpec("spec/selector/matchLabels", "Job", "batch"),
        FieldSpec("spec/jobTemplate/spec/selector/matchLabels", "CronJob", "batch"),
        FieldSpec("spec/selector/matchLabels", "PodDisruptionBudget", "policy"),
        FieldSpec("spec/podSelector/matchLabels", "NetworkPolicy", "networking.k8s.io"),
        FieldSpec("spec/ingress/from/podSelector/matchLabels", "NetworkPolicy", "networking.k8s.io"),
        FieldSpec("spec/egress/to/podSelector/matchLabels", "NetworkPolicy", "networking.k8s.io"),
        *_templates("labels"),
        _CLAIM_LABELS,
    ),
    "commonAnnotations": _templates("annotations"),
    "namespace": (
        FieldSpec("metadata/name", "Namespace", version="v1"),
        FieldSpec("spec/service/namespace", "APIService", "apiregistration.k8s.io", create=True),
        FieldSpec(
            "spec/conversion/webhook/clientConfig/service/namespace",
            "CustomResourceDefinition",
            "apiextensions.k8s.io",
        ),
    ),
    "replicas": tuple(
        FieldSpec("spec/replicas", kind, create=True)
        for kind in ("Deployment", "ReplicationController", "ReplicaSet", "StatefulSet")
    ),
    "images": tuple(
        FieldSpec(f"{pod}/{image}")
        for pod in ("spec", "spec/template/spec")
        for image in ("containers[]/image", "initContainers[]/image", "volumes[]/image/reference")
    ),
    "namePrefix": (FieldSpec("metadata/name"),),
    "nameSuffix": (FieldSpec("metadata/name"),),
}
"""What each setting writes without any `configurations:`."""


def field_spec(entry: Node) -> FieldSpec:
    """Read a field spec of a `configurations:` file or of `labels[].fields`."""
    create = entry.get("create")
    return FieldSpec(
        entry.text("path"),
        entry.text("kind"),
        entry.text("group"),
        entry.text("version"),
        create is not None and create.value is True,
    )


def label_specs(entry: Node, specs: FieldSpecs) -> tuple[FieldSpec, ...]:
    """Return the maps that one entry of `labels:` writes to."""

    def flag(name: str) -> bool:
        node = entry.get(name)
        return node is not None and node.value is True

    chosen = (*(field_spec(field) for field in entry.items("fields")), *specs["labels"])
    if flag("includeSelectors"):
        return (*chosen, *specs["commonLabels"])
    if flag("includeTemplates"):
        chosen = (*chosen, *specs["templateLabels"])
    if flag("includeVolumeClaimTemplates"):
        chosen = (*chosen, *specs["volumeClaimTemplateLabels"])
    return (*chosen, FieldSpec("metadata/labels", create=True))


def set_fields(root: Node, path: str, write: Callable[[Node | None], Node | None], create: bool) -> Node:
    """Return `root` with every field at a Kustomize path (`spec/containers[]/image`) rewritten.

    `write` gets the field's node, or None where the field is missing and `create` is set, and returns the
    new node or None to leave it.
    """
    return _set(root, [step.removesuffix("[]") for step in path.split("/")], write, create)


def _set(node: Node, path: list[str], write: Callable[[Node | None], Node | None], create: bool) -> Node:
    if isinstance(node.value, list):
        items = [_set(item, path, write, create) for item in node.value]
        return node if all(map(_is, items, node.value)) else node.replace(items)
    if not isinstance(node.value, dict):
        return node
    name, rest = path[0], path[1:]
    child: Node | None = node.value.get(name)
    if rest:
        if child is None or child.value is None:
            if not create:
                return node
            child = created({}, node)
        new: Node | None = _set(child, rest, write, create)
    elif child is None and not create:
        return node
    else:
        new = write(child)
    if new is None or new is child:
        return node
    return node.replace({**node.value, name: new})


def created(value: object, near: Node) -> Node:
    """Return a node for what no one wrote: it stands at the closest place that someone did."""
    return Node(value, near.file, near.line, near.column, precision=Precision.PARENT)


def _is(left: Node, right: Node) -> bool:
    return left is right
