"""Run a program in a network name space of its own: ``python -m tests.integration.network.spaces [--address A] -- PROGRAM …``.

It has ``lo`` and nothing else. With ``--address`` that address is there as well, on ``lo`` but no loopback address, and everything
else is routed there: for a program it looks like a machine with a network, from which nothing can leave.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
from collections.abc import Sequence

#: For documentation (RFC 5737); here a machine "elsewhere".
ELSEWHERE = "192.0.2.1"


def alone(program: Sequence[str], address: str = "") -> list[str]:
    """The command line that runs ``program`` in a network name space of its own."""
    mapped = [] if os.geteuid() == 0 else ["--map-root-user"]
    more = ["--address", address] if address else []
    inside = [sys.executable, "-m", "tests.integration.network.spaces", *more, "--", *program]
    return ["unshare", "--net", *mapped, "--", *inside]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", default="")
    parser.add_argument("program", nargs="+")
    options = parser.parse_args()
    names = [name for _, name in socket.if_nameindex()]
    if names != ["lo"]:
        sys.exit(f"this name space has {names}")
    _ip("link", "set", "lo", "up")
    if options.address:
        _ip("address", "add", f"{options.address}/32", "dev", "lo")
        _ip("route", "add", "default", "dev", "lo")
    os.execvp(options.program[0], options.program)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, timeout=30)


if __name__ == "__main__":
    main()
