"""A port is called by a name that does not exist.

The API server accepts a probe or a Service whose port name no container has. The probe then fails for
ever and the Service has no endpoints.

Bad:   targetPort: web, with ports: [{name: http, containerPort: 8000}]
Good:  targetPort: http
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import get, items, mapping, text
from vllm_kustomize.kubernetes.pods import PROBES, Container, Pod, pods
from vllm_kustomize.model import Build, FieldPath, Problem, Resource, Severity

SEVERITY = Severity.ERROR
HELP = "Use one of the container's port names, or the number."


def check_build(build: Build) -> Iterator[Problem]:
    """Yield port names in probes, hooks and Services that no container has."""
    pods_in: dict[str, list[Pod]] = {}
    for resource in build.resources:
        pods_in.setdefault(resource.namespace, []).extend(pods(resource))
    for resource in build.resources:
        yield from _check_containers(resource)
        if resource.kind == "Service" and resource.api_version == "v1":
            yield from _check_service(resource, pods_in[resource.namespace])


def _check_containers(resource: Resource) -> Iterator[Problem]:
    for pod in pods(resource):
        for container in pod.all_containers:
            names = _port_names(container)
            for path, port in _handler_ports(container):
                if isinstance(port, str) and not port.isdigit() and port not in names:
                    message = f"{container} has no port called '{port}'{_known(names)}"
                    yield Problem(path, message, resource=resource)


def _handler_ports(container: Container) -> Iterator[tuple[FieldPath, object]]:
    handlers: list[FieldPath] = [(probe,) for probe in PROBES]
    handlers += [("lifecycle", "preStop"), ("lifecycle", "postStart")]
    for handler in handlers:
        for action in ("httpGet", "tcpSocket"):
            path: FieldPath = (*handler, action, "port")
            yield (*container.path, *path), get(container.spec, path)


def _check_service(service: Resource, neighbours: list[Pod]) -> Iterator[Problem]:
    spec = mapping(service.manifest.get("spec"))
    named = [
        (path, target)
        for path, port in items(spec.get("ports"), ("spec", "ports"))
        if (target := text(port.get("targetPort"))) and not target.isdigit()
    ]
    selector = mapping(spec.get("selector"))
    if not named or not selector:
        return
    selected = [
        pod for pod in neighbours if all(pod.labels.get(key) == value for key, value in selector.items())
    ]
    names = {name for pod in selected for container in pod.all_containers for name in _port_names(container)}
    for path, target in named if selected else ():
        if target not in names:
            message = f"no container behind this Service has a port called '{target}'{_known(names)}"
            yield Problem((*path, "targetPort"), message, resource=service)


def _port_names(container: Container) -> set[str]:
    return {name for _, port in items(container.spec.get("ports"), ()) if (name := text(port.get("name")))}


def _known(names: set[str]) -> str:
    return f", only {', '.join(sorted(names))}" if names else ""
