"""The objects that a build works on, each with the names it has had."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from vllm_kustomize.kustomize.yaml.nodes import Node
from vllm_kustomize.kustomize.yaml.scalars import scalar_text

_CLUSTER_SCOPED = {
    f"{group}{version} {kind}"
    for group, versions, kinds in (
        ("", "v1", "ComponentStatus Namespace Node NodeProxyOptions PersistentVolume"),
        (
            "admissionregistration.k8s.io/",
            "v1 v1beta1",
            "MutatingWebhookConfiguration ValidatingWebhookConfiguration",
        ),
        ("apiextensions.k8s.io/", "v1 v1beta1", "CustomResourceDefinition"),
        ("apiregistration.k8s.io/", "v1 v1beta1", "APIService"),
        ("certificates.k8s.io/", "v1 v1beta1", "CertificateSigningRequest"),
        ("flowcontrol.apiserver.k8s.io/", "v1beta1", "FlowSchema PriorityLevelConfiguration"),
        ("networking.k8s.io/", "v1 v1beta1", "IngressClass"),
        ("node.k8s.io/", "v1 v1beta1", "RuntimeClass"),
        ("policy/", "v1beta1", "PodSecurityPolicy"),
        ("rbac.authorization.k8s.io/", "v1 v1beta1", "ClusterRole ClusterRoleBinding"),
        ("scheduling.k8s.io/", "v1 v1beta1", "PriorityClass"),
        ("storage.k8s.io/", "v1 v1beta1", "CSIDriver CSINode StorageClass VolumeAttachment"),
    )
    for version in versions.split()
    for kind in kinds.split()
}
"""What `namespace:` leaves alone: kinds that Kustomize knows to have none, in the versions that it knows.

Source: precomputedIsNamespaceScoped in kyaml/openapi/openapi.go (kyaml 0.21.1).
"""


class Id(NamedTuple):
    """What Kustomize tells objects apart by. `namespace` is empty where none is set."""

    group: str
    version: str
    kind: str
    name: str
    namespace: str

    @property
    def cluster_scoped(self) -> bool:
        """Whether Kustomize knows that objects of this kind have no namespace."""
        return f"{self.group}/{self.version} {self.kind}".removeprefix("/") in _CLUSTER_SCOPED

    @property
    def effective_namespace(self) -> str:
        """The namespace that counts: none for kinds without one, `default` where none is set."""
        if self.cluster_scoped:
            return "_non_namespaceable_"
        return self.namespace or "default"

    def same(self, other: Id) -> bool:
        """Tell whether two ids name one object."""
        return self[:4] == other[:4] and self.effective_namespace == other.effective_namespace


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """One object at one stage of a build: its fields, the ids it had before, and where it came from.

    `file` is the one that it was read from or generated in. `hashed` tells that the engine appends a hash of
    the content to its name. `behavior` is a generator's `create`, `merge` or `replace`. `shared` are the maps
    of labels and annotations that may share values (sharing.py), as Kustomize writes paths.
    """

    root: Node
    file: str
    previous: tuple[Id, ...] = ()
    hashed: bool = False
    behavior: str = ""
    shared: tuple[str, ...] = ()

    @property
    def id(self) -> Id:
        """The object's present id."""
        return node_id(self.root)

    @property
    def original(self) -> Id:
        """The id that the object had when it was read."""
        return self.previous[0] if self.previous else self.id

    @property
    def ids(self) -> tuple[Id, ...]:
        """Every id that the object has had, the present one last."""
        return (*self.previous, self.id)

    def changed(self, root: Node, *, renamed: bool = False, shared: tuple[str, ...] | None = None) -> Source:
        """Return the object with other fields; `renamed` keeps its present id among the earlier ones."""
        previous = (*self.previous, self.id) if renamed else self.previous
        shared = self.shared if shared is None else shared
        return Source(root, self.file, previous, self.hashed, self.behavior, shared)

    def as_rendered(self) -> Source:
        """The object with its annotations as texts, as the engine writes them (RNode.SetAnnotations)."""
        metadata = self.root.get("metadata")
        annotations = metadata.get("annotations") if metadata is not None else None
        if metadata is None or annotations is None or not isinstance(annotations.value, dict):
            return self
        texts = {
            key: node if isinstance(node.value, (str, dict, list)) else node.replace(scalar_text(node.value))
            for key, node in annotations.value.items()
        }
        if all(texts[key] is node for key, node in annotations.value.items()):
            return self
        written = metadata.replace({**metadata.value, "annotations": annotations.replace(texts)})
        return self.changed(self.root.replace({**self.root.value, "metadata": written}))

    def __str__(self) -> str:
        return f"{self.root.text('kind')}/{self.id.name}"


def node_id(root: Node) -> Id:
    """Read an object's id from its fields."""
    group, slash, version = root.text("apiVersion").rpartition("/")
    metadata = root.get("metadata")
    if metadata is None:
        return Id(group if slash else "", version, root.text("kind"), "", "")
    name = metadata.get("name")
    return Id(
        group,
        version,
        root.text("kind"),
        str(name.value) if name is not None and name.value is not None else "",
        metadata.text("namespace"),
    )
