"""The engine-enforced limits of one container: every flag of the sandbox in one place.

Each key is the Docker Engine API's field for one ``docker run`` flag (Engine API 1.41, ``POST /containers/create``,
``HostConfig``). What is not set here keeps the engine's safe default: the default AppArmor profile, no device, no
privileged mode, no restart, no published port. The seccomp profile is our own (``system_calls.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qverify_desktop.domain.execution import MIB, Limits
from qverify_desktop.sandbox.entry import DEPENDENCIES, WORK
from qverify_desktop.sandbox.system_calls import seccomp_profile

#: User and group inside the container; no such user exists in the image or on the host.
USER = 10001
OPEN_FILES = 4096
SHM_BYTES = 64 * MIB
#: Bytes of a folder in memory for each file that it may hold: twice as many files as it has pages, because empty ones,
#: folders and symlinks take none. Without a number a tmpfs takes half as many as the host has pages, millions.
BYTES_PER_FILE = 2048
#: Processes of the sandbox's user on the whole machine; ``PidsLimit`` is what bounds one container.
MOST_PROCESSES = 16_384
#: Where nobody answers. The engine would copy the host's own name servers and search domains into the container.
NO_NAME_SERVER = "127.0.0.1"
#: The container's own name. Without a network the engine names it nowhere, and test suites ask what address they have.
HOST_NAME = "sandbox"


@dataclass(frozen=True)
class Dialect:
    """How an engine wants to be told: ``seccomp`` is the profile's text, the name of a file with it on the engine's machine,
    or empty for the engine's own; ``full_tmpfs`` is whether it takes owner, mode and number of files of a folder in memory.
    Otherwise ``Memory`` bounds its files, and only the first of these is had by another word."""

    seccomp: str
    full_tmpfs: bool = True


DOCKER = Dialect(seccomp_profile())


def host_config(
    limits: Limits,
    mounts: Mapping[str, Path],
    *,
    network: bool = False,
    streamed: bool = False,
    dialect: Dialect = DOCKER,
) -> dict[str, Any]:
    """The ``HostConfig`` of one job. ``mounts`` maps a path in the container to a host folder, always read-only.

    With ``streamed`` nothing is mounted: the engine may be on another machine, and what the folders hold arrives over the
    container's standard input, the installed packages in a memory file system of their own. ``memory-swap`` equals
    ``memory``, which means no swap at all. The only network a job can have is the engine's default bridge, and only where
    ``network`` says so.
    """
    sizes = {WORK: limits.work_bytes, "/tmp": limits.tmp_bytes}  # noqa: S108
    if streamed and DEPENDENCIES in mounts:
        sizes[DEPENDENCIES] = limits.work_bytes
    return {
        "Init": True,
        "NetworkMode": "bridge" if network else "none",
        "Dns": [] if network else [NO_NAME_SERVER],
        "DnsSearch": [] if network else ["."],
        "ExtraHosts": [] if network else [f"{HOST_NAME}:127.0.0.1"],
        "ReadonlyRootfs": True,
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges", *([f"seccomp={dialect.seccomp}"] if dialect.seccomp else [])],
        "PidsLimit": limits.pids,
        "Memory": limits.memory_bytes,
        "MemorySwap": limits.memory_bytes,
        "NanoCpus": round(limits.cpus * 1_000_000_000),
        "ShmSize": SHM_BYTES,
        "Ulimits": [
            _ulimit("nofile", OPEN_FILES),
            _ulimit("core", 0),
            _ulimit("fsize", limits.file_bytes),
            # Podman would ask for a number that a machine may not let it have.
            *([] if dialect.full_tmpfs else [_ulimit("nproc", MOST_PROCESSES)]),
        ],
        "IpcMode": "private",
        "LogConfig": {"Type": "none", "Config": {}},
        "Tmpfs": {folder: _tmpfs(size, dialect) for folder, size in sizes.items()},
        "Mounts": [] if streamed else [_read_only_bind(target, source) for target, source in mounts.items()],
    }


def _ulimit(name: str, value: int) -> dict[str, Any]:
    return {"Name": name, "Soft": value, "Hard": value}


def _tmpfs(size: int, dialect: Dialect) -> str:
    options = f"rw,nosuid,nodev,exec,size={size}"
    if not dialect.full_tmpfs:
        # Podman's word for: to the container's user.
        return f"{options},U"
    return f"{options},nr_inodes={max(size // BYTES_PER_FILE, 1)},uid={USER},gid={USER},mode=0700"


def _read_only_bind(target: str, source: Path) -> dict[str, Any]:
    # As a mount and not as SOURCE:TARGET:ro, because a source may hold a colon or a line feed, and because the engine
    # then refuses a missing source instead of creating it. A read-only bind does not reach into file systems mounted
    # below the source, hence NonRecursive.
    return {
        "Type": "bind",
        "Source": str(source),
        "Target": target,
        "ReadOnly": True,
        "BindOptions": {"Propagation": "rprivate", "NonRecursive": True},
    }
