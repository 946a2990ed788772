"""What a cluster would hold once the overlay is applied, and what the node says of the pod."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from vllm_kustomize.kubernetes.fields import mapping
from vllm_kustomize.model import Manifest, Resource

POD_IP = "127.0.1.1"
"""The pod's own address. The pod has a network of its own, where all of 127.0.0.0/8 is local; a server that
listens on 127.0.0.1 alone does not answer here, as on a real pod's address."""
SERVICE_IP = "127.0.1.2"
"""The cluster address of the Service."""


class NotStarted(Exception):
    """The kubelet would not start the container: the message begins with the reason that `kubectl` shows."""


class NotPlayed(Exception):
    """The manifest asks for something that this stand-in for a kubelet does not know how to do."""


@dataclass(frozen=True)
class Objects:
    """The rendered objects by kind and name."""

    manifests: Mapping[tuple[str, str], Manifest]

    @classmethod
    def of(cls, resources: Iterable[Resource]) -> Objects:
        """Index what an overlay rendered."""
        return cls({(resource.kind, resource.name): resource.manifest for resource in resources})

    def of_kind(self, kind: str) -> list[Manifest]:
        """All objects of a kind."""
        return [manifest for (own, _), manifest in self.manifests.items() if own == kind]

    def data(self, kind: str, name: str) -> dict[str, bytes] | None:
        """The keys of a ConfigMap or Secret as the pod sees them; None where there is no such object."""
        manifest = self.manifests.get((kind, name))
        if manifest is None:
            return None
        encoded = "data" if kind == "Secret" else "binaryData"
        plain = "stringData" if kind == "Secret" else "data"
        return {
            **{key: base64.b64decode(value) for key, value in mapping(manifest.get(encoded)).items()},
            **{key: value.encode() for key, value in mapping(manifest.get(plain)).items()},
        }


@dataclass(frozen=True, slots=True)
class Identity:
    """What the downward API says of the pod."""

    name: str
    namespace: str
    metadata: Manifest
    service_account: str

    def field(self, path: str) -> str:
        """The value of a `fieldRef`; raises `NotPlayed` for one that is not known here."""
        fixed = {
            "metadata.name": self.name,
            "metadata.namespace": self.namespace,
            "metadata.uid": "00000000-0000-0000-0000-000000000000",
            "spec.nodeName": "node",
            "spec.serviceAccountName": self.service_account,
            "status.hostIP": POD_IP,
            "status.podIP": POD_IP,
            "status.podIPs": POD_IP,
        }
        if path in fixed:
            return fixed[path]
        for group in ("labels", "annotations"):
            prefix = f"metadata.{group}['"
            if path.startswith(prefix) and path.endswith("']"):
                return str(mapping(self.metadata.get(group)).get(path[len(prefix) : -2], ""))
        raise NotPlayed(f"fieldRef {path}")
