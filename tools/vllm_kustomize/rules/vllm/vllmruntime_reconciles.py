"""A VLLMRuntime is one that production-stack's operator cannot reconcile.

The operator makes the Deployment once. Without nodeSelectorTerms it panics at every reconcile after that,
so that no change and no status arrives; an empty runtimeClass makes a Deployment that the API server
refuses; and the object's labels become the Deployment's selector, which can never change again.

Bad:   kind: VLLMRuntime, deploymentConfig: {runtimeClass: ""}
Good:  deploymentConfig: {runtimeClass: nvidia, nodeSelectorTerms: [{matchExpressions: [...]}]}

Source: production-stack operator/internal/controller/vllmruntime_controller.go, deploymentForVLLMRuntime,
deploymentNeedsUpdate
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import get, mapping
from vllm_kustomize.model import Problem, Resource, Severity

SEVERITY = Severity.ERROR
HELP = "Name a RuntimeClass and a node selector term that every node fits, and leave the labels out."

_DEPLOYMENT = ("spec", "deploymentConfig")
_ANY_LINUX = "[{matchExpressions: [{key: kubernetes.io/os, operator: In, values: [linux]}]}]"


def check(resource: Resource) -> Iterator[Problem]:
    """Yield what keeps the operator from taking up changes of a VLLMRuntime."""
    group = resource.api_version.partition("/")[0]
    if (group, resource.kind) != ("production-stack.vllm.ai", "VLLMRuntime"):
        return
    deployment = mapping(get(resource.manifest, _DEPLOYMENT))
    if not deployment.get("nodeSelectorTerms"):
        message = "without nodeSelectorTerms the operator panics at every reconcile after the first"
        yield Problem(_DEPLOYMENT, f"{message}; {_ANY_LINUX} fits every node")
    if deployment.get("runtimeClass") == "":
        message = "an empty runtimeClass is refused by the API server; without the field it is nvidia"
        yield Problem((*_DEPLOYMENT, "runtimeClass"), message)
    labels = mapping(resource.metadata.get("labels"))
    if labels:
        names = ", ".join(map(str, labels))
        message = f"the operator copies {names} to the Deployment's selector, which no later change may touch"
        yield Problem(("metadata", "labels"), message, severity=Severity.WARNING)
