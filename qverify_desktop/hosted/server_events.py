"""Server-sent events out of a stream of bytes (WHATWG HTML, section 9.2.6), bounded, because the sender is not trusted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from qverify_desktop.domain.errors import HostedFailure

#: Bytes of one line, of the data of one event, and of one stream: 60 events a second for a quarter of an hour fit into it.
MOST_LINE, MOST_DATA, MOST_STREAM = 64 * 1024, 256 * 1024, 16 * 1024 * 1024
#: Characters of an event's id: it goes back in a header.
MOST_ID = 200


@dataclass(frozen=True)
class ServerEvent:
    """One event. ``id`` is the last id that was told, with which the stream is gone on with."""

    id: str
    event: str
    data: str


async def read_events(pieces: AsyncIterator[bytes]) -> AsyncIterator[ServerEvent]:
    """The events of a stream. What is unfinished at its end is dropped. Raises ``HostedFailure`` beyond a bound."""
    last, kind, data, size = "", "", list[str](), 0
    async for raw in _lines(pieces):
        line = raw.decode("utf-8", "replace")
        if not line:
            if data:
                yield ServerEvent(last, kind or "message", "\n".join(data))
            kind, data, size = "", [], 0
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            size += len(value)
            if size > MOST_DATA:
                raise _too_long()
            data.append(value)
        elif name == "event":
            kind = value[:100]
        elif name == "id" and "\0" not in value and len(value) <= MOST_ID and value.isascii() and value.isprintable():
            last = value


async def _lines(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Lines without their ends, which are CR LF, LF or CR."""
    left, after_return, first, read = b"", False, True, 0
    async for piece in pieces:
        read += len(piece)
        if read > MOST_STREAM:
            raise _too_long()
        if after_return and piece.startswith(b"\n"):
            piece = piece[1:]
        after_return = piece.endswith(b"\r") if piece else after_return
        *whole, left = (left + piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")).split(b"\n")
        for line in whole:
            yield line.removeprefix(b"\xef\xbb\xbf") if first else line
            first = False
        if len(left) > MOST_LINE:
            raise _too_long()


def _too_long() -> HostedFailure:
    return HostedFailure(
        "The hosted service told more, or a longer event, than any should be, so it was not read on.",
        "It is asked again later.",
        again=True,
    )
