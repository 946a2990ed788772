"""The GPUs that a list of resources names."""

from __future__ import annotations

from vllm_kustomize.model import Manifest


def gpus(resources: Manifest) -> list[str]:
    """The GPU resources that a list of requests or limits names, MIG slices included."""
    return [name for name in resources if isinstance(name, str) and is_gpu(name)]


def is_gpu(name: str) -> bool:
    """Whether a resource is a GPU, such as `nvidia.com/gpu`, `nvidia.com/mig-1g.10gb`, `gpu.intel.com/xe`."""
    domain, _, device = name.partition("/")
    return bool(device) and (device.startswith(("gpu", "mig-")) or domain.startswith("gpu."))
