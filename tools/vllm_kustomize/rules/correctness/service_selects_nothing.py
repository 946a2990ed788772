"""A Service selects pods of its own build.

A Service whose selector fits no pod accepts connections and drops them; nothing reports an error.

Bad:   selector: {app: vlm}, with pods labelled app: vllm
Good:  selector: {app: vllm}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vllm_kustomize.kubernetes.fields import mapping, text
from vllm_kustomize.kubernetes.pods import pods
from vllm_kustomize.model import Build, Problem, Severity

SEVERITY = Severity.ERROR
HELP = "Make the selector's labels equal to those of the pod template."


def check_build(build: Build) -> Iterator[Problem]:
    """Yield Services that fit no pod, where the build has pods in the Service's namespace."""
    labels_in: dict[str, list[Mapping[object, object]]] = {}
    for resource in build.resources:
        for pod in pods(resource):
            labels_in.setdefault(resource.namespace, []).append(pod.labels)
    for resource in build.resources:
        if resource.kind != "Service" or resource.api_version != "v1":
            continue
        selector = mapping(mapping(resource.manifest.get("spec")).get("selector"))
        candidates = labels_in.get(resource.namespace)
        if selector and candidates and not any(fits(selector, labels) for labels in candidates):
            wanted = ", ".join(f"{key}={text(value)}" for key, value in selector.items())
            yield Problem(
                ("spec", "selector"), f"no pod of this build has the labels {wanted}", resource=resource
            )


def fits(selector: Mapping[object, object], labels: Mapping[object, object]) -> bool:
    """Whether labels match a selector, apart from labels that only a controller can add."""
    return all(labels.get(key) == value or _set_by_a_controller(str(key)) for key, value in selector.items())


def _set_by_a_controller(label: str) -> bool:
    """Whether a controller adds a label of that name to its pods, such as a LeaderWorkerSet its own name."""
    domain = label.rpartition("/")[0]
    return domain.endswith(("k8s.io", "kubernetes.io", "ray.io")) and not domain.startswith("app.")
