"""A Service selects no pod of its own build.

A Service whose selector fits no pod accepts connections and drops them; nothing reports an error. Only a
build whose pods are all known is judged: an operator may make the pods that a Service waits for.

Bad:   selector: {app: vlm}, with pods labelled app: vllm
Good:  selector: {app: vllm}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher

from vllm_kustomize.kubernetes.fields import mapping, text
from vllm_kustomize.kubernetes.selection import maker_of_more_pods, pods_in
from vllm_kustomize.kubernetes.selectors import fits, is_set_by_a_controller
from vllm_kustomize.model import Build, Outcome, Problem, Severity, Undecided

SEVERITY = Severity.ERROR
HELP = "Make the selector's labels equal to those of the pod template."

_CLOSE = 0.8
"""How much of two values has to be the same for one to be a slip of the other."""


def check_build(build: Build) -> Iterator[Outcome]:
    """Yield Services that miss a pod of their namespace by a slip; others may wait for other builds."""
    labels_in = {namespace: [pod.labels for pod in found] for namespace, found in pods_in(build).items()}
    maker = maker_of_more_pods(build)
    for resource in build.resources:
        if resource.kind != "Service" or resource.api_version != "v1":
            continue
        selector = mapping(mapping(resource.manifest.get("spec")).get("selector"))
        candidates = labels_in.get(resource.namespace, [])
        if not selector or any(fits(selector, labels) for labels in candidates):
            continue
        if maker:
            yield Undecided(f"{maker} may make pods that the build does not show", str(resource))
        elif near := next((labels for labels in candidates if _nearly_fits(selector, labels)), None):
            wanted = ", ".join(f"{key}={text(value)}" for key, value in selector.items())
            there = ", ".join(f"{key}={text(near[key])}" for key in selector if key in near)
            message = f"no pod of this build has the labels {wanted}; the closest has {there}"
            yield Problem(("spec", "selector"), message, resource=resource)


def _nearly_fits(selector: Mapping[object, object], labels: Mapping[object, object]) -> bool:
    """Whether the labels differ from a selector by letters, or in some labels of several."""
    same = [key for key, value in selector.items() if labels.get(key) == value]
    other = [key for key in selector if key not in same and not is_set_by_a_controller(str(key))]
    slips = all(
        SequenceMatcher(None, text(labels.get(key)), text(selector[key])).ratio() >= _CLOSE for key in other
    )
    return slips and all(key in labels for key in other)
