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
#: Connections that the kernel keeps for us until they are accepted.
_BACKLOG = 100
#: Seconds until accepting is tried again where no descriptor was free.
_ACCEPT_AGAIN_SECONDS = 0.2
#: Seconds that a peer is given to take the end of its answer before the line goes dead.
_LINGER_SECONDS = 2.0

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
    """A listening socket and every connection that came through it.

    It accepts by itself: ``asyncio.Server`` forgets a peer whom it accepts while it is closed, and that peer waits for ever.
    """

    def __init__(self, listening: socket.socket, path: Path, handler: Handler) -> None:
        self._socket = listening
        self._path = path
        self._handler = handler
        self._loop = asyncio.get_running_loop()
        self._attending: set[asyncio.Task[None]] = set()
        self._taking_leave: set[asyncio.Task[None]] = set()
        self._again: asyncio.TimerHandle | None = None
        self._loop.add_reader(self._socket, self._accept)

    def stop(self) -> None:
        """Accept nobody any more: whoever stands in line is hung up on. Connections that were accepted go on."""
        if self._socket.fileno() < 0:
            return
        if self._again is not None:
            self._again.cancel()
        self._loop.remove_reader(self._socket)
        self._socket.close()
        with contextlib.suppress(OSError):
            self._path.unlink()

    async def close(self) -> None:
        """Stop, and hang up on everyone; handlers that are at work are cancelled."""
        self.stop()
        for task in self._attending - self._taking_leave:
            task.cancel()
        await asyncio.gather(*self._attending, return_exceptions=True)

    def _accept(self) -> None:
        try:
            peer, _ = self._socket.accept()
        except (BlockingIOError, InterruptedError, ConnectionError):
            return
        except OSError:
            # No descriptor is free: the peer stays in line, and the loop must not spin on it.
            self._loop.remove_reader(self._socket)
            self._again = self._loop.call_later(
                _ACCEPT_AGAIN_SECONDS, self._loop.add_reader, self._socket, self._accept
            )
            return
        peer.setblocking(False)
        task = self._loop.create_task(self._attend(peer))
        self._attending.add(task)

        def left(ended: asyncio.Task[None]) -> None:
            self._attending.discard(ended)
            # A task that is cancelled before its first step runs none of its body.
            peer.close()

        task.add_done_callback(left)

    async def _attend(self, peer: socket.socket) -> None:
        if not _same_user(peer):
            return
        reader, writer = await asyncio.open_unix_connection(sock=peer, limit=REQUEST_BYTES)
        try:
            await self._handler(reader, writer)
        finally:
            await self._take_leave(writer)

    async def _take_leave(self, writer: asyncio.StreamWriter) -> None:
        """Close when what was written has gone out, but wait only so long for a peer that doesn't read."""
        task = asyncio.current_task()
        if task is not None:
            self._taking_leave.add(task)
            task.add_done_callback(self._taking_leave.discard)
        writer.close()
        try:
            async with asyncio.timeout(_LINGER_SECONDS):
                await writer.wait_closed()
        except OSError:
            pass
        finally:
            writer.transport.abort()


def serve(home: Path, handler: Handler) -> Listener:
    """Listen for the same user's processes, inside the running loop. Only the holder of the home's lock may call this.

    Raises ``OSError`` when no private folder for the socket can be had.
    """
    path = address(home)
    _private_folder(path.parent)
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listening.setblocking(False)
        listening.bind(str(path))
        path.chmod(0o600)
        listening.listen(_BACKLOG)
    except BaseException:
        listening.close()
        raise
    return Listener(listening, path, handler)


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
