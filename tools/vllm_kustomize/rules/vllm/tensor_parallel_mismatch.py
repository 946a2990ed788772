"""The parallel layout of a vLLM server does not fit its GPUs.

A server starts tensor x pipeline x prefill-context parallel ranks for every data-parallel copy, divided by
--nnodes, and each takes a GPU. With fewer GPUs it stops with "World size is larger than the number of
available GPUs"; more of them are paid for and stay idle. Under Ray the ranks are spread over other pods:
there the GPUs of the whole LeaderWorkerSet count, and elsewhere none are known. A process sees one MIG
slice, however many the container has.

Bad:   --tensor-parallel-size=4, with limits: {nvidia.com/gpu: "2"}
Good:  --tensor-parallel-size=4, with limits: {nvidia.com/gpu: "4"}

Source: vllm/config/parallel.py, vllm/engine/arg_utils.py; NVIDIA MIG User Guide, "CUDA Device Enumeration";
Cloud TPU documentation, "TPU7x" (two chiplets a chip, each a device)
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes import quantity
from vllm_kustomize.kubernetes.fields import get, items
from vllm_kustomize.model import Outcome, Problem, Severity, Undecided
from vllm_kustomize.vllm import missing
from vllm_kustomize.vllm.server import LAYOUT, Server
from vllm_kustomize.vllm.setting import Setting

SEVERITY = Severity.ERROR
HELP = "Make tensor x pipeline x data parallel size, divided by --nnodes, equal to the GPU limit."


def check_server(server: Server) -> Iterator[Outcome]:
    """Yield layouts that need more GPUs than there are, or leave some idle."""
    gpus = server.gpus
    if gpus is None or not gpus.value or not server.parsed.accepted:
        return
    if server.unknown(*LAYOUT):
        yield missing.value(server, *LAYOUT)
        return
    layout = " ".join(server.shown(option) for option in LAYOUT if option in server.options)
    layout = layout or "the default --tensor-parallel-size=1"
    if server.spans_pods:
        yield from _check_group(server, gpus, layout)
        return
    needed = server.local_gpus
    related = (gpus.related("the GPUs are set here"),)
    place = server.place(*LAYOUT)
    has = f"container '{server.container.name}' has {gpus.value} {gpus.shown}"
    if needed.denominator != 1:
        message = f"{layout} does not divide evenly over --nnodes ({server.vllm})"
        yield Problem(place, message, related=related)
    elif "/mig-" in gpus.shown and needed > 1:
        message = f"{layout} needs {needed} GPUs, but a process sees one MIG slice: {has} ({server.vllm})"
        yield Problem(place, message, related=related)
    elif gpus.shown == "google.com/tpu" and needed <= 2 * gpus.value:
        return  # some chips are two devices, others are one, and the manifest does not say which these are
    elif needed > gpus.value:
        message = f"{layout} needs {needed} GPUs, but {has} ({server.vllm})"
        yield Problem(place, message, severity=_severity(server), related=related)
    elif needed < gpus.value:
        message = f"{has}, but {layout} uses {needed}: the others stay idle ({server.vllm})"
        yield Problem(place, message, severity=Severity.WARNING, related=related)


def _check_group(server: Server, gpus: Setting, layout: str) -> Iterator[Outcome]:
    """Compare a layout under Ray with the GPUs of all pods of a LeaderWorkerSet's group."""
    available = _gpus_of_group(server, gpus.shown)
    if available is None:
        yield Undecided("Ray places its ranks in pods that the manifests do not name")
    needed = server.world_size * server.count("data_parallel_size")
    if available is not None and needed > available:
        size = get(server.resource.manifest, ("spec", "leaderWorkerTemplate", "size"))
        message = f"{layout} needs {needed} GPUs, but a group of {size} pods has {available} {gpus.shown}"
        related = (gpus.related("the GPUs of a pod are set here"),)
        yield Problem(server.place(*LAYOUT), f"{message} ({server.vllm})", related=related)


def _gpus_of_group(server: Server, name: str) -> int | None:
    """GPUs of a leader and its workers; None where the object is not a LeaderWorkerSet, or does not say."""
    template = get(server.resource.manifest, ("spec", "leaderWorkerTemplate"))
    size = get(template, ("size",))
    if not isinstance(size, int) or size < 1:
        return None
    worker = _gpus_of(get(template, ("workerTemplate",)), name)
    leader_template = get(template, ("leaderTemplate",))
    leader = worker if leader_template is None else _gpus_of(leader_template, name)
    return leader + (size - 1) * worker


def _gpus_of(template: object, name: str) -> int:
    amounts = (
        quantity.of(get(container, ("resources", "limits", name)))
        for _, container in items(get(template, ("spec", "containers")), ())
    )
    return sum(int(amount) for amount in amounts if amount)


def _severity(server: Server) -> Severity:
    """Before 0.11, which an unknown release may be, vLLM took Ray for what the node did not have."""
    return Severity.ERROR if server.version >= (0, 11) and not server.assumed else Severity.WARNING
