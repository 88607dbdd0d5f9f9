"""A small HTTP server on loopback whose every byte a test decides."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from qverify_desktop.domain.connections import Gate, Policy
from qverify_desktop.hosted.connection import Connection, Reach


@dataclass
class Asking:
    """What came: request line, headers with lower-case names, body."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Server:
    url: str = ""
    asked: list[Asking] = field(default_factory=list)


#: Bytes that are answered to a request; ``None`` hangs up without a word.
Answer = Callable[[Asking], bytes | None]


@asynccontextmanager
async def answering(
    answer: Answer, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[Server]:
    """A server that answers every request on a connection of its own."""
    server = Server()

    async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-2])}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            asking = Asking(head[0], headers, body)
            server.asked.append(asking)
            told = answer(asking)
            if told is not None:
                writer.write(told)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(attend, host, 0, ssl=tls)
    port = listening.sockets[0].getsockname()[1]
    server.url = f"{'https' if tls else 'http'}://{host}:{port}"
    try:
        yield server
    finally:
        listening.close()
        await listening.wait_closed()


def plain(status: str, body: bytes = b"{}", *headers: str) -> bytes:
    """An answer as it goes over the wire."""
    head = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close", *headers]
    return "\r\n".join([*head, "", ""]).encode() + body


@asynccontextmanager
async def connected(policy: Policy | None = None, **reach: object) -> AsyncIterator[Connection]:
    """A connection that may use plain http to this machine."""
    connection = Connection(Reach(plain_http=True, **reach), Gate(policy or Policy()))  # type: ignore[arg-type]
    try:
        yield connection
    finally:
        await connection.close()
