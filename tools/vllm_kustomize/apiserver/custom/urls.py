"""URLs as Go's net/url reads them, which is what the server checks `format: uri` and CEL's `url()` with."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import parse_qs, quote, unquote

_SCHEME = re.compile(r"[A-Za-z][-+.0-9A-Za-z]*:", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})", re.ASCII)
_BAD_HOST = re.compile(r"[^-\w.~!$&'()*+,;=:\[\]<>\"%\x80-\U0010ffff]", re.ASCII)
_ESCAPED_ASCII = re.compile(r"%(?!25)[0-7]", re.ASCII)
_PORT = re.compile(r"(:[0-9]*)?", re.ASCII)
_USER = re.compile(r"[-A-Za-z0-9._:~!$&'()*+,;=%@]*", re.ASCII)
_ENCODED_PATH = re.compile(r"[-A-Za-z0-9._~!$&'()*+,/:;=@\[\]%]*", re.ASCII)


class MalformedURL(ValueError):
    """The text is not a URL, for the reason given."""


@dataclass(frozen=True, slots=True)
class URL:
    """A URL in parts; `host` has the port and the brackets of an IPv6 address."""

    text: str
    scheme: str = ""
    host: str = ""
    raw_path: str = ""
    raw_query: str = ""

    @property
    def hostname(self) -> str:
        """The host without its port and without brackets."""
        if self.host.startswith("["):
            return self.host[1:].partition("]")[0]
        return self.host.rpartition(":")[0] if ":" in self.host else self.host

    @property
    def port(self) -> str:
        """The port, or an empty string."""
        after = self.host.rpartition("]")[2]
        return after.rpartition(":")[2] if ":" in after else ""

    @property
    def escaped_path(self) -> str:
        """The path as it is written, or escaped where it is not."""
        if _ENCODED_PATH.fullmatch(self.raw_path):
            return self.raw_path
        return quote(unquote(self.raw_path), safe="/$&+,:;=@-_.~")

    @property
    def query(self) -> dict[str, list[str]]:
        """The values of each parameter, unescaped."""
        return parse_qs(self.raw_query, keep_blank_values=True)


def parse_request_uri(text: str) -> URL:
    """Read an absolute URL or an absolute path, as url.ParseRequestURI does; raises MalformedURL."""
    if _CONTROL.search(text):
        raise MalformedURL("it has a control character")
    if not text:
        raise MalformedURL("it is empty")
    if text == "*":
        return URL(text, raw_path="*")
    if text.startswith(":"):
        raise MalformedURL("it has no scheme before ':'")
    match = _SCHEME.match(text)
    scheme = match[0][:-1].lower() if match else ""
    rest, _, query = text[match.end() if match else 0 :].partition("?")
    if not rest.startswith("/"):
        if scheme:
            return URL(text, scheme, raw_query=query)  # an opaque URL, such as mailto:
        raise MalformedURL("it is neither absolute nor an absolute path")
    host = ""
    if scheme and rest.startswith("//"):
        authority, slash, path = rest[2:].partition("/")
        host = _host(scheme, authority)
        rest = slash + path
    if _BAD_ESCAPE.search(rest):
        raise MalformedURL("its path has a malformed escape")
    return URL(text, scheme, host, rest, query)


def parse(text: str) -> URL:
    """Read a URL for its parts: as above, with the fragment taken off; raises MalformedURL."""
    parse_request_uri(text)
    return parse_request_uri(text.partition("#")[0])


def _host(scheme: str, authority: str) -> str:
    user, at, host = authority.rpartition("@")
    if at and (not _USER.fullmatch(user) or _BAD_ESCAPE.search(user)):
        raise MalformedURL("its user has characters that must be escaped")
    if "[" in host:
        return _bracketed(host)
    first, last = host.find(":"), host.rfind(":")
    if first >= 0 and not _PORT.fullmatch(host[first if scheme in ("http", "https") else last :]):
        raise MalformedURL("its port is not a number")
    return _checked(host)


def _bracketed(host: str) -> str:
    address, bracket, port = host[1:].rpartition("]")
    if not host.startswith("[") or not bracket:
        raise MalformedURL("its address is not wholly in brackets")
    if not _PORT.fullmatch(port):
        raise MalformedURL("its port is not a number")
    bare, _, zone = address.partition("%25")
    try:
        if ipaddress.ip_address(unquote(_checked(bare))).version != 6:
            raise MalformedURL("only an IPv6 address stands in brackets")
    except ValueError:
        raise MalformedURL("what is in brackets is not an IPv6 address") from None
    return f"[{bare}{'%' + unquote(zone) if zone else ''}]{port}"


def _checked(host: str) -> str:
    if _BAD_HOST.search(host) or _BAD_ESCAPE.search(host) or _ESCAPED_ASCII.search(host):
        raise MalformedURL("its host has a character that may not stand there")
    return unquote(host)
