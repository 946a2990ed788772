"""A server has fewer CPUs than one for each rank and two more.

The API server, the engine core and each GPU's worker are processes that poll: with fewer CPUs than 2 + GPUs
they wait for each other, and the GPUs for them. vLLM means physical cores: twice as many CPUs where each is
a hyperthread.

Bad:   limits: {cpu: "2", nvidia.com/gpu: "4"}
Good:  limits: {cpu: "6", nvidia.com/gpu: "4"}

Source: docs/configuration/optimization.md of vLLM, "at least 2 + N processes"
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes import quantity
from vllm_kustomize.kubernetes.fields import get
from vllm_kustomize.model import Problem, Severity
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.WARNING
HELP = "Raise the CPU limit to 2 + the number of GPUs, or leave it out and request as much."


def check_server(server: Server) -> Iterator[Problem]:
    """Yield servers whose CPU limit is below vLLM's advice."""
    path = (*server.container.path, "resources", "limits", "cpu")
    written = get(server.resource.manifest, path)
    cpus = None if written is None else quantity.of(written)
    gpus = server.gpus
    if cpus is None or gpus is None or not isinstance(gpus.value, int) or gpus.value < 1:
        return
    if cpus < 2 + gpus.value:
        message = (
            f"{server} has a limit of {written} CPU for {2 + gpus.value} processes that poll: "
            "the API server, the engine core and a worker for each GPU"
        )
        yield Problem(path, message)
