"""How a second process of the same user reaches the owner of a state folder: a Unix socket behind a private folder.

Another system's transport needs ``serve`` and ``connect`` with the same meaning; ``control`` knows no more than these.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import socket
import stat
import struct
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

#: Longest request and longest answer, bytes. Peers are hostile; the owner's answers may hold a run with all its tests.
REQUEST_BYTES = 1024 * 1024
ANSWER_BYTES = 256 * 1024 * 1024
#: ``sun_path`` holds 108 bytes on Linux and 104 on macOS; stay below both.
_LONGEST_PATH = 100
_PEER_CREDENTIALS = struct.Struct("3i")

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def address(home: Path) -> Path:
    """Where the owner of ``home`` listens. A long path is replaced by a short one made of its digest."""
    path = home / "control" / "socket"
    if len(os.fsencode(path)) <= _LONGEST_PATH:
        return path
    digest = hashlib.sha256(os.fsencode(os.path.realpath(home))).hexdigest()[:16]
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    base = Path(runtime) if runtime and len(os.fsencode(runtime)) < 60 else Path(tempfile.gettempdir())
    if len(os.fsencode(base)) >= 60:
        base = Path("/tmp")  # noqa: S108 - the folder below is made private and its owner is checked
    return base / f"qverify-{os.getuid()}" / f"{digest}.socket"


class Listener:
    """A listening socket; ``close`` stops it and takes its file away."""

    def __init__(self, server: asyncio.Server, path: Path) -> None:
        self._server = server
        self._path = path

    async def close(self) -> None:
        self._server.close()
        with contextlib.suppress(OSError):
            self._path.unlink()


async def serve(home: Path, handler: Handler) -> Listener:
    """Listen for the same user's processes. Only the holder of the home's lock may call this.

    Raises ``OSError`` when no private folder for the socket can be had.
    """
    path = address(home)
    _private_folder(path.parent)
    with contextlib.suppress(FileNotFoundError):
        path.unlink()

    async def checked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if _same_user(writer.get_extra_info("socket")):
                await handler(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_unix_server(checked, path, limit=REQUEST_BYTES)
    path.chmod(0o600)
    return Listener(server, path)


async def connect(home: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Reach the owner. Raises ``OSError`` when nobody listens or the socket belongs to someone else."""
    path = address(home)
    if path.parent.stat().st_uid != os.getuid():
        raise PermissionError(f"{path.parent} belongs to another user")
    reader, writer = await asyncio.open_unix_connection(path, limit=ANSWER_BYTES)
    if not _same_user(writer.get_extra_info("socket")):
        writer.close()
        raise PermissionError("another user listens on the control socket")
    return reader, writer


def _private_folder(folder: Path) -> None:
    """Make the folder 0700, or refuse one that someone else could have prepared."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    facts = os.lstat(folder)
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid():
        raise PermissionError(f"{folder} is not a folder of this user")
    if stat.S_IMODE(facts.st_mode) != 0o700:
        folder.chmod(0o700)


def _same_user(peer: socket.socket) -> bool:
    """Ask the kernel who is at the other end (SO_PEERCRED on Linux; elsewhere the folder's mode alone protects)."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return True
    raw = peer.getsockopt(socket.SOL_SOCKET, option, _PEER_CREDENTIALS.size)
    _pid, uid, _gid = _PEER_CREDENTIALS.unpack(raw)
    return bool(uid == os.getuid())
