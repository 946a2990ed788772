"""The environment of a container, as the kubelet puts it together."""

from __future__ import annotations

from collections.abc import Mapping

from e2e.kubelet.expansion import expand
from e2e.kubelet.objects import SERVICE_IP, Identity, NotPlayed, NotStarted, Objects
from vllm_kustomize.kubernetes.fields import mapping
from vllm_kustomize.model import Manifest

SOURCES = {"secretKeyRef": "Secret", "configMapKeyRef": "ConfigMap"}
SOURCES_OF_ALL_KEYS = {"secretRef": "Secret", "configMapRef": "ConfigMap"}


def environment(
    container: Manifest, objects: Objects, identity: Identity, links: Mapping[str, str]
) -> dict[str, str]:
    """Every variable that the manifest sets: service links, then `envFrom`, then `env` in order.

    A value may refer to what stands before it. Raises `NotStarted` for a required key that is missing, as
    the kubelet does with CreateContainerConfigError.
    """
    variables = dict(links)
    for source in container.get("envFrom") or ():
        for key, kind in SOURCES_OF_ALL_KEYS.items():
            if key in source:
                data = _data(source[key], kind, objects)
                prefix = source.get("prefix") or ""
                variables.update({prefix + name: value.decode() for name, value in data.items()})
    for entry in container.get("env") or ():
        value = _value(entry, variables, objects, identity)
        if value is not None:
            variables[entry["name"]] = value
    return variables


def service_links(objects: Objects, namespace: str) -> dict[str, str]:
    """The variables that `enableServiceLinks` adds for each Service of the pod's namespace.

    The names are those of pkg/kubelet/envvars/envvars.go in Kubernetes.
    """
    links = {}
    for service in objects.of_kind("Service"):
        metadata, spec = mapping(service.get("metadata")), mapping(service.get("spec"))
        ports = spec.get("ports") or []
        if (
            (metadata.get("namespace") or "default") != namespace
            or spec.get("clusterIP") == "None"
            or not ports
        ):
            continue
        name = metadata["name"].upper().replace("-", "_")
        first = ports[0]
        links[f"{name}_SERVICE_HOST"] = SERVICE_IP
        links[f"{name}_SERVICE_PORT"] = str(first["port"])
        links[f"{name}_PORT"] = f"{first.get('protocol', 'TCP').lower()}://{SERVICE_IP}:{first['port']}"
        for port in ports:
            protocol = port.get("protocol", "TCP")
            if port.get("name"):
                links[f"{name}_SERVICE_PORT_{port['name'].upper().replace('-', '_')}"] = str(port["port"])
            prefix = f"{name}_PORT_{port['port']}_{protocol}"
            links[prefix] = f"{protocol.lower()}://{SERVICE_IP}:{port['port']}"
            links[f"{prefix}_PROTO"] = protocol.lower()
            links[f"{prefix}_PORT"] = str(port["port"])
            links[f"{prefix}_ADDR"] = SERVICE_IP
    return links


def _value(entry: Manifest, before: Mapping[str, str], objects: Objects, identity: Identity) -> str | None:
    source = entry.get("valueFrom")
    if not source:
        return expand(str(entry.get("value") or ""), before)
    if "fieldRef" in source:
        return identity.field(source["fieldRef"]["fieldPath"])
    for key, kind in SOURCES.items():
        if key in source:
            reference = source[key]
            value = _data(reference, kind, objects).get(reference["key"])
            if value is None and not reference.get("optional"):
                raise NotStarted(
                    f"CreateContainerConfigError: couldn't find key {reference['key']} "
                    f"in {kind} {identity.namespace}/{reference['name']}"
                )
            return None if value is None else value.decode()
    raise NotPlayed(f"env {entry['name']} from {', '.join(source)}")


def _data(reference: Manifest, kind: str, objects: Objects) -> Mapping[str, bytes]:
    data = objects.data(kind, reference["name"])
    if data is None and not reference.get("optional"):
        raise NotStarted(f'CreateContainerConfigError: {kind.lower()} "{reference["name"]}" not found')
    return data or {}
