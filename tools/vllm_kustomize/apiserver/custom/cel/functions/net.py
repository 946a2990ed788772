"""Kubernetes' functions of URLs, IP addresses and networks.

Source: k8s.io/apiserver/pkg/cel/library (urls.go, ip.go, cidr.go), which read with Go's net/url and
net/netip.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, ClassVar

from vllm_kustomize.apiserver.custom import urls
from vllm_kustomize.apiserver.custom.cel.values import CelError, NoOverload

_BITS = re.compile(r"0|[1-9][0-9]{0,2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Link:
    """A URL as a value."""

    url: urls.URL
    CEL_TYPE: ClassVar[str] = "kubernetes.URL"

    def __str__(self) -> str:
        return self.url.text


@dataclass(frozen=True, slots=True)
class Address:
    """An IP address as a value."""

    ip: IPv4Address | IPv6Address
    CEL_TYPE: ClassVar[str] = "net.IP"

    def __str__(self) -> str:
        return str(self.ip)


@dataclass(frozen=True, slots=True)
class Network:
    """An address with the length of its network's prefix, as a value."""

    ip: IPv4Address | IPv6Address
    bits: int
    CEL_TYPE: ClassVar[str] = "net.CIDR"

    @property
    def network(self) -> IPv4Network | IPv6Network:
        """The network alone."""
        return ip_network(f"{self.ip}/{self.bits}", strict=False)

    def __str__(self) -> str:
        return f"{self.ip}/{self.bits}"


def _text(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    raise NoOverload(name, value)


def url(value: Any) -> Link:
    """A URL from its text."""
    try:
        return Link(urls.parse(_text("url", value)))
    except urls.MalformedURL as error:
        raise CelError(f"{value} is not a URL: {error}") from None


def ip(value: Any) -> Address:
    """An address from its text: no zone, no IPv4 inside of IPv6."""
    if isinstance(value, Network):
        return Address(value.ip)
    text = _text("ip", value)
    if "%" not in text:
        try:
            address = ip_address(text)
        except ValueError:
            pass
        else:
            if not isinstance(address, IPv6Address) or address.ipv4_mapped is None:
                return Address(address)
    raise CelError(f"{text} is not an IP address")


def cidr(value: Any) -> Network:
    """A network from its text."""
    address, _, bits = _text("cidr", value).partition("/")
    found = ip(address).ip
    if not _BITS.fullmatch(bits) or int(bits) > found.max_prefixlen:
        raise CelError(f"{value} is not a network")
    return Network(found, int(bits))


def _can(read: Callable[[Any], Any]) -> Callable[[Any], bool]:
    def can(value: Any) -> bool:
        _text("is…", value)
        try:
            read(value)
        except CelError:
            return False
        return True

    return can


def is_url(value: Any) -> bool:
    """Whether a text is a URL."""
    try:
        urls.parse_request_uri(_text("isURL", value))
    except urls.MalformedURL:
        return False
    return True


def _of_url(name: str, part: Callable[[urls.URL], Any]) -> Callable[[Any], Any]:
    def get(value: Any) -> Any:
        if not isinstance(value, Link):
            raise NoOverload(name, value)
        return part(value.url)

    return get


def _of_ip(name: str, part: Callable[[IPv4Address | IPv6Address], Any]) -> Callable[[Any], Any]:
    def get(value: Any) -> Any:
        if not isinstance(value, Address):
            raise NoOverload(name, value)
        return part(value.ip)

    return get


def _of_network(name: str, part: Callable[[Network], Any]) -> Callable[[Any], Any]:
    def get(value: Any) -> Any:
        if not isinstance(value, Network):
            raise NoOverload(name, value)
        return part(value)

    return get


def _is_global(address: IPv4Address | IPv6Address) -> bool:
    broadcast = address == IPv4Address("255.255.255.255")
    special = address.is_unspecified or address.is_loopback or address.is_multicast or address.is_link_local
    return not special and not broadcast


def _is_link_local_multicast(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv4Address):
        return address in IPv4Network("224.0.0.0/24")
    return address.packed[0] == 0xFF and address.packed[1] & 0x0F == 0x02


def contains_ip(value: Any, other: Any) -> bool:
    """Whether a network has an address."""
    if not isinstance(value, Network):
        raise NoOverload("containsIP", value)
    address = other.ip if isinstance(other, Address) else ip(other).ip
    return address.version == value.ip.version and bool(address in value.network)


def contains_cidr(value: Any, other: Any) -> bool:
    """Whether a network has the whole of another."""
    if not isinstance(value, Network):
        raise NoOverload("containsCIDR", value)
    inner = other if isinstance(other, Network) else cidr(other)
    if inner.ip.version != value.ip.version or value.bits > inner.bits:
        return False
    return bool(inner.network.network_address in value.network)


def is_canonical(value: Any) -> bool:
    """Whether an address is written in the one canonical form."""
    return bool(str(ip(value).ip) == value)


FUNCTIONS: dict[tuple[str, int], Callable[..., Any]] = {
    ("url", 1): url,
    ("isURL", 1): is_url,
    ("ip", 1): ip,
    ("isIP", 1): _can(ip),
    ("ip.isCanonical", 1): is_canonical,
    ("cidr", 1): cidr,
    ("isCIDR", 1): _can(cidr),
}
METHODS: dict[tuple[str, int], Callable[..., Any]] = {
    ("getScheme", 1): _of_url("getScheme", lambda link: link.scheme),
    ("getHost", 1): _of_url("getHost", lambda link: link.host),
    ("getHostname", 1): _of_url("getHostname", lambda link: link.hostname),
    ("getPort", 1): _of_url("getPort", lambda link: link.port),
    ("getEscapedPath", 1): _of_url("getEscapedPath", lambda link: link.escaped_path),
    ("getQuery", 1): _of_url("getQuery", lambda link: link.query),
    ("family", 1): _of_ip("family", lambda address: address.version),
    ("isUnspecified", 1): _of_ip("isUnspecified", lambda address: address.is_unspecified),
    ("isLoopback", 1): _of_ip("isLoopback", lambda address: address.is_loopback),
    ("isLinkLocalMulticast", 1): _of_ip("isLinkLocalMulticast", _is_link_local_multicast),
    ("isLinkLocalUnicast", 1): _of_ip("isLinkLocalUnicast", lambda address: address.is_link_local),
    ("isGlobalUnicast", 1): _of_ip("isGlobalUnicast", _is_global),
    ("containsIP", 2): contains_ip,
    ("containsCIDR", 2): contains_cidr,
    ("ip", 1): _of_network("ip", lambda network: Address(network.ip)),
    ("prefixLength", 1): _of_network("prefixLength", lambda network: network.bits),
    ("masked", 1): _of_network(
        "masked", lambda network: Network(network.network.network_address, network.bits)
    ),
}
