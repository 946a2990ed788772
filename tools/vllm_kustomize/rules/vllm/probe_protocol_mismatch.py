"""A probe speaks another protocol than the server.

With --ssl-certfile vLLM answers HTTPS only, without it HTTP only; with --grpc it serves gRPC and no HTTP. A
probe in the other protocol never succeeds.

Bad:   --ssl-certfile=/tls/tls.crt, with httpGet: {path: /health, port: http}
Good:  --ssl-certfile=/tls/tls.crt, with httpGet: {path: /health, port: http, scheme: HTTPS}

Source: vllm/entrypoints/launchers, docs/deployment/k8s.md of vLLM
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import mapping, text
from vllm_kustomize.model import Manifest, Problem, Related, Severity
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.ERROR
HELP = "Set scheme: HTTPS on the probe where the server has a certificate, and use grpc: with --grpc."


def check_server(server: Server) -> Iterator[Problem]:
    """Yield probes in a protocol that the server does not speak."""
    grpc = server.switched_on("grpc")
    for path, probe in server.probes:
        if "grpc" in probe and not grpc and mapping(probe, "grpc").get("port") == server.port:
            message = f"the probe speaks gRPC, but {server} serves HTTP: it has no --grpc ({server.vllm})"
            yield Problem((*path, "grpc"), message)
        if "httpGet" in probe and grpc and _is_asked(server, mapping(probe, "httpGet")):
            message = f"the probe speaks HTTP, but {server} serves gRPC with --grpc ({server.vllm})"
            yield Problem((*path, "httpGet"), message)
    if grpc:
        return
    related = tuple(
        Related(server.options[option].path, "TLS is set up here")
        for option in ("ssl_certfile", "ssl_keyfile")
        if option in server.options
    )
    right = "HTTPS" if server.tls else "HTTP"
    for path, action in server.http_probes:
        scheme = text(action.get("scheme")) or "HTTP"
        if scheme.upper() != right and not action.get("host"):
            why = "has --ssl-certfile" if server.tls else "has no --ssl-certfile"
            yield Problem(
                (*path, "scheme"),
                f"the probe speaks {scheme}, but {server} speaks {right}: it {why} ({server.vllm})",
                related=related,
            )


def _is_asked(server: Server, action: Manifest) -> bool:
    """Whether a probe's action asks this server, not another container or host."""
    return not action.get("host") and action.get("port") in (*server.port_names, server.port)
