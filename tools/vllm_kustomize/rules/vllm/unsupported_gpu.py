"""The release's CUDA image has no kernels for the GPU.

The images are built for a list of architectures, and PyTorch drops old ones with CUDA: from 0.20 on, built
with CUDA 13, it begins at compute capability 7.5, and a V100 (7.0) has "no kernel image available for
execution on the device". Where a pod accepts several products, one that is too old is enough for it to land
there.

Bad:   vllm/vllm-openai:v0.20.0 with nvidia.com/gpu.product: Tesla-V100-SXM2-32GB
Good:  vllm/vllm-openai:v0.19.1 on the same node, or a newer GPU

Source: torch_cuda_arch_list in docker/Dockerfile of each release; developer.nvidia.com/cuda-gpus
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vllm_kustomize.model import Outcome, Problem, Severity
from vllm_kustomize.vllm import missing
from vllm_kustomize.vllm.names import oldest_compute_capability
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.ERROR
HELP = "Select newer GPUs, or stay on a release that was built for this one."

_OLD = {
    r"\bK80\b": (3, 7),
    r"\bM60\b": (5, 2),
    r"\bP100\b": (6, 0),
    r"\bP(?:4|40)\b": (6, 1),
    r"\bV100": (7, 0),
    r"\bTITAN-V\b": (7, 0),
}
"""Compute capabilities of the products that a release may be too new for."""


def check_server(server: Server) -> Iterator[Outcome]:
    """Yield servers that may run on a GPU that is too old for their release."""
    oldest = oldest_compute_capability(server.release)
    if oldest is None or server.image is None or server.image.accelerator != "cuda":
        return
    if server.assumed:
        yield missing.release(server)
        return
    if not server.gpu_products:
        yield missing.gpu(server)
    for product in server.gpu_products:
        for pattern, capability in _OLD.items():
            if re.search(pattern, product, re.IGNORECASE) and capability < oldest:
                message = (
                    f"{server} may run on {product} (compute capability {_shown(capability)}), "
                    f"but {server.vllm} is built for {_shown(oldest)} and newer"
                )
                severity = None if server.exact else Severity.WARNING
                yield Problem((*server.container.path, "image"), message, severity=severity)


def _shown(capability: tuple[int, int]) -> str:
    return ".".join(map(str, capability))
