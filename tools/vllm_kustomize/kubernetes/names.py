"""What names, keys and addresses may look like: one function per format.

Each takes a text and returns what is wrong with it, or an empty string. The formats are those of
k8s.io/apimachinery/pkg/util/validation and k8s.io/apimachinery/pkg/api/validate/content.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_NAME = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"

LABEL_LIMIT = 63
SUBDOMAIN_LIMIT = 253


def _format(pattern: str, limit: int, allowed: str) -> Callable[[str], str]:
    matches = None

    def check(value: str) -> str:
        nonlocal matches
        if len(value) > limit:
            return f"has {len(value)} characters, but may have at most {limit}"
        if matches is None:
            matches = re.compile(pattern).fullmatch
        return "" if matches(value) else f'"{value}" is not valid: {allowed}'

    return check


dns_label = _format(
    _LABEL, LABEL_LIMIT, "lower-case letters, digits and '-', beginning and ending with a letter or digit"
)
dns1035_label = _format(
    r"[a-z]([-a-z0-9]*[a-z0-9])?",
    LABEL_LIMIT,
    "lower-case letters, digits and '-', beginning with a letter and ending with a letter or digit",
)
dns_subdomain = _format(
    _SUBDOMAIN,
    SUBDOMAIN_LIMIT,
    "lower-case letters, digits, '-' and '.', each part beginning and ending with a letter or digit",
)
dns_subdomain_underscore = _format(
    r"[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*",
    SUBDOMAIN_LIMIT,
    "lower-case letters, digits, '-', '_' and '.', each part beginning and ending with a letter or digit",
)
wildcard_subdomain = _format(
    rf"\*\.{_SUBDOMAIN}", SUBDOMAIN_LIMIT, "'*.' and a domain of lower-case letters, digits, '-' and '.'"
)
label_value = _format(
    rf"({_NAME})?",
    LABEL_LIMIT,
    "letters, digits, '-', '_' and '.', beginning and ending with a letter or digit, or nothing",
)
_name_part = _format(
    _NAME, LABEL_LIMIT, "letters, digits, '-', '_' and '.', beginning and ending with a letter or digit"
)
env_name = _format(r"[ -<>-~]+", 1 << 30, "printable ASCII characters other than '='")
_config_key = _format(r"[-._a-zA-Z0-9]+", SUBDOMAIN_LIMIT, "letters, digits, '-', '_' and '.'")
http_header_name = _format(r"[-A-Za-z0-9]+", 1 << 30, "letters, digits and '-'")
percent = _format(r"[0-9]+%", 1 << 30, "an integer, or a percentage such as 25%")
_domain_prefix = _format(
    rf"({_SUBDOMAIN})/([^/].*)", 1 << 30, "a domain, a '/' and a path, such as acme.io/foo"
)


def qualified_name(value: str) -> str:
    """A label key or resource name: a name of up to 63 characters, and before it perhaps a domain and '/'."""
    prefix, slash, name = value.rpartition("/")
    if "/" in prefix:
        return f"\"{value[:SUBDOMAIN_LIMIT]}\" has more than one '/': use a name, or a domain, '/' and a name"
    if slash and not prefix:
        return f"\"{value}\" has nothing before the '/': leave out the '/', or put a domain there"
    if slash and (message := dns_subdomain(prefix)):
        return f"the part before '/' {message}"
    if not name:
        return f'"{value}" has an empty name part'
    return _name_part(name)


def domain_prefixed_path(value: str) -> str:
    """A finalizer-like name that must have a domain: `acme.io/foo`."""
    return _domain_prefix(value)


def config_key(value: str) -> str:
    """A key of a ConfigMap or Secret; it becomes a file name."""
    if message := _config_key(value):
        return message
    if value in (".", ".."):
        return f'may not be "{value}"'
    if value.startswith(".."):
        return "may not begin with '..'"
    return ""


def port_name(value: str) -> str:
    """A port's name as IANA has it (RFC 6335): up to 15 lower-case letters, digits and single hyphens."""
    if len(value) > 15:
        return f"has {len(value)} characters, but a port name may have at most 15"
    if not re.fullmatch(r"[-a-z0-9]+", value):
        return f"\"{value}\" is not a port name: lower-case letters, digits and '-'"
    if not re.search(r"[a-z]", value):
        return f'"{value}" is not a port name: it needs at least one letter'
    if "--" in value:
        return f'"{value}" is not a port name: it has two hyphens in a row'
    if value[0] == "-" or value[-1] == "-":
        return f'"{value}" is not a port name: it begins or ends with a hyphen'
    return ""


def path_segment(value: str) -> str:
    """A name that becomes one step of a URL's path, as RBAC objects have."""
    if value in (".", ".."):
        return f'may not be "{value}"'
    for character in "/%":
        if character in value:
            return f"may not contain '{character}'"
    return ""


def no_backsteps(value: str) -> str:
    """A path without '..' as one of its steps."""
    return "may not contain '..'" if ".." in value.split("/") else ""


def relative_path(value: str) -> str:
    """A path below a volume: relative, and never upwards."""
    if value.startswith("/"):
        return f"\"{value[:60]}\" begins with '/', but must be a relative path"
    return no_backsteps(value)


def file_below_volume(value: str) -> str:
    """A file that a volume creates: a relative path that does not begin with '..'."""
    if message := relative_path(value):
        return message
    return "may not begin with '..'" if value.startswith("..") else ""


def absolute_path(value: str) -> str:
    """A path from the root."""
    return "" if value.startswith("/") else f"\"{value[:60]}\" must begin with '/'"


def ip(value: str) -> str:
    """An IP address; leading zeros and IPv4 in IPv6 form are let pass, as the server does before 1.36."""
    return "" if _parse_ip(value, sloppy=True) else f'"{value[:60]}" is not an IP address'


def strict_ip(value: str) -> str:
    """An IP address without leading zeros and not an IPv4 address in IPv6 form."""
    if not _parse_ip(value, sloppy=True):
        return f'"{value[:60]}" is not an IP address'
    parsed = _parse_ip(value, sloppy=False)
    if parsed is None:
        return f'"{value[:60]}" has leading zeros'
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        return f'"{value[:60]}" is an IPv4 address in IPv6 form'
    return ""


def cidr(value: str) -> str:
    """A network such as 10.0.0.0/8, read as the server does before 1.36."""
    return (
        "" if parse_cidr(value) else f'"{value[:60]}" is not a network such as 10.9.8.0/24 or 2001:db8::/64'
    )


def strict_cidr(value: str) -> str:
    """A network without leading zeros, host bits or an IPv4 address in IPv6 form."""
    network = parse_cidr(value)
    if network is None:
        return cidr(value)
    if message := strict_ip(value.partition("/")[0]):
        return message
    if str(int(value.partition("/")[2])) != value.partition("/")[2]:
        return f'"{value}" has leading zeros in its prefix length'
    if _parse_ip(value.partition("/")[0], sloppy=False) != network.network_address:
        return f'"{value}" has bits set beyond its prefix; use {network}'
    return ""


def parse_cidr(value: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """The network that a text names, or None."""
    address, slash, length = value.partition("/")
    parsed = _parse_ip(address, sloppy=True)
    if parsed is None or not slash or not length.isascii() or not length.isdigit() or len(length) > 3:
        return None
    if int(length) > parsed.max_prefixlen:
        return None
    return ipaddress.ip_network((parsed, int(length)), strict=False)


def _parse_ip(value: str, *, sloppy: bool) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    if len(value) > 60 or "%" in value or not value.isascii():
        return None
    if sloppy and re.fullmatch(r"[0-9]+(\.[0-9]+){3}", value):
        value = ".".join(part.lstrip("0") or "0" for part in value.split("."))
    try:
        return ipaddress.ip_address(value)
    except ValueError:
        return None
