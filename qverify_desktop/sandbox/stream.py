"""Writing to an attached container and reading it: frames apart, output capped, and never a reader that stops.

The engine multiplexes standard output and error of an attached container into frames: one byte stream number
(1 output, 2 error), three zero bytes, four bytes length (big-endian), then the payload (Docker Engine API,
"Attach to a container", stream format). A client that stops reading while the container writes makes a later
``kill`` hang inside the engine for over a minute, so everything here discards what it does not keep and reads on.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

STDOUT = 1
STDERR = 2
HEADER = struct.Struct(">BxxxL")
CHUNK_BYTES = 256 * 1024
SEND_BYTES = 64 * 1024
#: Seconds without progress after which a sender asks whether anybody is left.
ASK_AFTER_S = 1.0

Sink = Callable[[memoryview], None]


class CappedOutput:
    """Keeps the head and the tail of a text stream, ``cap`` bytes in all, and counts the rest."""

    def __init__(self, cap: int) -> None:
        self._head_room = cap - cap // 2
        self._tail_room = cap // 2
        self._head = bytearray()
        self._tail = bytearray()
        self.total = 0

    def write(self, data: memoryview) -> None:
        self.total += len(data)
        room = self._head_room - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        if not self._tail_room or not len(data):
            return
        self._tail += data[-self._tail_room :]
        if len(self._tail) > 4 * self._tail_room:
            del self._tail[: -self._tail_room]

    @property
    def truncated(self) -> bool:
        return self.total > self._head_room + self._tail_room

    def text(self) -> str:
        """Head, a line that says how many bytes are missing, tail; bytes that are no UTF-8 become U+FFFD."""
        tail = bytes(self._tail[-self._tail_room :]) if self._tail_room else b""
        if not self.truncated:
            return (bytes(self._head) + tail).decode("utf-8", "replace")
        left_out = self.total - len(self._head) - len(tail)
        note = f"\n[… {left_out} bytes left out …]\n"
        return bytes(self._head).decode("utf-8", "replace") + note + tail.decode("utf-8", "replace")


class CappedBytes:
    """Keeps a byte stream whole up to ``cap``; once it grows beyond, keeps nothing and only counts."""

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self._kept = bytearray()
        self.total = 0

    def write(self, data: memoryview) -> None:
        self.total += len(data)
        if self.overflown:
            self._kept.clear()
        else:
            self._kept += data

    @property
    def overflown(self) -> bool:
        return self.total > self._cap

    def content(self) -> memoryview:
        return memoryview(self._kept)


class Demultiplexer:
    """Feeds each frame's payload to the sink of its stream, piecemeal and without copying it together; ``watch`` is called
    after each piece."""

    def __init__(self, sinks: Mapping[int, Sink], watch: Callable[[], None] = lambda: None) -> None:
        self._sinks = sinks
        self._watch = watch
        self._header = bytearray()
        self._stream = 0
        self._left = 0

    def feed(self, data: memoryview) -> None:
        while len(data):
            if not self._left:
                wanted = HEADER.size - len(self._header)
                self._header += data[:wanted]
                data = data[wanted:]
                if len(self._header) == HEADER.size:
                    self._stream, self._left = HEADER.unpack(self._header)
                    self._header.clear()
                continue
            payload, data = data[: self._left], data[self._left :]
            self._left -= len(payload)
            sink = self._sinks.get(self._stream)
            if sink is not None:
                sink(payload)
                self._watch()


class Sender:
    """Writes to the standard input of an attached container. ``connection`` is what docker-py's ``attach_socket`` answers,
    ``timeout_s`` how long the other end may read nothing, ``ended`` whether the container has ended meanwhile."""

    def __init__(self, connection: Any, timeout_s: float, ended: Callable[[], bool] = lambda: False) -> None:
        self._socket = _socket_of(connection)
        self._socket.settimeout(min(timeout_s, ASK_AFTER_S))
        self._timeout_s = timeout_s
        self._ended = ended

    def send(self, data: bytes) -> bool:
        """Send all of ``data``; false where the other end is gone. Raises ``TimeoutError`` where it does not read.

        Piece by piece: the time limit of one ``sendall`` is for all of it, however well it goes on. And an engine may keep the
        connection open for a minute after its container has ended, and read nothing more.
        """
        left = memoryview(data)
        progress = time.monotonic()
        while left:
            try:
                left = left[self._socket.send(left[:SEND_BYTES]) :]
                progress = time.monotonic()
            except TimeoutError:
                if self._ended():
                    return False
                if time.monotonic() - progress >= self._timeout_s:
                    raise
            except OSError:
                return False
        return True


class Pump:
    """A thread that reads an attached socket to its end. ``connection`` is what docker-py's ``attach_socket`` answers."""

    def __init__(self, connection: Any, demultiplexer: Demultiplexer) -> None:
        self._connection = connection
        self._demultiplexer = demultiplexer
        self._socket = _socket_of(connection)
        with contextlib.suppress(AttributeError, OSError):
            self._socket.settimeout(None)
        self._thread = threading.Thread(target=self._drain, name="sandbox-pump", daemon=True)
        self._thread.start()

    def _drain(self) -> None:
        buffer = bytearray(CHUNK_BYTES)
        view = memoryview(buffer)
        read = getattr(self._connection, "recv_into", None) or self._connection.readinto
        # A connection that breaks ends the stream like an end of file; the wait on the container says what happened.
        with contextlib.suppress(OSError, ValueError):
            while count := read(buffer):
                self._demultiplexer.feed(view[:count])

    def join(self, timeout: float) -> bool:
        """Wait for the end of the stream at most ``timeout`` seconds; whether it came."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def close(self) -> None:
        """Close the connection."""
        shut(self._connection)
        self._thread.join(5)
        for end in (self._connection, self._socket):
            with contextlib.suppress(OSError):
                end.close()


def hang_up(connection: Any) -> None:
    """End an attached socket that nobody reads, and give its descriptor back. Never raises."""
    ends = (connection, _socket_of(connection))
    shut(connection)
    for end in ends:
        with contextlib.suppress(AttributeError, OSError):
            end.close()


def shut(connection: Any) -> None:
    """End both directions of an attached socket, which also ends a reader that still waits. Never raises."""
    with contextlib.suppress(AttributeError, OSError):
        _socket_of(connection).shutdown(socket.SHUT_RDWR)


def _socket_of(connection: Any) -> Any:
    return getattr(connection, "_sock", connection)
