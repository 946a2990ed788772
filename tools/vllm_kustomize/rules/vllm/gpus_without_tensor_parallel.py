"""A model claims GPUs from another system and does not use all of them.

KubeAI, llmaz and production-stack take the number of GPUs in one field and give it to the pod alone: vLLM
uses one GPU unless --tensor-parallel-size (or another size) says more. The others stay idle, and a model
that needs them all does not fit.

Bad:   resourceProfile: nvidia-gpu-l4:2, args: []
Good:  resourceProfile: nvidia-gpu-l4:2, args: [--tensor-parallel-size=2]

Source: KubeAI docs "Resource profiles"; llmaz pkg/controller_helper; production-stack's
vllmruntime_controller.go
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from vllm_kustomize.kubernetes.controllers import controller_of
from vllm_kustomize.kubernetes.devices import is_gpu
from vllm_kustomize.kubernetes.fields import get, items, mapping, text
from vllm_kustomize.kubernetes.lookup import of_kind
from vllm_kustomize.model import Build, FieldPath, Problem, Resource, Severity

SEVERITY = Severity.WARNING
HELP = "Give --tensor-parallel-size the number of GPUs, or claim one."

_SIZES = re.compile(
    r"--?(?:tensor[-_]parallel[-_]size|tp|pipeline[-_]parallel[-_]size|pp|data[-_]parallel[-_]size|dp)(?:=|$)"
)


@dataclass(frozen=True, slots=True)
class _Claim:
    """GPUs that an object claims for a server, and whether the server is told to use more than one."""

    resource: Resource
    path: FieldPath
    gpus: int
    sized: bool


def check_build(build: Build) -> Iterator[Problem]:
    """Yield claims of several GPUs for a server that would use one."""
    for resource in build.resources:
        claim = _claim(resource, build)
        if claim and claim.gpus > 1 and not claim.sized:
            message = f"claims {claim.gpus} GPUs, of which vLLM uses one without --tensor-parallel-size"
            yield Problem(claim.path, message, resource=resource)


def _claim(resource: Resource, build: Build) -> _Claim | None:
    group = resource.api_version.partition("/")[0]
    spec = mapping(resource.manifest.get("spec"))
    if (group, resource.kind) == ("kubeai.org", "Model") and spec.get("engine") in (None, "VLLM"):
        profile, _, count = text(spec.get("resourceProfile")).rpartition(":")
        if profile.startswith("cpu"):  # KubeAI's own profile: a unit of it is a CPU
            return None
        return _Claim(resource, ("spec", "resourceProfile"), _number(count), _sized(resource))
    if (group, resource.kind) == ("production-stack.vllm.ai", "VLLMRuntime"):
        path = ("spec", "deploymentConfig", "resources", "gpu")
        size = get(resource.manifest, ("spec", "vllmConfig", "tensorParallelSize"))
        gpus = _number(get(resource.manifest, path))
        return _Claim(resource, path, gpus, _number(size) > 1 or _sized(resource))
    if (group, resource.kind) == ("llmaz.io", "OpenModel"):
        return _flavor(resource, build)
    return None


def _flavor(model: Resource, build: Build) -> _Claim | None:
    """What an OpenModel claims, where Playgrounds of the build serve it."""
    served = [
        resource
        for resource in of_kind(build, "Playground")
        if get(resource.manifest, ("spec", "modelClaim", "modelName")) == model.name
    ]
    path = ("spec", "inferenceConfig", "flavors")
    for at, flavor in items(get(model.manifest, path), path):
        for name, count in mapping(flavor.get("limits")).items():
            if served and is_gpu(str(name)):
                sized = any(
                    _sized(playground) or _sized_by_runtime(playground, build) for playground in served
                )
                return _Claim(model, (*at, "limits", str(name)), _number(count), sized)
    return None


def _sized_by_runtime(playground: Resource, build: Build) -> bool:
    """Whether the runtime that a Playground names sizes the server, or may: one that is not in the build."""
    name = get(playground.manifest, ("spec", "backendRuntimeConfig", "backendName")) or "vllm"
    own = [each for each in of_kind(build, "BackendRuntime") if each.name == name]
    return any(map(_sized, own)) if own else name != "vllm"


def _sized(resource: Resource) -> bool:
    """Whether an object's arguments spread the server over GPUs."""
    controller = controller_of(resource)
    return controller is not None and any(_SIZES.match(word) for _, word in controller.arguments())


def _number(value: object) -> int:
    return int(str(value)) if str(value).isdigit() else 0
