"""Addresses: which are this machine's own, and which somebody allowed besides."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def is_loopback(host: str) -> bool:
    """Whether ``host`` is this machine by what it says (RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3). A name that has to be
    looked up is not, except ``localhost`` (RFC 6761 section 6.3)."""
    if host.rstrip(".").lower() == "localhost":
        return True
    address = _address(host)
    return address is not None and (address.is_loopback or address.is_unspecified)


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Addresses (``10.0.0.7``) and networks (``10.1.0.0/16``). Raises ``ValueError`` for anything else."""
    return tuple(ipaddress.ip_network(text.strip(), strict=False) for text in texts if text.strip())


def permits(host: str, allowed: Iterable[Network]) -> bool:
    """Whether an air gap lets ``host`` through: this machine, or an address that was allowed. Names are never looked up: the
    question itself would leave the machine."""
    if is_loopback(host):
        return True
    address = _address(host)
    return address is not None and any(address.version == one.version and address in one for one in allowed)


def desktop_hosts(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Hosts to which a window would connect for its display and its session bus; empty where both are sockets of this machine
    (X(7), section Display Names; D-Bus Specification, section Server Addresses)."""
    display = environment.get("DISPLAY", "")
    host = "" if display.startswith("/") else display.rpartition(":")[0].rpartition("/")[2].rstrip(":")
    hosts = [host] if host not in ("", "unix") else []
    for address in environment.get("DBUS_SESSION_BUS_ADDRESS", "").split(";"):
        transport, _, words = address.partition(":")
        if transport in ("tcp", "nonce-tcp"):
            hosts += [word.partition("=")[2] for word in words.split(",") if word.startswith("host=")] or [
                "localhost"
            ]
    return tuple(hosts)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None
    # ``::ffff:10.0.0.1`` is 10.0.0.1 on the wire (RFC 4291 section 2.5.5.2).
    return getattr(address, "ipv4_mapped", None) or address
