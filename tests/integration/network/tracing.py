"""Every address that a tree of processes speaks to, as ``strace`` saw it; read strictly, so that nothing is overlooked.

A line that is not understood is an error, not a line without an address.
"""

from __future__ import annotations

import ipaddress
import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

#: What can send to an address, and what could do so unseen.
CALLS = ("connect", "sendto", "sendmsg", "sendmmsg", "io_uring_setup")

_LINE = re.compile(r"(?P<pid>\d+)(?:<(?P<name>[^>]*)>)? +(?P<rest>.*)\Z")
_CALL = re.compile(rf"(?P<call>{'|'.join(CALLS)})\((?P<words>.*)\Z")
_RESUMED = re.compile(rf"<\.\.\. (?P<call>{'|'.join(CALLS)}) resumed>(?P<words>.*)\Z")
_END = re.compile(r"(\+\+\+ (exited with \d+|killed by SIG\w+( \(core dumped\))?) \+\+\+|<\.\.\. \?+ resumed>.*)\Z")
_TEXT = r'"(?:[^"\\]|\\.)*"'
_ADDRESSES = (
    re.compile(r'\{sa_family=AF_INET, sin_port=htons\((?P<port>\d+)\), sin_addr=inet_addr\("(?P<host>[0-9.]+)"\)\}'),
    re.compile(
        r"\{sa_family=AF_INET6, sin6_port=htons\((?P<port>\d+)\), sin6_flowinfo=htonl\(\d+\), "
        r'inet_pton\(AF_INET6, "(?P<host>[0-9a-f:.]+)", &sin6_addr\), sin6_scope_id=[^{}"]+\}'
    ),
    re.compile(rf"\{{sa_family=(?P<local>AF_UNIX)(, sun_path=@?{_TEXT})?\}}"),
    # Questions to the kernel itself, such as which interfaces there are.
    re.compile(r"\{sa_family=(?P<local>AF_NETLINK), nl_pid=0, nl_groups=0*\}"),
    # Takes an address away from a socket (connect(2)).
    re.compile(rf"\{{sa_family=(?P<local>AF_UNSPEC), sa_data={_TEXT}(\.\.\.)?\}}"),
)


class NotUnderstood(AssertionError):
    """A line of the trace that could hide an address."""


@dataclass(frozen=True)
class Reached:
    """An internet address that a process connected or sent to; ``name`` is the thread's, as the kernel has it."""

    host: str
    port: int
    name: str
    call: str

    @property
    def loopback(self) -> bool:
        address = ipaddress.ip_address(self.host)
        return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def traced(program: Sequence[str], trace: Path, *, detached: bool = False) -> list[str]:
    """The command line that runs ``program`` with all its children under strace. ``detached`` keeps the program's process number
    that of the command."""
    return [
        "strace",
        *(["-D"] if detached else []),
        *("-f", "--seccomp-bpf", "-qqq", "-Y", "-s", "0", "-e", "signal=none", "-e", f"trace={','.join(CALLS)}"),
        *("-o", str(trace), "--"),
        *program,
    ]


def wrapper(python: str, trace: Path, file: Path) -> Path:
    """A program that is ``python`` under strace."""
    file.write_text(f'#!/bin/sh\nexec {shlex.join(traced([python], trace, detached=True))} "$@"\n')
    file.chmod(0o755)
    return file


def reached(lines: Iterable[str]) -> list[Reached]:
    """Every internet address in a trace. Raises ``NotUnderstood`` for a line that is not plain."""
    found: list[Reached] = []
    for line in lines:
        found += _of_line(line.rstrip("\n"))
    return found


def _of_line(line: str) -> list[Reached]:
    whole = _LINE.match(line)
    if whole is None:
        raise NotUnderstood(line)
    rest = whole["rest"]
    if _END.match(rest):
        return []
    call = _CALL.match(rest) or _RESUMED.match(rest)
    if call is None or call["call"] == "io_uring_setup":
        raise NotUnderstood(line)
    words, found = call["words"], []
    for pattern in _ADDRESSES:
        for address in pattern.finditer(words):
            if address.groupdict().get("host"):
                found.append(Reached(address["host"], int(address["port"]), whole["name"] or "", call["call"]))
        words = pattern.sub("{}", words)
    if "sa_family" in words or (call["call"] == "connect" and _CALL.match(rest) and "{}" not in words):
        raise NotUnderstood(line)
    return found
