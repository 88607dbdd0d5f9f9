"""Debian's PostgreSQL for the time of a test: its own data folder, a unix socket, no network."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

DEBIAN = Path("/usr/lib/postgresql")
#: Nothing here has to survive a power cut, and little memory is needed.
OPTIONS = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "shared_buffers=16MB",
    "max_connections=120",
    "listen_addresses=",
    "autovacuum=off",
    "log_min_messages=error",
)


class PostgresMissing(RuntimeError):
    """PostgreSQL is not installed."""


def programs() -> Path:
    """The folder of the newest PostgreSQL. Raises ``PostgresMissing``."""
    found = sorted(DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        raise PostgresMissing("PostgreSQL is not installed. Type: apt-get install postgresql, or make setup.")
    return found[-1].parent


def _owner() -> dict[str, Any]:
    """Options of a process. PostgreSQL refuses to run as root: then it runs as the user that Debian made for it."""
    if os.getuid() != 0:
        return {}
    user = pwd.getpwnam("postgres")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """A running server; its connection string."""
    bin, owner = programs(), _owner()
    folder = Path(tempfile.mkdtemp(prefix="qv-pg-"))
    environment = {"PATH": os.environ.get("PATH", "/usr/bin"), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    if owner:
        os.chown(folder, owner["user"], owner["group"])
    initdb = [bin / "initdb", "-D", folder / "data", "-U", "test", "-A", "trust", "--no-sync", "-E", "UTF8"]
    server = None
    try:
        subprocess.run(initdb, **owner, cwd="/", env=environment, check=True, capture_output=True, timeout=120)
        options = [word for option in OPTIONS for word in ("-c", option)]
        command = [bin / "postgres", "-D", folder / "data", "-k", folder, *options]
        log = (folder / "log").open("wb")
        server = subprocess.Popen(command, **owner, cwd="/", env=environment, stdout=log, stderr=log)
        dsn = f"host={folder} user=test dbname=postgres"
        _wait(dsn, server, folder / "log")
        yield dsn
    finally:
        if server is not None:
            server.terminate()  # smart shutdown waits for clients; kill what does not go
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(0.5)
            server.send_signal(3)  # SIGQUIT: at once
            server.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def _wait(dsn: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(dsn, connect_timeout=5).close()
            return
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"PostgreSQL did not start: {log.read_text(errors='replace')[-800:]}") from None
            time.sleep(0.05)
