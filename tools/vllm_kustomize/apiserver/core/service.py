"""Services.

Rules of pkg/apis/core/validation (ValidateService, ValidateServiceClusterIPsRelatedFields), after the
defaults of pkg/apis/core/v1/defaults.go.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from vllm_kustomize.apiserver.core.probes import port
from vllm_kustomize.apiserver.framework.combinators import (
    Family,
    Fault,
    Scope,
    Struct,
    always,
    duplicates,
    structs,
    warning,
)
from vllm_kustomize.apiserver.framework.metadata import LABELS, as_prefix, object_meta
from vllm_kustomize.kubernetes import names
from vllm_kustomize.kubernetes.fields import is_integer, is_set, mapping, number, sequence, text
from vllm_kustomize.wording import quote

api = Family("service")
API_VERSION = "v1"
TYPES = ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName")
PORT_NUMBER = api.number(1, 65535)
NODE_PORTS = range(30000, 32768)
LAST_PORT = 65535
SOURCE_RANGES_ANNOTATION = "service.beta.kubernetes.io/load-balancer-source-ranges"


def kind_of(value: Any) -> str:
    """A Service's type, ClusterIP where none is set."""
    return text(value, "type", default="ClusterIP")


def is_headless(value: Any) -> bool:
    """Whether the Service has no address of its own."""
    return text(value, "clusterIP") == "None" or list(sequence(value, "clusterIPs")[:1]) == ["None"]


def target_port(value: Any, scope: Scope) -> Iterator[Fault]:
    """A target port is a number or a name; without one, it is the port."""
    target = value.get("targetPort")
    if target in (None, "", 0) and not isinstance(target, bool):
        target = number(value, "port")
    if isinstance(target, (int, float, str)) and not isinstance(target, bool):
        for fault in port(target, scope):
            yield fault._replace(path=("targetPort",))


PORT = api.struct(
    {
        "port": always(PORT_NUMBER),
        "protocol": api.one_of("TCP", "UDP", "SCTP"),
        "appProtocol": api.text(names.qualified_name, empty=True),
        "name": api.text(names.dns_label),
    },
    target_port,
)


def ports(value: Any, scope: Scope) -> Iterator[Fault]:
    """Ports are there, named where there are several, and distinct."""
    found = list(structs(value, "ports"))
    kind = kind_of(value)
    if not sequence(value, "ports"):
        if (
            not is_headless(value)
            and kind != "ExternalName"
            and isinstance(value.get("ports"), (list, type(None)))
        ):
            yield Fault(("ports",), "needs at least one port")
        return
    names_seen: set[str] = set()
    pairs: set[tuple[str, int]] = set()
    node_ports: set[tuple[str, int]] = set()
    for index, entry in found:
        name, protocol, node_port = (
            text(entry, "name"),
            text(entry, "protocol", default="TCP"),
            number(entry, "nodePort"),
        )
        if not name and len(sequence(value, "ports")) > 1:
            yield Fault(("ports", index, "name"), "is required where there are several ports")
        if name in names_seen:
            yield Fault(("ports", index, "name"), f"{quote(name)} is there twice")
        names_seen.add(name or "\0")
        pair = (protocol, number(entry, "port"))
        if pair in pairs:
            yield Fault(("ports", index), f"port {pair[1]}/{protocol} is there twice")
        pairs.add(pair)
        if node_port:
            if kind == "ClusterIP":
                yield Fault(("ports", index, "nodePort"), "may not be set where type is ClusterIP")
            elif (protocol, node_port) in node_ports:
                yield Fault(("ports", index, "nodePort"), f"{node_port}/{protocol} is there twice")
            elif node_port > LAST_PORT:
                message = f"is {node_port}, but must be between 1 and {LAST_PORT}"
                yield Fault(("ports", index, "nodePort"), message)
            elif node_port not in NODE_PORTS:
                message = (
                    f"is {node_port}, outside of 30000 to 32767, which a server allots unless told otherwise"
                )
                yield warning(("ports", index, "nodePort"), message)
            node_ports.add((protocol, node_port))


def cluster_ips(value: Any, scope: Scope) -> Iterator[Fault]:
    """Which types can have which addresses."""
    kind, single, several = kind_of(value), text(value, "clusterIP"), sequence(value, "clusterIPs")
    if kind == "ExternalName":
        for field in ("clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            if value.get(field) or (field == "clusterIPs" and single):
                yield Fault((field,), "may not be set where type is ExternalName")
        return
    if kind in ("NodePort", "LoadBalancer") and is_headless(value):
        message = f"may not be None where type is {kind}"
        yield Fault(("clusterIPs", 0), message, at=("clusterIP",) if single else ("clusterIPs", 0))
    if several and single != several[0]:
        yield Fault(("clusterIPs",), "must begin with clusterIP")
    addresses = list(several) or ([single] if single else [])
    if len(addresses) > 2:
        yield Fault(("clusterIPs",), "may hold at most two addresses")
    for index, address in enumerate(addresses):
        if address == "None":
            if len(addresses) > 1:
                yield Fault(("clusterIPs",), "None must stand alone")
        elif isinstance(address, str) and (message := _ip(address, scope)):
            at = ("clusterIPs", index) if several else ("clusterIP",)
            yield Fault(("clusterIPs", index), message, at=at)
    yield from _families(value)


def _families(value: Any) -> Iterator[Fault]:
    families = sequence(value, "ipFamilies")
    for index, family in enumerate(families):
        if isinstance(family, (str, type(None))) and family not in ("IPv4", "IPv6"):
            yield Fault(("ipFamilies", index), f"{quote(family or '')} is not supported; use IPv4 or IPv6")
    for fault in duplicates(families, ""):
        yield Fault(("ipFamilies", *fault.path), fault.message)
    if text(value, "ipFamilyPolicy") == "SingleStack" and (
        len(families) > 1 or len(sequence(value, "clusterIPs")) > 1
    ):
        yield Fault(("ipFamilyPolicy",), "must be RequireDualStack or PreferDualStack for two families")


def _ip(address: str, scope: Scope) -> str:
    return (names.strict_ip if scope.stricter_since((1, 36)) else names.ip)(address)


def external_ips(value: Any, scope: Scope) -> Iterator[Fault]:
    """External addresses are ordinary ones."""
    for index, address in enumerate(sequence(value, "externalIPs")):
        if not isinstance(address, (str, type(None))):
            continue
        if message := _ip(address or "", scope):
            yield Fault(("externalIPs", index), message)
            continue
        if message := _special(address or ""):
            yield Fault(("externalIPs", index), message)
    if sequence(value, "externalIPs") and scope.stricter_since((1, 36)):
        yield warning(("externalIPs",), "is deprecated, and clusters may no longer implement it")


def _special(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    kinds = {
        "unspecified": parsed.is_unspecified,
        "a loopback address": parsed.is_loopback,
        "a link-local address": parsed.is_link_local,
        "a multicast address": parsed.is_multicast and address.startswith(("224.0.0.", "ff02")),
    }
    return next((f"may not be {name}" for name, true in kinds.items() if true), "")


def external_name(value: Any, scope: Scope) -> Iterator[Fault]:
    """An ExternalName Service says where it leads."""
    if kind_of(value) != "ExternalName":
        return
    name = text(value, "externalName").removesuffix(".")
    if not name:
        if isinstance(value.get("externalName") or "", str):
            yield Fault(("externalName",), "is required where type is ExternalName")
    elif message := names.dns_subdomain(name):
        yield Fault(("externalName",), message)


def session_affinity(value: Any, scope: Scope) -> Iterator[Fault]:
    """How long a client stays with its pod."""
    if text(value, "sessionAffinity") != "ClientIP":
        return
    client = mapping(mapping(value, "sessionAffinityConfig"), "clientIP")
    seconds = client.get("timeoutSeconds")
    if is_integer(seconds) and not 0 < seconds <= 86400:
        path = ("sessionAffinityConfig", "clientIP", "timeoutSeconds")
        yield Fault(path, f"is {seconds}, but must be between 1 and 86400")


def load_balancing(value: Any, scope: Scope) -> Iterator[Fault]:
    """What only a load balancer has."""
    kind = kind_of(value)
    ranges = sequence(value, "loadBalancerSourceRanges")
    if kind != "LoadBalancer":
        if ranges:
            message = "may only be set where type is LoadBalancer"
            yield Fault(("LoadBalancerSourceRanges",), message, at=("loadBalancerSourceRanges",))
        for field in ("allocateLoadBalancerNodePorts", "loadBalancerClass"):
            if is_set(value, field):
                yield Fault((field,), "may only be set where type is LoadBalancer")
    for index, network in enumerate(ranges if kind == "LoadBalancer" else ()):
        if isinstance(network, (str, type(None))):
            rule = names.strict_cidr if scope.stricter_since((1, 36)) else names.cidr
            if message := rule((network or "").strip()):
                at = ("loadBalancerSourceRanges", index)
                yield Fault(("LoadBalancerSourceRanges", index), message, at=at)


def traffic_policies(value: Any, scope: Scope) -> Iterator[Fault]:
    """Where external traffic goes, for Services that can have any."""
    kind, policy = kind_of(value), text(value, "externalTrafficPolicy")
    reachable = kind in ("NodePort", "LoadBalancer") or (
        kind == "ClusterIP" and sequence(value, "externalIPs")
    )
    if policy and not reachable:
        yield Fault(("externalTrafficPolicy",), "may only be set for a Service that is reached from outside")
    elif policy and policy not in ("Cluster", "Local"):
        yield Fault(("externalTrafficPolicy",), f"{quote(policy)} is not supported; use Cluster or Local")
    check_port = number(value, "healthCheckNodePort")
    if not check_port:
        return
    if kind == "LoadBalancer" and policy == "Local":
        if not 1 <= check_port <= 65535:
            yield Fault(("healthCheckNodePort",), f"is {check_port}, but a port must be between 1 and 65535")
    else:
        message = "may only be set where type is LoadBalancer and externalTrafficPolicy is Local"
        yield Fault(("healthCheckNodePort",), message)


def distribution(value: Any, scope: Scope) -> Iterator[Fault]:
    """Which pods are preferred."""
    preference = value.get("trafficDistribution")
    if not isinstance(preference, str):
        return
    allowed = ("PreferClose", "PreferSameZone", "PreferSameNode")
    if preference not in allowed:
        message = f"{quote(preference)} is not supported; use one of {', '.join(allowed)}"
        yield Fault(("trafficDistribution",), message)
    elif preference == "PreferClose" and scope.stricter_since((1, 34)):
        yield warning(("trafficDistribution",), "PreferClose is deprecated; use PreferSameZone")


def ignored_when_headless(value: Any, scope: Scope) -> Iterator[Fault]:
    """What a headless Service does not do."""
    if not is_headless(value):
        return
    if text(value, "sessionAffinity") == "ClientIP":
        yield warning(("sessionAffinity",), "is ignored for a headless Service")
    if sequence(value, "externalIPs"):
        yield warning(("externalIPs",), "is ignored for a headless Service")


SPEC = api.struct(
    {
        "type": api.one_of(*TYPES),
        "ports": api.items(PORT),
        "selector": LABELS,
        "sessionAffinity": api.one_of("ClientIP", "None"),
        "internalTrafficPolicy": api.one_of("Cluster", "Local", empty=True),
        "ipFamilyPolicy": api.one_of("SingleStack", "PreferDualStack", "RequireDualStack", empty=True),
        "loadBalancerClass": api.text(names.qualified_name, empty=True),
    },
    ports,
    cluster_ips,
    external_ips,
    external_name,
    session_affinity,
    load_balancing,
    traffic_policies,
    distribution,
    ignored_when_headless,
)


def service_name(value: Any, scope: Scope) -> Iterator[Fault]:
    """A name that may begin with a digit since Kubernetes 1.36."""
    name = text(value, "name")
    rule = names.dns1035_label if scope.stricter_before((1, 36)) else names.dns_label
    if name and (message := rule(name)):
        yield Fault(("name",), message)
    prefix = text(value, "generateName")
    if prefix and (message := as_prefix(rule)(prefix)):
        yield Fault(("generateName",), message)


def source_ranges(value: Any, scope: Scope) -> Iterator[Fault]:
    """The annotation that came before loadBalancerSourceRanges."""
    given = mapping(mapping(value, "metadata"), "annotations").get(SOURCE_RANGES_ANNOTATION)
    if not isinstance(given, str) or not given.strip():
        return
    path = ("metadata", "annotations", SOURCE_RANGES_ANNOTATION)
    if kind_of(mapping(value, "spec")) != "LoadBalancer":
        yield Fault(path, "may only be set where type is LoadBalancer")
    elif any(names.cidr(network.strip()) for network in given.split(",")):
        yield Fault(path, "must be networks such as 10.0.0.0/24, with ',' between them")


META = object_meta(lambda name: "", service_name, counted=False)
KINDS: Mapping[str, Struct] = {
    "Service": api.struct({"metadata": always(META), "spec": always(SPEC)}, source_ranges)
}
