"""A server that spans nodes does not say where they meet, or which it is.

With --nnodes above 1 the ranks meet at --master-addr, which is 127.0.0.1 by default: each node would wait
for the others at itself. Every node but the first runs with --headless; a second API server on one of them
would never become ready.

Bad:   --nnodes=2 --node-rank=1
Good:  --nnodes=2 --node-rank=$(LWS_WORKER_INDEX) --master-addr=$(LWS_LEADER_ADDRESS) --headless

Source: vllm/config/parallel.py, docs/deployment/frameworks/lws.md of vLLM
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import get
from vllm_kustomize.model import Problem, Severity
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.ERROR
HELP = "Give --master-addr and --node-rank on every node, and --headless on all but the first."

_LOAD_BALANCING = ("data_parallel_external_lb", "data_parallel_hybrid_lb", "data_parallel_rank")


def check_server(server: Server) -> Iterator[Problem]:
    """Yield multi-node servers that cannot find each other."""
    nodes = server.value("nnodes")
    if not isinstance(nodes, int):
        nodes = 2 if "nnodes" in server.options else 1
    if nodes < 2:
        return
    place, shown = server.place("nnodes"), server.shown("nnodes")
    if "master_addr" not in server.options:
        message = f"{shown} without --master-addr: every node waits for the others at 127.0.0.1"
        yield Problem(place, f"{message} ({server.vllm})")
    rank = server.value("node_rank")
    if isinstance(rank, int) and not 0 <= rank < nodes and "nnodes" in server.options:
        message = (
            f"{server.shown('node_rank')} is not below {shown}; the first node has rank 0 ({server.vllm})"
        )
        yield Problem(server.place("node_rank"), message)
    balanced = any(server.value(option) for option in _LOAD_BALANCING)
    worker = (isinstance(rank, int) and rank > 0) or _is_worker_template(server)
    if worker and not server.headless and not balanced:
        message = f"{server} is a worker of {shown} but starts an API server: it has no --headless"
        yield Problem(server.place("node_rank", "nnodes"), f"{message} ({server.vllm})")
    size = get(server.resource.manifest, ("spec", "leaderWorkerTemplate", "size"))
    if isinstance(size, int) and isinstance(server.value("nnodes"), int) and size != nodes:
        message = f"{shown}, but the LeaderWorkerSet has groups of {size} pods ({server.vllm})"
        # more pods than one engine's nodes may be data-parallel copies of it
        yield Problem(place, message, severity=None if size < nodes else Severity.WARNING)


def _is_worker_template(server: Server) -> bool:
    """Whether the pod is a LeaderWorkerSet's worker beside a leader with a template of its own."""
    return server.pod.path[-1:] == ("workerTemplate",) and bool(
        get(server.resource.manifest, ("spec", "leaderWorkerTemplate", "leaderTemplate"))
    )
