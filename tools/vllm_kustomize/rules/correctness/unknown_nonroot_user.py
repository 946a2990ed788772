"""A container that must not run as root does not say as whom it runs.

vLLM's images run as root, except vllm-openai-nonroot. With runAsNonRoot: true and no numeric runAsUser the
kubelet refuses to start them: "container has runAsNonRoot and image will run as root".

Bad:   runAsNonRoot: true
Good:  runAsNonRoot: true, runAsUser: 2000, runAsGroup: 0, fsGroup: 0       # CUDA image

Source: docs/deployment/docker.md and docker/Dockerfile of vLLM, the kubelet's verifyRunAsNonRoot
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import mapping
from vllm_kustomize.model import FieldPath, Problem, Severity
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.ERROR
HELP = "Set runAsUser to a number other than 0; the CUDA image has user 2000 with group 0 for this."


def check_server(server: Server) -> Iterator[Problem]:
    """Yield runAsNonRoot beside user 0, be it the manifest's or the image's."""
    required = _required(server)
    if required is not None and server.files.user == 0:
        yield Problem(
            required,
            f"runAsNonRoot is true, but {server} runs as user 0, as does image {server.container.image}",
        )


def _required(server: Server) -> FieldPath | None:
    for context, path in (
        (server.container.spec, server.container.path),
        (server.pod.spec, server.pod.spec_path),
    ):
        required = mapping(context.get("securityContext")).get("runAsNonRoot")
        if required is not None:
            return (*path, "securityContext", "runAsNonRoot") if required is True else None
    return None
