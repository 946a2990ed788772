"""A server is scaled to zero by its own metrics, and nothing wakes it again.

With no replica there is nobody to count the requests that should start one: `vllm:num_requests_waiting` has
no value, and KEDA takes that for no load. KEDA's own minimum is zero where none is given.

Bad:   minReplicaCount: 0, with a query of vllm:num_requests_waiting alone
Good:  minReplicaCount: 1, or a query of what stands before the server, such as llm-d's endpoint picker

Source: https://keda.sh/docs/latest/reference/scaledobject-spec/
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import get, items, mapping, text
from vllm_kustomize.model import Manifest, Problem, Severity
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.WARNING
HELP = "Set minReplicaCount to 1, or add a trigger that counts requests before the server."


def check_server(server: Server) -> Iterator[Problem]:
    """Yield ScaledObjects that let the last replica go and look at nothing but what it counted."""
    for scaler in server.autoscalers:
        spec = mapping(scaler.manifest, "spec")
        least = spec.get("idleReplicaCount", spec.get("minReplicaCount", 0))
        triggers = [trigger for _, trigger in items(get(scaler.manifest, ("spec", "triggers")), ())]
        if scaler.kind != "ScaledObject" or least != 0 or not triggers:
            continue
        if all(_is_its_own(trigger) for trigger in triggers):
            key = next((key for key in ("idleReplicaCount", "minReplicaCount") if key in spec), "triggers")
            message = f"{server} goes down to no replica, and its triggers are metrics that it alone has"
            yield Problem(("spec", key), message, resource=scaler)


def _is_its_own(trigger: Manifest) -> bool:
    return trigger.get("type") == "prometheus" and "vllm:" in text(trigger, "metadata", "query")
