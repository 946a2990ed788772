"""The startup probe leaves no time to download and load a model of this size.

Even at 10 Gbit/s, faster than the Hub usually answers, a 70-billion-parameter model takes two minutes to
arrive, and then has to be loaded. What the startup probe does not wait for is killed in the middle of the
download.

Bad:   meta-llama/Llama-3.3-70B-Instruct, with periodSeconds: 10 and failureThreshold: 15
Good:  meta-llama/Llama-3.3-70B-Instruct, with periodSeconds: 10 and failureThreshold: 360
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.model import Outcome, Problem, Severity
from vllm_kustomize.vllm import missing
from vllm_kustomize.vllm.server import Server
from vllm_kustomize.vllm.sizing.memory import weight_bytes
from vllm_kustomize.vllm.startup import WARM, startup_budget

SEVERITY = Severity.WARNING
HELP = (
    "Raise failureThreshold of the startup probe, and progressDeadlineSeconds above it (with several API "
    "servers VLLM_ENGINE_READY_TIMEOUT_S too), or bring the weights in an init container or image."
)

_BYTES_A_SECOND = 1_250_000_000


def check_server(server: Server) -> Iterator[Outcome]:
    """Yield startup budgets below the time that a known model takes to arrive and start."""
    budget = startup_budget(server.container)
    if budget is None or budget < WARM or not server.downloads:
        return
    if server.architecture is None:
        yield missing.model(server)
        return
    size = weight_bytes(server.architecture)
    needed = WARM + size // _BYTES_A_SECOND
    if budget < needed:
        yield Problem(
            (*server.container.path, "startupProbe", "failureThreshold"),
            f"{server} has {budget} s to start, but {server.model} has {size / 1e9:.0f} GB of weights: even "
            f"at 10 Gbit/s allow {needed} s",
            related=(server.related_model("the model is set here"),),
        )
