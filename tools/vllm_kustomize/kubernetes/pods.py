"""Pods and containers inside the objects that carry them, whatever their values look like."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from vllm_kustomize.kubernetes import images
from vllm_kustomize.kubernetes.controllers import Controller, Effect, controller_of
from vllm_kustomize.kubernetes.fields import get, items, mapping, strings, text
from vllm_kustomize.kubernetes.once import once
from vllm_kustomize.model import FieldPath, Manifest, Resource

TEMPLATES: dict[str, tuple[FieldPath, ...]] = {
    "Pod": ((),),
    "Deployment": (("spec", "template"),),
    "StatefulSet": (("spec", "template"),),
    "DaemonSet": (("spec", "template"),),
    "ReplicaSet": (("spec", "template"),),
    "Job": (("spec", "template"),),
    "CronJob": (("spec", "jobTemplate", "spec", "template"),),
    "DeploymentConfig": (("spec", "template"),),
    "LeaderWorkerSet": (
        ("spec", "leaderWorkerTemplate", "leaderTemplate"),
        ("spec", "leaderWorkerTemplate", "workerTemplate"),
    ),
}
"""Where each kind keeps its pod templates."""

PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
"""The fields of a container that hold a probe."""

DEFINITION = "CustomResourceDefinition"
"""The kind whose objects are long and hold neither pods nor addresses, only what fields may look like."""

_DEEPEST = 12
"""Levels of a custom resource that are searched for pod templates."""


@dataclass(frozen=True, slots=True)
class Container:
    """A container and its place in the object."""

    path: FieldPath
    spec: Manifest

    @property
    def name(self) -> str:
        """The container's name, or an empty string."""
        return text(self.spec.get("name"))

    @property
    def image(self) -> str:
        """The container's image, or an empty string."""
        return text(self.spec.get("image"))

    def __str__(self) -> str:
        return f"container '{self.name}'" if self.name else "a container without a name"

    def is_vllm(self) -> bool:
        """Whether the container runs a vLLM server: its command line says so, or its image's entrypoint.

        That "vllm" is in an image's name proves nothing: routers, simulators and exporters have it too.
        """
        words = " ".join(strings(self.spec.get("command")) + strings(self.spec.get("args")))
        if "vllm serve" in words or "vllm.entrypoints" in words:
            return True
        image = images.image_of(self.image)
        return image is not None and image.entrypoint is not None and not self.spec.get("command")


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod template, or a Pod itself: `path` leads to what holds `metadata` and `spec`.

    Some custom resources call the pod's spec otherwise (`predictor`): `spec_key` says how. `within` leads to
    the object that has the pod, where that is one of OpenShift's Template.
    """

    resource: Resource
    path: FieldPath
    template: Manifest
    spec_key: str = "spec"
    within: FieldPath = ()

    @property
    def owner(self) -> Resource:
        """The object that has the pod."""
        return Resource(mapping(get(self.resource.manifest, self.within))) if self.within else self.resource

    @property
    def partial(self) -> bool:
        """Whether an operator completes the spec: what is missing here may be in the pod all the same.

        So it is for a ServingRuntime's own `spec` and for what stands under other names than `spec`.
        """
        return self.owner.kind not in TEMPLATES and (self.path == self.within or self.spec_key != "spec")

    @property
    def controller(self) -> Controller | None:
        """The controller that makes the pod, where the table of controllers has it."""
        return controller_of(self.owner)

    def effect(self, field: str, container: Container | None = None) -> Effect:
        """What a controller does with a field of the pod, or of one of its containers.

        Fields are called as in `Controller.effect`. Of a pod that an operator completes nothing that is
        missing is known to be missing: all its fields may be filled.
        """
        controller = self.controller
        if controller is None:
            return Effect.FILLS if self.partial else Effect.LEAVES
        if container is not None and not self._completes(controller, container):
            return Effect.LEAVES
        return controller.effect(field, mapping(mapping(self.template.get("metadata")).get("annotations")))

    def may_have(self, field: str, container: Container | None = None) -> bool:
        """Whether the pod may have a field that its manifest leaves out."""
        return self.effect(field, container) is not Effect.LEAVES

    def _completes(self, controller: Controller, container: Container) -> bool:
        paths = [each.path for each in self.containers]
        index = paths.index(container.path) if container.path in paths else -1
        return controller.completes(container.name, index)

    @property
    def spec_path(self) -> FieldPath:
        """The path of the pod's spec."""
        return (*self.path, self.spec_key)

    @property
    def spec(self) -> Manifest:
        """The pod's spec, or an empty mapping."""
        return mapping(self.template.get(self.spec_key))

    @property
    def labels(self) -> Manifest:
        """The labels that the pod will have."""
        return mapping(mapping(self.template.get("metadata")).get("labels"))

    @property
    def containers(self) -> Iterator[Container]:
        """The containers that run side by side, without init containers."""
        return self._containers("containers")

    @property
    def all_containers(self) -> Iterator[Container]:
        """Init containers, then the others."""
        yield from self._containers("initContainers")
        yield from self._containers("containers")

    @property
    def servers(self) -> Iterator[Container]:
        """The containers that run vLLM."""
        return (container for container in self.containers if container.is_vllm())

    def volume(self, name: object) -> tuple[FieldPath, Manifest] | None:
        """The volume of that name with its path, or None."""
        for path, volume in items(self.spec.get("volumes"), (*self.spec_path, "volumes")):
            if volume.get("name") == name:
                return path, volume
        return None

    def mounted(self, container: Container, mount_path: str) -> tuple[FieldPath, Manifest] | None:
        """The volume that a container mounts at a path, with the volume's path in the object, or None."""
        for _, mount in items(container.spec.get("volumeMounts"), ()):
            if text(mount.get("mountPath")).rstrip("/") == mount_path:
                return self.volume(mount.get("name"))
        return None

    def _containers(self, key: str) -> Iterator[Container]:
        for path, container in items(self.spec.get(key), (*self.spec_path, key)):
            yield Container(path, container)


@once
def pods(resource: Resource) -> tuple[Pod, ...]:
    """The complete pod templates of an object: none for most kinds, two for a LeaderWorkerSet.

    In custom resources that are not in the table whatever has a `spec` with containers in it is one.
    """
    return tuple(pod for pod in all_pods(resource) if not pod.partial)


@once
def all_pods(resource: Resource) -> tuple[Pod, ...]:
    """The pod templates of an object, and the specs that an operator completes."""
    return tuple(_pods(resource))


def _pods(resource: Resource) -> Iterator[Pod]:
    if resource.kind in TEMPLATES:
        for path in TEMPLATES[resource.kind]:
            template = mapping(get(resource.manifest, path))
            if template:
                yield Pod(resource, path, template)
    elif resource.kind == "Template" and resource.api_version.startswith("template.openshift.io/"):
        for path, inner in items(resource.manifest.get("objects"), ("objects",)):
            for pod in _pods(Resource(inner)):
                yield replace(pod, resource=resource, path=(*path, *pod.path), within=path)
    elif "." in resource.api_version.partition("/")[0] and resource.kind != DEFINITION:
        yield from _embedded(resource, resource.manifest, ())


def _embedded(resource: Resource, value: Any, path: FieldPath, depth: int = 0) -> Iterator[Pod]:
    """Pod templates inside a custom resource (a RayCluster's groups, a Rollout, an InferenceService)."""
    if depth > _DEEPEST:
        return
    if isinstance(value, Mapping):
        for key, inner in value.items():
            containers = mapping(inner).get("containers")
            if isinstance(containers, list) and any("image" in each for _, each in items(containers, ())):
                yield Pod(resource, path, value, str(key))
            else:
                yield from _embedded(resource, inner, (*path, str(key)), depth + 1)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _embedded(resource, inner, (*path, index), depth + 1)
