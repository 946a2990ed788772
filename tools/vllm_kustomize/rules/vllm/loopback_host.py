"""The server listens where the pod's traffic does not arrive.

With --host=127.0.0.1 or localhost the server answers processes in its own pod only: probes and Services
connect to the pod's address and are refused for ever. Where neither is there it may be meant so.

Bad:   --host=127.0.0.1
Good:  no --host, or --host=0.0.0.0

Source: vllm/entrypoints/common/cli_args.py, https://kubernetes.io/docs/concepts/cluster-administration/networking/
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.selection import selected
from vllm_kustomize.model import Problem, Severity
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.ERROR
HELP = "Remove --host; keep it only where a proxy in the same pod is the one who calls."


def check_server(server: Server) -> Iterator[Problem]:
    """Yield servers that listen on the loopback device, unless another container may be in front of them."""
    host = server.value("host")
    loopback = isinstance(host, str) and (host in ("localhost", "::1") or host.startswith("127."))
    if loopback and not server.headless and len(list(server.pod.containers)) == 1:
        message = f"{server.shown('host')} is out of reach for probes and Services; right is 0.0.0.0"
        asked = any(True for _ in server.http_probes) or any(
            pod.path == server.pod.path and pod.resource is server.resource
            for service in server.build.resources
            if service.kind == "Service"
            for pod in selected(server.build, service)
        )
        severity = None if asked else Severity.WARNING
        yield Problem(server.place("host"), f"{message} ({server.vllm})", severity=severity)
