"""Addresses that the service merely names: object storage, its sign-in, further regions.

They are used over TLS and through the gate like the set ones, and none of them lies further inside than what a person set: a service on
the Internet sends nobody to a server of the house, or to this machine.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from enum import IntEnum
from urllib.parse import urlsplit

from qverify_desktop.domain.errors import BadInput, HostedFailure
from qverify_desktop.domain.network import is_loopback
from qverify_desktop.hosted.connection import Connection

#: Seconds that looking up a name may take.
LOOK_UP_S = 5.0


class Zone(IntEnum):
    """How far inside an address lies."""

    OUTSIDE = 0
    #: Private networks (RFC 1918, RFC 4193 and what else is not routed).
    HOUSE = 1
    #: This machine and its link, where cloud providers have their metadata (RFC 3927, RFC 4291).
    MACHINE = 2


async def check_named(connection: Connection, url: str, places: Iterable[str]) -> None:
    """Raises ``HostedFailure`` for an address that is not used; ``places`` are those that a person set."""
    try:
        host = connection.check(url)
    except BadInput:
        raise _bad(url, "which does not begin with https://") from None
    # Behind a proxy names are the proxy's business; looking them up here would tell somebody else.
    direct = connection.goes_direct(url)
    there = await zone_of(host, direct)
    if there is Zone.OUTSIDE:
        return
    set_ = [urlsplit(place).hostname or "" for place in places]
    if there > max([Zone.OUTSIDE, *[await zone_of(one, direct) for one in set_]]):
        inside = "which is this machine's own" if there is Zone.MACHINE else "which lies inside your network"
        raise _bad(url, inside)


async def zone_of(host: str, look_up: bool) -> Zone:
    """The innermost zone of a host's addresses; outside for a name that can't be looked up, or is not to be."""
    if is_loopback(host):
        return Zone.MACHINE
    try:
        return _zone(ipaddress.ip_address(host.strip("[]").partition("%")[0]))
    except ValueError:
        pass
    if not look_up:
        return Zone.OUTSIDE
    try:
        async with asyncio.timeout(LOOK_UP_S):
            found = await asyncio.get_running_loop().getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError, UnicodeError):
        return Zone.OUTSIDE
    return max((_zone(ipaddress.ip_address(str(one[4][0]).partition("%")[0])) for one in found), default=Zone.OUTSIDE)


def _zone(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> Zone:
    address = getattr(address, "ipv4_mapped", None) or address
    if address.is_loopback or address.is_link_local or address.is_unspecified:
        return Zone.MACHINE
    return Zone.OUTSIDE if address.is_global else Zone.HOUSE


def _bad(url: str, why: str) -> HostedFailure:
    shown = repr(url.partition("?")[0].rpartition("@")[2][:120])
    return HostedFailure(
        f"The hosted service named the address {shown}, {why}. Nothing was sent there.",
        "Tell whoever runs the service. If it belongs to your house, set its address as the house knows it (hosted_regions).",
    )
