"""The image is built for another device than the container asks for.

vLLM's images hold one backend each: vllm/vllm-openai is for NVIDIA GPUs, -rocm for AMD GPUs, -xpu for
Intel's, -cpu for none. In the wrong one vLLM finds no device and stops, and a GPU given to the CPU image is
paid for and never used.

Bad:   image: vllm/vllm-openai:v0.33.0, with no GPU among the limits
Good:  image: vllm/vllm-openai-cpu:v0.33.0

Source: docker/Dockerfile, Dockerfile.cpu, Dockerfile.rocm and Dockerfile.xpu of vLLM
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import get, items, mapping, text
from vllm_kustomize.model import Problem, Severity
from vllm_kustomize.vllm.server import ACCELERATORS, Server

SEVERITY = Severity.ERROR
HELP = "Change the image's name under images: in the overlay, or the GPU resource in its patch."

_DEVICES = {"cuda": "NVIDIA GPUs", "rocm": "AMD GPUs", "xpu": "Intel GPUs", "tpu": "TPUs", "cpu": "CPUs"}
_IMAGES = {"cuda": "vllm/vllm-openai", "tpu": "vllm/vllm-tpu"}


def check_server(server: Server) -> Iterator[Problem]:
    """Yield images whose backend is not that of the GPU resource."""
    if server.image is None:
        return
    built_for = server.image.accelerator
    path = (*server.container.path, "image")
    if server.gpus is None:
        if built_for != "cpu" and not server.pod.partial and not _has_device_otherwise(server):
            yield Problem(
                path,
                f"image {server.container.image} is for {_DEVICES[built_for]}, but {server} asks for none; "
                "the CPU image is vllm/vllm-openai-cpu",
                # NVIDIA's runtime may be a node's default and hand out all of its GPUs
                severity=Severity.WARNING if built_for == "cuda" else None,
            )
        return
    wanted = ACCELERATORS.get(server.gpus.shown.partition("/")[0])
    if wanted is not None and wanted != built_for:
        right = _IMAGES.get(wanted, f"vllm/vllm-openai-{wanted}")
        yield Problem(
            path,
            f"image {server.container.image} is for {_DEVICES[built_for]}, but {server} asks for "
            f"{server.gpus.shown}, whose image is {right}",
            related=(server.gpus.related("the GPUs are set here"),),
        )


def _has_device_otherwise(server: Server) -> bool:
    """Whether a device may come by a claim, a GPU-sharing scheduler, the node's devices, or a runtime."""
    limits = mapping(get(server.container.spec, ("resources", "limits")))
    return (
        any("/" in str(name) for name in limits)
        or bool(get(server.container.spec, ("resources", "claims")))
        or mapping(server.container.spec.get("securityContext")).get("privileged") is True
        or bool(server.pod.spec.get("runtimeClassName"))
        or "NVIDIA_VISIBLE_DEVICES" in server.env
        or any(
            text(mapping(volume.get("hostPath")).get("path")).startswith("/dev/")
            for _, volume in items(server.pod.spec.get("volumes"), ())
        )
    )
