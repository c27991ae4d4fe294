"""Keeps webhooks away from where they must not go: a dealer's endpoint is somebody else's text.

An endpoint must be https on an allowed port and resolve to public addresses only; the connection then goes to the very address
that was judged, so that a name cannot change its mind in between.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

Resolver = Callable[[str, int], list[str]]
PUBLIC_PORTS = frozenset({443, 8443})


class EndpointVerdict(StrEnum):
    """Whether an endpoint may be called."""

    ALLOWED = "allowed"
    MALFORMED = "the endpoint is not a URL with a host"
    NOT_HTTPS = "the endpoint is not https"
    PORT = "the endpoint's port is not allowed"
    UNRESOLVED = "the endpoint's host name does not resolve"
    PRIVATE = "the endpoint is not at a public address"


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedEndpoint:
    """A verdict, and where allowed, what to connect to: `address` in the place of `host`."""

    verdict: EndpointVerdict
    scheme: str = ""
    host: str = ""
    port: int = 0
    target: str = ""
    address: str = ""

    @property
    def pinned_url(self) -> str:
        """The URL with the judged address for its host."""
        address = f"[{self.address}]" if ":" in self.address else self.address
        return f"{self.scheme}://{address}:{self.port}{self.target}"

    @property
    def host_header(self) -> str:
        """The host as the endpoint names it, with its port where that is unusual."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == {"https": 443, "http": 80}[self.scheme] else f"{host}:{self.port}"


def resolve(host: str, port: int) -> list[str]:
    """Addresses of a host, by the system; raises OSError where there is none."""
    return list(dict.fromkeys(str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


def judge(url: str, *, allow_private: bool, resolver: Resolver = resolve) -> JudgedEndpoint:
    """Decide whether this endpoint may be called, and at which address.

    Args:
        url: the endpoint.
        allow_private: also plain http, any port, and addresses of this machine and its network (for trials).
        resolver: host and port -> addresses.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    except ValueError:
        return JudgedEndpoint(verdict=EndpointVerdict.MALFORMED)
    host = parts.hostname or ""
    if not host or parts.scheme not in {"https", "http"} or parts.username is not None:
        return JudgedEndpoint(verdict=EndpointVerdict.MALFORMED)
    if not allow_private and parts.scheme != "https":
        return JudgedEndpoint(verdict=EndpointVerdict.NOT_HTTPS)
    if not allow_private and port not in PUBLIC_PORTS:
        return JudgedEndpoint(verdict=EndpointVerdict.PORT)
    try:
        addresses = resolver(host, port)
    except (OSError, UnicodeError):
        addresses = []
    if not addresses:
        return JudgedEndpoint(verdict=EndpointVerdict.UNRESOLVED)
    if not allow_private and not all(_is_public(address) for address in addresses):
        return JudgedEndpoint(verdict=EndpointVerdict.PRIVATE)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return JudgedEndpoint(
        verdict=EndpointVerdict.ALLOWED, scheme=parts.scheme, host=host, port=port, target=target, address=addresses[0]
    )


def _is_public(address: str) -> bool:
    """Whether this is an address of the open internet; IPv4 inside IPv6 is judged as what it is."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo[1] if parsed.teredo else None)
        if inner is not None:
            return _is_public(str(inner))
        if parsed in ipaddress.ip_network("64:ff9b::/96"):
            return _is_public(str(ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)))
    return parsed.is_global and not parsed.is_multicast
