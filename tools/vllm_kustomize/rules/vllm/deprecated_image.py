"""The image is one that vLLM no longer publishes.

rocm/vllm is deprecated since January 2026: it lags behind vLLM's releases, and its entrypoint is a shell, so
that arguments alone start no server.

Bad:   image: rocm/vllm:rocm6.2_mi300_ubuntu20.04_py3.9_vllm_0.6.4
Good:  image: vllm/vllm-openai-rocm:v0.33.0

Source: docs/getting_started/installation/gpu.rocm.inc.md of vLLM
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.model import Problem, Severity
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.WARNING
HELP = "Use the image that took its place; its entrypoint is `vllm serve`."


def check_server(server: Server) -> Iterator[Problem]:
    """Yield images that another one has replaced."""
    if server.image is not None and server.image.deprecated:
        message = f"image {server.container.image} is deprecated in favour of {server.image.deprecated}"
        yield Problem((*server.container.path, "image"), message)
