"""A Service selects pods of its own build.

A Service whose selector fits no pod accepts connections and drops them; nothing reports an error.

Bad:   selector: {app: vlm}, with pods labelled app: vllm
Good:  selector: {app: vllm}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vllm_kustomize.kubernetes.fields import mapping, text
from vllm_kustomize.kubernetes.pods import pods
from vllm_kustomize.kubernetes.selectors import fits
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
