"""CUDA_VISIBLE_DEVICES hides GPUs that the server's ranks need.

The device plugin numbers the GPUs of a container from 0. CUDA uses those that the variable lists, up to the
first number that there is not.

Bad:   CUDA_VISIBLE_DEVICES=0 with --tensor-parallel-size=2
Good:  no CUDA_VISIBLE_DEVICES: the limit of nvidia.com/gpu decides

Source: CUDA C++ programming guide, CUDA_VISIBLE_DEVICES; ParallelConfig in vllm/config/parallel.py since 0.11
("World size is larger than the number of available GPUs")
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.model import Problem, Severity
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.ERROR
HELP = "Remove CUDA_VISIBLE_DEVICES; the GPUs of the limit are all that the container sees."


def check_server(server: Server) -> Iterator[Problem]:
    """Yield servers that see fewer GPUs than they start ranks."""
    setting, gpus = server.env.get("CUDA_VISIBLE_DEVICES"), server.gpus
    if (
        setting is None
        or not isinstance(setting.value, str)
        or server.spans_pods
        or server.accelerator != "cuda"
    ):
        return
    if gpus is None or not isinstance(gpus.value, int) or "/mig-" in gpus.shown:
        return
    listed = [number.strip() for number in setting.value.split(",")]
    if not all(number.isdecimal() for number in listed):
        return
    seen = 0
    for number in listed:
        if int(number) >= gpus.value:
            break
        seen += 1
    if server.local_gpus > seen:
        message = (
            f"{setting.shown} leaves {seen} of the {gpus.value} GPUs, "
            f"but {server} starts {server.local_gpus} ranks"
        )
        fails = server.exact and (seen == 0 or server.version >= (0, 11))
        severity = Severity.ERROR if fails else Severity.WARNING
        yield Problem(setting.path, message, severity=severity, related=(server.related_layout("the ranks"),))
