"""An engine behind ssh: its socket brought to this machine by the person's own ``ssh``.

OpenSSH forwards a unix socket to a unix socket (ssh(1), option ``-L``). So agent, keys, known hosts and jump hosts are those
of the person's configuration, and everything above sees a local socket. Nothing is ever asked on a terminal: a key with a
passphrase has to be in the agent.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

SCHEME = "ssh://"
ENGINE_SOCKET = "/var/run/docker.sock"
CONNECT_TIMEOUT_S = 20.0
#: Seconds for which a failure stands: whoever has waited for the same connection hears of it and does not try again in turn.
FAILURE_STANDS_S = 2.0

#: What ssh needs of the environment; keys of model providers and whatever else a person has exported stay out.
_PASSED = ("PATH", "HOME", "USER", "LOGNAME", "SSH_AUTH_SOCK", "LANG")
_HOST = re.compile(r"[A-Za-z0-9_.:%\[\]][A-Za-z0-9_.:%\[\]-]*\Z")
_USER = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.@-]*\Z")

# Lives for as long as its standard input is open, which this process holds: it ends even when this is killed.
_HOLD = "cat >/dev/null"


class Tunnel:
    """The forwarded socket of the engine that ``url`` names: ``ssh://[USER@]HOST[:PORT][/PATH/OF/SOCKET]``.

    ``literal``: ssh connects to exactly that host, whatever a configuration says of it (another host name, a jump host).
    """

    def __init__(self, url: str, *, literal: bool = False) -> None:
        self._url = url
        self._literal = literal
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._failed: tuple[float, str] | None = None

    def address(self) -> str:
        """``unix://…`` of the local end, connecting where that has not been done or has broken off.

        Raises ``ConnectionError`` with ssh's own words, or ``ValueError`` for an address that is none.
        """
        with self._lock:
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(prefix="qverify-ssh-")
            # The same at each connection, so that a client of an earlier one reaches the engine again.
            local = Path(self._folder.name) / "docker.sock"
            if self._process is None or self._process.poll() is not None:
                if self._failed is not None and time.monotonic() - self._failed[0] < FAILURE_STANDS_S:
                    raise ConnectionError(self._failed[1])
                self._end()
                local.unlink(missing_ok=True)
                try:
                    self._connect(local)
                except ConnectionError as error:
                    self._failed = (time.monotonic(), str(error))
                    raise
            return f"unix://{local}"

    def close(self) -> None:
        """End the connection."""
        with self._lock:
            self._end()
            if self._folder is not None:
                self._folder.cleanup()
                self._folder = None

    def _connect(self, local: Path) -> None:
        client = shutil.which("ssh")
        if client is None:
            raise ConnectionError("ssh is not installed; type: apt-get install -y openssh-client")
        with tempfile.TemporaryFile() as said:
            self._process = subprocess.Popen(
                [client, *_options(self._url, local, literal=self._literal), _HOLD],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=said,
                env={name: os.environ[name] for name in _PASSED if name in os.environ},
                start_new_session=True,
            )
            until = time.monotonic() + CONNECT_TIMEOUT_S
            while not local.exists():
                if self._process.poll() is not None or time.monotonic() > until:
                    self._end()
                    said.seek(0)
                    words = " ".join(said.read(4000).decode("utf-8", "replace").split())
                    raise ConnectionError(f"ssh: {words or 'no answer'}")
                time.sleep(0.02)

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            if process.stdin is not None:
                process.stdin.close()


def _options(url: str, local: Path, *, literal: bool = False) -> list[str]:
    parts = urlsplit(url)
    host, user = parts.hostname or "", parts.username or ""
    # A host that begins with a hyphen would be an option of ssh.
    if parts.scheme != "ssh" or not _HOST.match(host) or (user and not _USER.match(user)) or parts.password:
        raise ValueError(f"{url!r} is no address of an engine behind ssh (ssh://USER@HOST:PORT)")
    socket = parts.path if parts.path not in ("", "/") else ENGINE_SOCKET
    quiet = ("BatchMode=yes", "ExitOnForwardFailure=yes", "ControlMaster=no", "ControlPath=none", "LogLevel=ERROR",
             "ServerAliveInterval=15", "ServerAliveCountMax=4", "ConnectTimeout=15", "PermitLocalCommand=no")  # fmt: skip
    return [
        *(("-F", "none") if literal else ()),
        "-a", "-x", "-T",
        *(word for option in quiet for word in ("-o", option)),
        "-L", f"{local}:{socket}",
        *(("-p", str(parts.port)) if parts.port else ()),
        *(("-l", user) if user else ()),
        "--", host,
    ]  # fmt: skip
