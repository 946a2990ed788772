"""The startup probe leaves time to download and load a model of this size.

At 100 MB/s a 70-billion-parameter model takes 24 minutes to arrive. What the startup probe does not wait for
is killed in the middle of the download and begins again.

Bad:   meta-llama/Llama-3.3-70B-Instruct, with periodSeconds: 10 and failureThreshold: 60
Good:  meta-llama/Llama-3.3-70B-Instruct, with periodSeconds: 10 and failureThreshold: 360
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.model import Problem, Severity
from vllm_kustomize.vllm.server import Server
from vllm_kustomize.vllm.sizing.memory import weight_bytes
from vllm_kustomize.vllm.startup import MINIMUM, startup_budget

SEVERITY = Severity.WARNING
HELP = "Raise failureThreshold of the startup probe, or bring the weights in an init container or image."

_BYTES_A_SECOND = 100_000_000
_SECONDS_TO_LOAD = 300
"""Engine start, compilation and warm-up; a 7B model took 153 s on an H200, with its weights on disk."""


def check_server(server: Server) -> Iterator[Problem]:
    """Yield startup budgets below the time that a known model takes to arrive and start."""
    budget = startup_budget(server.container)
    if budget is None or budget < MINIMUM or server.architecture is None or not server.downloads:
        return
    size = weight_bytes(server.architecture)
    needed = _SECONDS_TO_LOAD + size // _BYTES_A_SECOND
    if budget < needed:
        yield Problem(
            (*server.container.path, "startupProbe", "failureThreshold"),
            f"{server} has {budget} s to start, but {server.model} has {size / 1e9:.0f} GB of weights: at "
            f"100 MB/s allow {needed} s",
            related=(server.related_model("the model is set here"),),
        )
