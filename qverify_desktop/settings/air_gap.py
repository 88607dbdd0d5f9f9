"""The air gap inside this process: whatever code opens a connection, the interpreter asks here first.

CPython reports every use of its sockets to audit hooks (PEP 578) before it happens, so code of libraries is covered as well as our
own; what a native library does with sockets of its own is not, and child processes are not (``docs/threat-model.md``).
"""

from __future__ import annotations

import errno
import socket
import sys
import threading
from typing import Any

from qverify_desktop.domain.network import Network, networks, permits

_CONNECTS = frozenset(("socket.connect", "socket.sendto", "socket.sendmsg"))
_LOOKS_UP = frozenset(("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"))


class AirGapRefused(OSError):
    """A connection that the air gap did not let through. An ``OSError``, so that every library takes it for no network."""

    def __init__(self, host: str) -> None:
        super().__init__(errno.ENETUNREACH, f"The air gap is on, so nothing was sent to {host[:200]}.")


class AirGap:
    """The switch of the one hook of this process. A hook can't be taken back, so it is installed once and asks the switch."""

    _installing = threading.Lock()
    _hooked = False
    _on = False
    _allowed: tuple[Network, ...] = ()

    @classmethod
    def set(cls, on: bool, allowed: tuple[str, ...] = ()) -> None:
        """From now on let only this machine and ``allowed`` (addresses and networks) through, or everybody."""
        cls._allowed = networks(allowed)
        cls._on = on
        with cls._installing:
            if on and not cls._hooked:
                sys.addaudithook(_hook)
                cls._hooked = True

    @classmethod
    def refuses(cls, host: str) -> bool:
        """Whether a connection to ``host`` is refused now."""
        return cls._on and not permits(host, cls._allowed)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not AirGap._on or not event.startswith("socket."):
        return
    if event in _CONNECTS:
        one, address = arguments[0], arguments[1]
        if (
            getattr(one, "family", None) in (socket.AF_INET, socket.AF_INET6)
            and isinstance(address, tuple)
            and address
        ):
            _check(address[0])
    elif event in _LOOKS_UP and arguments:
        # ``getnameinfo`` has the address as a tuple; a lookup without a host is for listening.
        host = arguments[0][0] if isinstance(arguments[0], tuple) and arguments[0] else arguments[0]
        if host not in (None, "", b""):
            _check(host)


def _check(host: Any) -> None:
    text = host.decode("ascii", "replace") if isinstance(host, bytes | bytearray) else str(host)
    if AirGap.refuses(text):
        raise AirGapRefused(text)
