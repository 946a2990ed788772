"""A ROCm server that is not root is not in the groups that own the GPUs.

/dev/kfd and /dev/dri belong to the groups render and video of the node. Root needs neither; any other user
finds no GPU without them. The number of render differs between distributions (992, 993, 109 ...).

Bad:   runAsUser: 1000 with vllm/vllm-openai-rocm
Good:  runAsUser: 1000, supplementalGroups: [44, 109]

Source: docs/getting_started/installation/gpu.rocm.inc.md of vLLM, ROCm/k8s-device-plugin issue 39
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import mapping
from vllm_kustomize.model import Problem, Severity
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.WARNING
HELP = "Set supplementalGroups to the node's render and video groups (`getent group render video`)."


def check_server(server: Server) -> Iterator[Problem]:
    """Yield ROCm servers of an ordinary user that are in no further group."""
    if (
        server.accelerator != "rocm"
        or server.pod.partial
        or server.files.user in (0, None)
        or server.files.group
    ):
        return
    if not mapping(server.pod.spec.get("securityContext")).get("supplementalGroups"):
        message = f"{server} runs as user {server.files.user}, in none of the groups that own the AMD GPUs"
        yield Problem((*server.pod.spec_path, "securityContext"), message)
