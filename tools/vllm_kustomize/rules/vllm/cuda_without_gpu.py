"""A CUDA image is given no GPU.

`nvidia.com/gpu: 0` gives the container none, and vLLM's CUDA build ends with "Failed to infer device type".
Only where NVIDIA's runtime is the node's default does a container see GPUs that it did not ask for.

Bad:   vllm/vllm-openai with limits: {nvidia.com/gpu: "0"}
Good:  vllm/vllm-openai with limits: {nvidia.com/gpu: "1"}, or vllm/vllm-openai-cpu

Source: DeviceConfig in vllm/config/device.py of 0.33.0, run on a machine without a GPU; device plugins in the
Kubernetes documentation
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.model import Problem, Severity
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.WARNING
HELP = "Ask for the GPUs that the server needs, or use the image of the CPU build."


def check_server(server: Server) -> Iterator[Problem]:
    """Yield servers of an image for GPUs that are given none."""
    gpus = server.gpus
    if (
        gpus is not None
        and gpus.value == 0
        and server.image is not None
        and server.image.accelerator == "cuda"
    ):
        message = (
            f"{server} has an image for CUDA and no GPU: {server.vllm} fails to infer a device type there"
        )
        yield Problem(gpus.path, message)
