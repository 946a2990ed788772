"""A probe or a port of the container names another port than the server listens on.

vLLM listens on --port, 8000 by default; a declared containerPort does not change it. A probe of another port
is refused for ever, and a Service that targets a named port sends its requests nowhere. A port that nobody
asks for harms no one, and may mislead whoever reads it.

Bad:   --port=8080, with ports: [{name: http, containerPort: 8000}]
Good:  --port=8080, with ports: [{name: http, containerPort: 8080}]

Source: FrontendArgs in vllm/entrypoints/common/cli_args.py
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import get, items, text
from vllm_kustomize.kubernetes.pods import Container
from vllm_kustomize.kubernetes.selection import selected
from vllm_kustomize.model import FieldPath, Problem, Related, Severity
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.ERROR
HELP = "Make --port, containerPort and the probe's port the same; probes may use the port's name."


def check_server(server: Server) -> Iterator[Problem]:
    """Yield probes of another port, and ports of which none is the server's."""
    if (
        server.headless
        or server.unknown("port")
        or "uds" in server.options
        or server.switched_on("grpc")
        or server.switched_on("data_parallel_multi_port_external_lb")
    ):
        return
    related = tuple(
        Related(setting.path, "the port is set here") for setting in [server.options.get("port")] if setting
    )
    listens = f"{server} listens on {server.port} ({server.shown('port')}, {server.vllm})"
    ports = list(items(server.container.spec.get("ports"), (*server.container.path, "ports")))
    if server.port not in _numbers(server.container):
        asked = {str(port) for _, port in _probed_ports(server)} | _targets(server)
        for path, port in ports:
            name, number = text(port.get("name")), port.get("containerPort")
            used = bool({name, str(number)} & asked)
            if isinstance(number, int) and (
                used or name.startswith("http") or (not name and len(ports) == 1)
            ):
                message = f"containerPort {number}, but {listens}"
                severity = None if used else Severity.WARNING
                yield Problem((*path, "containerPort"), message, severity=severity, related=related)
    for path, probed in _probed_ports(server):
        # A name leads to a containerPort, which is checked above.
        if isinstance(probed, int) and probed not in (server.port, *_ports_of_others(server)):
            message = f"the probe asks port {probed}, but {listens}"
            severity = Severity.WARNING if _has_others_without_ports(server) else None
            yield Problem(path, message, severity=severity, related=related)


def _targets(server: Server) -> set[str]:
    """The ports, by name or number, that Services of the build send to the server's pod."""
    return {
        str(port.get("targetPort", port.get("port")))
        for service in server.build.resources
        if service.kind == "Service" and service.api_version == "v1"
        if any(pod.resource is server.resource for pod in selected(server.build, service))
        for _, port in items(get(service.manifest, ("spec", "ports")), ())
    }


def _has_others_without_ports(server: Server) -> bool:
    """Whether a container beside the server may listen on any port: it declares none."""
    others = (each for each in server.pod.all_containers if each.path != server.container.path)
    return any(not each.spec.get("ports") for each in others)


def _probed_ports(server: Server) -> Iterator[tuple[FieldPath, object]]:
    for path, probe in server.probes:
        for kind in ("httpGet", "tcpSocket", "grpc"):
            action = probe.get(kind)
            if isinstance(action, dict) and not action.get("host"):
                yield (*path, kind, "port"), action.get("port")


def _ports_of_others(server: Server) -> Iterator[int]:
    for container in server.pod.all_containers:
        if container.path != server.container.path:
            yield from _numbers(container)


def _numbers(container: Container) -> list[int]:
    ports = (port.get("containerPort") for _, port in items(container.spec.get("ports"), ()))
    return [port for port in ports if isinstance(port, int)]
