"""The parallel layout of a vLLM server fits the GPUs of its container.

A server starts tensor x pipeline x prefill-context parallel ranks for every data-parallel copy, divided by
--nnodes, and each takes a GPU. With fewer GPUs it stops with "World size is larger than the number of
available GPUs"; more of them are paid for and stay idle.

Bad:   --tensor-parallel-size=4, with limits: {nvidia.com/gpu: "2"}
Good:  --tensor-parallel-size=4, with limits: {nvidia.com/gpu: "4"}

Source: vllm/config/parallel.py, vllm/engine/arg_utils.py
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.model import Problem, Severity
from vllm_kustomize.vllm.server import LAYOUT, Server

SEVERITY = Severity.ERROR
HELP = "Make tensor x pipeline x data parallel size, divided by --nnodes, equal to the GPU limit."


def check_server(server: Server) -> Iterator[Problem]:
    """Yield layouts that need more GPUs than there are, or leave some idle."""
    gpus = server.gpus
    if gpus is None or gpus.value is None or server.unknown(*LAYOUT):
        return
    if "ray" in (server.value("distributed_executor_backend"), server.value("data_parallel_backend")):
        return  # Ray places ranks on other pods' GPUs
    needed = server.local_gpus
    layout = " ".join(server.shown(option) for option in LAYOUT if option in server.options)
    layout = layout or "the default --tensor-parallel-size=1"
    related = (gpus.related("the GPUs are set here"),)
    place = server.place(*LAYOUT)
    has = f"container '{server.container.name}' has {gpus.value} {gpus.shown}"
    if needed.denominator != 1:
        message = f"{layout} does not divide evenly over --nnodes ({server.vllm})"
        yield Problem(place, message, related=related)
    elif needed > gpus.value:
        message = f"{layout} needs {needed} GPUs, but {has} ({server.vllm})"
        yield Problem(place, message, severity=_severity(server), related=related)
    elif needed < gpus.value:
        message = f"{has}, but {layout} uses {needed}: the others stay idle ({server.vllm})"
        yield Problem(place, message, severity=Severity.WARNING, related=related)


def _severity(server: Server) -> Severity:
    """Before 0.11 vLLM took Ray for what the node did not have, which may be there."""
    return Severity.ERROR if server.version >= (0, 11) else Severity.WARNING
