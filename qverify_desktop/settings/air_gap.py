"""The air gap inside this process: whatever code opens a connection, the interpreter asks here first.

CPython reports every use of its sockets, and every start of another program, to audit hooks (PEP 578) before it happens, so code
of libraries is covered as well as our own. A socket is made only for a family whose addresses can be judged here; git is started
only where its environment holds it to files of this machine, ssh only to an address that is let through. What a native library does
with sockets of its own is not seen here; ``tests/integration/network`` watches it from outside, system call by system call.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
import threading
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from qverify_desktop.domain.network import Network, networks, permits

_CONNECTS = frozenset(("socket.connect", "socket.sendto", "socket.sendmsg"))
_LOOKS_UP = frozenset(("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"))
_STARTS = frozenset(("subprocess.Popen", "os.posix_spawn", "os.exec"))
#: Families whose addresses are judged (internet) or that never leave this machine (local). Others reach a hypervisor (``AF_VSOCK``), a
#: wire past all addresses (``AF_PACKET``) or a radio. -1: the family of a socket that somebody else has opened; its address is.
_FAMILIES = frozenset((socket.AF_INET, socket.AF_INET6, getattr(socket, "AF_UNIX", socket.AF_INET), -1))
_INTERNET = frozenset((socket.AF_INET, socket.AF_INET6))
#: Bits of a socket's type that are no type (Linux: ``SOCK_NONBLOCK``, ``SOCK_CLOEXEC``).
_FLAGS = getattr(socket, "SOCK_NONBLOCK", 0) | getattr(socket, "SOCK_CLOEXEC", 0)
_TYPES = frozenset((socket.SOCK_STREAM, socket.SOCK_DGRAM, -1))


class AirGapRefused(OSError):
    """A connection that the air gap did not let through. An ``OSError``, so that every library takes it for no network."""

    def __init__(self, what: str) -> None:
        super().__init__(errno.ENETUNREACH, f"The air gap is on, so nothing was sent to {what[:200]}.")


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
    if not AirGap._on:
        return
    if event == "socket.__new__":
        _check_kind(*arguments[1:4])
    elif event in _CONNECTS:
        _check_address(arguments[0], arguments[1])
    elif event in _LOOKS_UP and arguments:
        # ``getnameinfo`` has the address as a tuple; a lookup without a host is for listening.
        host = arguments[0][0] if isinstance(arguments[0], tuple) and arguments[0] else arguments[0]
        if host not in (None, "", b""):
            _check(host)
    elif event in _STARTS:
        program, words = arguments[0], arguments[1]
        environment = arguments[3] if event == "subprocess.Popen" else arguments[2]
        _check_program(program, words, environment)


def _check_kind(family: int, kind: int, protocol: int) -> None:
    """A socket whose address nobody could judge is not even made; nor is a raw one, which is bound and then says no address."""
    plain = kind if kind < 0 else kind & ~_FLAGS
    if family not in _FAMILIES or (family in _INTERNET and plain not in _TYPES):
        raise AirGapRefused(f"a socket of family {int(family)} and type {int(kind)}")


def _check_address(one: Any, address: Any) -> None:
    family = getattr(one, "family", None)
    if family in _INTERNET:
        # A message without an address goes where the socket was connected to, which was judged then.
        if isinstance(address, tuple) and address:
            _check(address[0])
    elif family not in _FAMILIES:
        raise AirGapRefused(f"a socket of family {family}")


def _check(host: Any) -> None:
    text = host.decode("ascii", "replace") if isinstance(host, bytes | bytearray) else str(host)
    if AirGap.refuses(text):
        raise AirGapRefused(text)


def _check_program(program: Any, words: Any, environment: Any) -> None:
    """The two programs of ours that know ways to other machines."""
    name = os.path.basename(os.fsdecode(program)).removesuffix(".exe")  # noqa: PTH119  (bytes as well)
    if name == "git" and _value(environment, "GIT_ALLOW_PROTOCOL") != "file":
        raise AirGapRefused("another machine by git")
    if name == "ssh":
        line = [os.fsdecode(word) for word in words] if isinstance(words, Sequence) else []
        host = line[line.index("--") + 1] if "--" in line[:-1] else ""
        # Its configuration could give the address another meaning.
        if not host or AirGap.refuses(host) or ("-F", "none") not in pairwise(line):
            raise AirGapRefused(f"{host or 'another machine'} by ssh")


def _value(environment: Any, name: str) -> str:
    if not isinstance(environment, Mapping):
        return os.environ.get(name, "")
    found = environment.get(name, environment.get(os.fsencode(name), ""))
    return os.fsdecode(found)
