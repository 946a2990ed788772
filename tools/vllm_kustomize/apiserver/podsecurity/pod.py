"""A pod as the controls of the Pod Security Standards see it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from vllm_kustomize.apiserver.framework.combinators import structs
from vllm_kustomize.kubernetes.fields import mapping, text
from vllm_kustomize.model import FieldPath, KubernetesVersion

CONTAINER_LISTS = ("initContainers", "containers", "ephemeralContainers")


class Violation(NamedTuple):
    """What breaks a control: a path from the pod (or its template), and what to do about it."""

    path: FieldPath
    message: str


@dataclass(frozen=True, slots=True)
class Context:
    """The pod itself or one of its containers, with its security context."""

    path: FieldPath
    name: str
    spec: Mapping[Any, Any]

    @property
    def security(self) -> Mapping[Any, Any]:
        """The security context, empty where there is none."""
        return mapping(self.spec, "securityContext")

    def at(self, *steps: str | int) -> FieldPath:
        """The path of a field of the security context."""
        return (*self.path, "securityContext", *steps)


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod or pod template, judged by the controls of `version` on a cluster of Kubernetes `kubernetes`."""

    template: Mapping[Any, Any]
    version: KubernetesVersion
    kubernetes: KubernetesVersion

    @property
    def spec(self) -> Mapping[Any, Any]:
        """The pod's spec."""
        return mapping(self.template, "spec")

    @property
    def annotations(self) -> Mapping[Any, Any]:
        """The pod's annotations."""
        return mapping(self.template, "metadata", "annotations")

    @property
    def itself(self) -> Context:
        """The pod-level security context."""
        return Context(("spec",), "the pod", self.spec)

    @property
    def containers(self) -> Iterator[Context]:
        """Every container of whatever list."""
        for field in CONTAINER_LISTS:
            for index, container in structs(self.spec, field):
                yield Context(("spec", field, index), f"container '{text(container, 'name')}'", container)

    @property
    def contexts(self) -> Iterator[Context]:
        """The pod itself, then every container."""
        yield self.itself
        yield from self.containers

    @property
    def is_windows(self) -> bool:
        """Whether the pod runs on Windows."""
        return text(mapping(self.spec, "os"), "name") == "windows"

    @property
    def in_user_namespace(self) -> bool:
        """Whether the pod's users are not the node's."""
        return self.spec.get("hostUsers") is False


@dataclass(frozen=True, slots=True)
class Control:
    """One control of a standard.

    `since` is the release that brought it, `replaces` the controls of baseline that it makes superfluous.
    """

    name: str
    find: Callable[[Pod], Iterator[Violation]]
    since: KubernetesVersion = (1, 0)
    replaces: tuple[str, ...] = ()

    def __call__(self, pod: Pod) -> Iterator[Violation]:
        """Yield what breaks the control."""
        return self.find(pod)


def unmasked_proc(pod: Pod) -> Iterator[Violation]:
    """The masks over /proc stay (check_procMount_baseline.go).

    Before 1.33 the server sets the field to Default itself (feature gate ProcMountType).
    """
    if pod.kubernetes < (1, 33):
        return
    for context in pod.containers:
        if text(context.security, "procMount", default="Default") != "Default":
            yield Violation(context.at("procMount"), "must be Default, or not set")


def is_profile(value: Mapping[Any, Any]) -> bool:
    """Whether a seccomp or AppArmor profile confines anything."""
    return text(value, "type") in ("RuntimeDefault", "Localhost")
