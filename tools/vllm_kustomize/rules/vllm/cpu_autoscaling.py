"""A GPU server is scaled by its CPU or memory.

While a GPU computes, vLLM's processes spin on one core or wait; neither CPU nor memory follow the load, and a
replica more costs a GPU and minutes of loading. Waiting requests and the fill of the KV cache do follow it.

Bad:   metrics: [{type: Resource, resource: {name: cpu, ...}}]
Good:  a metric vllm:num_requests_waiting, by Prometheus adapter or KEDA
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import get, items, mapping
from vllm_kustomize.model import Problem, Severity
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.WARNING
HELP = "Scale on vllm:num_requests_waiting."


def check_server(server: Server) -> Iterator[Problem]:
    """Yield autoscalers of GPU servers that look at CPU or memory."""
    if server.gpus is None:
        return
    for scaler in server.autoscalers:
        if scaler.kind == "ScaledObject":
            for path, trigger in items(get(scaler.manifest, ("spec", "triggers")), ("spec", "triggers")):
                if trigger.get("type") in ("cpu", "memory"):
                    message = f"{server} runs on GPUs, but is scaled by {trigger['type']}"
                    yield Problem((*path, "type"), message, resource=scaler)
        for path, metric in items(get(scaler.manifest, ("spec", "metrics")), ("spec", "metrics")):
            for key in ("resource", "containerResource"):
                name = mapping(metric.get(key)).get("name")
                if name in ("cpu", "memory"):
                    message = f"{server} runs on GPUs, but is scaled by {name}"
                    yield Problem((*path, key, "name"), message, resource=scaler)
        if "targetCPUUtilizationPercentage" in mapping(scaler.manifest.get("spec")):
            path = ("spec", "targetCPUUtilizationPercentage")
            yield Problem(path, f"{server} runs on GPUs, but is scaled by cpu", resource=scaler)
