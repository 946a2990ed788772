"""A pod that asks for a GPU does not tolerate the taint that GPU nodes usually carry.

Managed clusters taint their GPU nodes with the resource's name so that other pods stay away. Without the
toleration the pod stays Pending there, unless an admission plugin (ExtendedResourceToleration) adds it, as
GKE does.

Bad:   limits: {nvidia.com/gpu: "1"} without tolerations
Good:  tolerations: [{key: nvidia.com/gpu, operator: Exists, effect: NoSchedule}]
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.devices import gpus
from vllm_kustomize.kubernetes.fields import get, items, mapping
from vllm_kustomize.kubernetes.pods import pods
from vllm_kustomize.model import Problem, Related, Resource, Severity

SEVERITY = Severity.WARNING
HELP = "Add a toleration with the resource's name as key and operator: Exists."


def check(resource: Resource) -> Iterator[Problem]:
    """Yield pods that ask for a GPU and tolerate no taint of its name."""
    for pod in pods(resource):
        if any(str(label).startswith("cloud.google.com/") for label in mapping(pod.spec.get("nodeSelector"))):
            continue
        if pod.may_have("tolerations"):
            continue
        tolerated = [item.get("key") for _, item in items(pod.spec.get("tolerations"), ())]
        for container in pod.containers:
            for gpu in gpus(mapping(get(container.spec, ("resources", "limits")))):
                if gpu not in tolerated and None not in tolerated:
                    path = (*container.path, "resources", "limits", gpu)
                    yield Problem(
                        (*pod.spec_path, "tolerations"),
                        f"{container} asks for {gpu}, whose nodes are usually tainted, without a toleration",
                        related=(Related(path, "the GPU is asked for here"),),
                    )
