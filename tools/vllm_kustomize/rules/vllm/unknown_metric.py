"""Autoscaling asks for metrics that the server's release does not have.

vLLM renames metrics between releases (vllm:gpu_cache_usage_perc became vllm:kv_cache_usage_perc). A query
for one that is gone returns nothing, and the autoscaler stays where it is.

Bad:   query: sum(vllm:gpu_cache_usage_perc), with vllm/vllm-openai:v0.33.0
Good:  query: sum(vllm:num_requests_waiting)

Source: the metrics in the Python sources of each release (vllm/v1/metrics)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import texts
from vllm_kustomize.model import Outcome, Problem, Severity
from vllm_kustomize.vllm import missing
from vllm_kustomize.vllm.names import metrics
from vllm_kustomize.vllm.server import Server
from vllm_kustomize.wording import did_you_mean

SEVERITY = Severity.ERROR
HELP = "Scale on vllm:num_requests_waiting or vllm:kv_cache_usage_perc."


def check_server(server: Server) -> Iterator[Outcome]:
    """Yield metrics in the server's autoscalers that its release does not have."""
    if server.assumed and any(True for _ in server.autoscalers):
        yield missing.release(server)
    known = metrics(server.known_release)
    if not known:
        return
    for scaler in server.autoscalers:
        for path, text in texts(scaler.manifest.get("spec"), ("spec",)):
            for metric in re.findall(r"\bvllm:[a-z0-9_]+", text):
                base = re.sub(r"(?:_total)?(?:_(?:sum|count|bucket|created))?\Z", "", metric)
                if not {metric, base} & known:
                    message = f"{server.vllm} has no metric {metric}{did_you_mean(base, known)}"
                    severity = None if server.exact else Severity.WARNING
                    yield Problem(path, message, severity=severity, resource=scaler)
