"""NetworkPolicies and Ingresses.

Rules of pkg/apis/networking/validation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vllm_kustomize.apiserver.core.probes import PORT
from vllm_kustomize.apiserver.framework.combinators import Family, Fault, Scope, Struct, always, warning
from vllm_kustomize.apiserver.framework.metadata import object_meta
from vllm_kustomize.apiserver.framework.selectors import SELECTOR
from vllm_kustomize.kubernetes import names
from vllm_kustomize.kubernetes.fields import is_integer, is_set, mapping, number, sequence, text
from vllm_kustomize.wording import quote

api = Family("networking")
API_VERSION = "networking.k8s.io/v1"


def end_port(value: Any, scope: Scope) -> Iterator[Fault]:
    """A range of ports has a numeric start, and ends no earlier."""
    end, start = value.get("endPort"), value.get("port")
    if not is_integer(end):
        return
    if not 1 <= end <= 65535:
        yield Fault(("endPort",), f"is {end}, but a port must be between 1 and 65535")
    if start is None:
        yield Fault(("endPort",), "may only be set beside port")
    elif isinstance(start, str):
        yield Fault(("endPort",), "may not be set beside a port's name")
    elif is_integer(start) and end < start:
        yield Fault(("endPort",), f"is {end}, but must be at least port, {start}")


POLICY_PORT = api.struct({"protocol": api.one_of("TCP", "UDP", "SCTP", empty=True), "port": PORT}, end_port)


def ip_block(value: Any, scope: Scope) -> Iterator[Fault]:
    """A network, less parts of it that are strictly inside."""
    rule = names.strict_cidr if scope.stricter_since((1, 36)) else names.cidr
    given = value.get("cidr") or ""
    if not isinstance(given, str):
        return
    if not given:
        yield Fault(("cidr",), "is required")
    elif message := rule(given):
        yield Fault(("cidr",), message)
    network = names.parse_cidr(given)
    for index, excepted in enumerate(sequence(value, "except")):
        if not isinstance(excepted, (str, type(None))):
            continue
        part = names.parse_cidr(excepted or "")
        if message := rule(excepted or ""):
            yield Fault(("except", index), message)
        if part and network and (part.version != network.version or not _inside(part, network)):
            yield Fault(("except", index), f"{excepted} must be a smaller part of {given}")


def _inside(part: Any, network: Any) -> bool:
    return bool(part.prefixlen > network.prefixlen and part.network_address in network)


def peer(value: Any, scope: Scope) -> Iterator[Fault]:
    """A peer is pods and namespaces, or a network."""
    selectors = [field for field in ("podSelector", "namespaceSelector") if is_set(value, field)]
    block = is_set(value, "ipBlock")
    if not selectors and not block:
        yield Fault((), "needs podSelector, namespaceSelector or ipBlock")
    if block and selectors:
        yield Fault((), f"ipBlock and {selectors[0]} exclude each other")


PEER = api.struct(
    {
        "podSelector": SELECTOR,
        "namespaceSelector": SELECTOR,
        "ipBlock": api.struct({}, ip_block),
    },
    peer,
)
PEERS, PORTS = api.items(PEER), api.items(POLICY_PORT)


def policy_types(value: Any, scope: Scope) -> Iterator[Fault]:
    """A policy is for ingress, egress or both."""
    found = sequence(value, "policyTypes")
    if len(found) > 2:
        yield Fault(("policyTypes",), "may hold at most Ingress and Egress")
        return
    for index, kind in enumerate(found):
        if isinstance(kind, (str, type(None))) and kind not in ("Ingress", "Egress"):
            yield Fault(
                ("policyTypes", index), f"{quote(kind or '')} is not supported; use Ingress or Egress"
            )


NETWORK_POLICY = api.struct(
    {
        "podSelector": SELECTOR,
        "ingress": api.items(api.struct({"from": PEERS, "ports": PORTS})),
        "egress": api.items(api.struct({"to": PEERS, "ports": PORTS})),
    },
    policy_types,
)

_UNCLEAN = ("//", "/./", "/../", "%2f", "%2F")


def hostname(value: str, *, wildcard: bool = True) -> str:
    """A host of a rule: a domain, perhaps with '*.' before it, and no address."""
    if not names.ip(value):
        return "must be a domain, not an IP address"
    if "*" in value and wildcard:
        return names.wildcard_subdomain(value)
    return names.dns_subdomain(value)


def http_path(value: Any, scope: Scope) -> Iterator[Fault]:
    """A path fits its type, and has a backend."""
    kind, path = value.get("pathType"), value.get("path") or ""
    if not isinstance(path, str):
        return
    if kind is None:
        yield Fault(("pathType",), "is required: Exact, Prefix or ImplementationSpecific")
        return
    if kind in ("Exact", "Prefix"):
        if not path.startswith("/"):
            yield Fault(("path",), f"must begin with '/' where pathType is {kind}")
        for unclean in _UNCLEAN:
            if path and unclean in path:
                yield Fault(("path",), f"may not contain '{unclean}'")
        for ending in ("/..", "/."):
            if path.endswith(ending):
                yield Fault(("path",), f"may not end with '{ending}'")
    elif kind == "ImplementationSpecific":
        if path and not path.startswith("/"):
            yield Fault(("path",), "must begin with '/'")
    elif isinstance(kind, str):
        yield Fault(
            ("pathType",), f"{quote(kind)} is not supported; use Exact, Prefix or ImplementationSpecific"
        )
    for fault in backend(mapping(value, "backend"), scope):
        yield fault._replace(path=("backend", *fault.path))


def backend(value: Any, scope: Scope) -> Iterator[Fault]:
    """A backend is a port of a Service, or another object."""
    service, resource = value.get("service"), value.get("resource")
    if service is not None and resource is not None:
        yield Fault((), "service and resource exclude each other")
    elif service is None and resource is None:
        yield Fault((), "needs a service or a resource")
    elif isinstance(resource, dict):
        for field in ("name", "kind"):
            if not resource.get(field):
                yield Fault(("resource", field), "is required")
            elif message := names.path_segment(text(resource, field)):
                yield Fault(("resource", field), message)
        group = resource.get("apiGroup")
        if isinstance(group, str) and (message := names.dns_subdomain(group)):
            yield Fault(("resource", "apiGroup"), message)
    elif isinstance(service, dict):
        yield from _service_backend(service, scope)


def _service_backend(service: Mapping[Any, Any], scope: Scope) -> Iterator[Fault]:
    name = service.get("name") or ""
    rule = names.dns1035_label if scope.stricter_before((1, 36)) else names.dns_label
    if not name:
        yield Fault(("service", "name"), "is required")
    elif isinstance(name, str) and (message := rule(name)):
        yield Fault(("service", "name"), message)
    port = mapping(service, "port")
    port_name, port_number = text(port, "name"), number(port, "number")
    if port_name and port_number:
        yield Fault((), "a port's name and number exclude each other")
    elif not port_name and not port_number:
        yield Fault((), "needs a port's name or number")
    elif port_name:
        if message := names.port_name(port_name):
            yield Fault(("service", "port", "name"), message)
    elif not 1 <= port_number <= 65535:
        yield Fault(
            ("service", "port", "number"), f"is {port_number}, but a port must be between 1 and 65535"
        )


def http(value: Any, scope: Scope) -> Iterator[Fault]:
    """A rule's HTTP part has paths."""
    if not value.get("paths") and isinstance(value.get("paths"), (list, type(None))):
        yield Fault(("paths",), "needs at least one path")


HTTP = api.struct({"paths": api.items(api.struct({}, http_path))}, http)


def tls_hosts(value: Any, scope: Scope) -> Iterator[Fault]:
    """Hosts of a certificate are domains."""
    for index, host in enumerate(sequence(value, "hosts")):
        if isinstance(host, (str, type(None))):
            rule = names.wildcard_subdomain if "*" in (host or "") else names.dns_subdomain
            if message := rule(host or ""):
                yield Fault(("hosts", index), message)


def leads_somewhere(value: Any, scope: Scope) -> Iterator[Fault]:
    """An Ingress has rules or a default backend."""
    default = value.get("defaultBackend")
    if isinstance(default, dict):
        for fault in backend(default, scope):
            yield fault._replace(path=("defaultBackend", *fault.path))
    if default is None and not value.get("rules") and isinstance(value.get("rules"), (list, type(None))):
        yield Fault((), "needs rules or a defaultBackend")


INGRESS = api.struct(
    {
        "ingressClassName": api.text(names.dns_subdomain, empty=True),
        "rules": api.items(api.struct({"host": api.text(hostname), "http": HTTP})),
        "tls": api.items(api.struct({"secretName": api.text(names.dns_subdomain)}, tls_hosts)),
    },
    leads_somewhere,
)


def ingress_class(value: Any, scope: Scope) -> Iterator[Fault]:
    """The class is named once: in the old annotation or in the field."""
    at = ("metadata", "annotations", "kubernetes.io/ingress.class")
    annotations = mapping(mapping(value, "metadata"), "annotations")
    if "kubernetes.io/ingress.class" not in annotations:
        return
    named = mapping(value, "spec").get("ingressClassName")
    if named is not None and named != annotations["kubernetes.io/ingress.class"]:
        message = f"must be the same as spec.ingressClassName, {quote(named)}"
        yield Fault(at[1:], message, at=at)
    elif named is None:
        yield warning(at, "is deprecated; use spec.ingressClassName")


KINDS: Mapping[str, Struct] = {
    "NetworkPolicy": api.struct({"metadata": always(object_meta()), "spec": always(NETWORK_POLICY)}),
    "Ingress": api.struct({"metadata": always(object_meta()), "spec": always(INGRESS)}, ingress_class),
}
