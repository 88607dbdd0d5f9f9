"""Messages of the control socket: one line of JSON each.

A request is ``{"v": 1, "method": "runs", "params": {}}``, an answer ``{"result": …}`` or ``{"error": {"kind", "sentence",
"remedy"}}``. ``watch`` sends lines ``{"event": …}`` before its answer.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from qverify_desktop.domain.errors import QVerifyError

PROTOCOL = 1
#: Seconds that a reader may take for one line before it is let go.
SLOW_READER_SECONDS = 30.0


class OwnerGone(QVerifyError):
    """The process that owns the state folder ended while it was asked."""


def line_of(message: Mapping[str, Any]) -> bytes:
    """A message as it goes over the socket."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


async def send(writer: asyncio.StreamWriter, message: Mapping[str, Any]) -> None:
    """Raises ``ConnectionError`` when the other end is gone and ``TimeoutError`` when it doesn't read."""
    await send_line(writer, line_of(message))


async def send_line(writer: asyncio.StreamWriter, line: bytes) -> None:
    """Like ``send``, of a message that is a line already."""
    writer.write(line)
    async with asyncio.timeout(SLOW_READER_SECONDS):
        await writer.drain()


async def receive(reader: asyncio.StreamReader) -> dict[str, Any]:
    """The owner's next message. Raises ``OwnerGone`` when there is none, ``QVerifyError`` when it is no message."""
    try:
        line = await reader.readline()
    except (ValueError, OSError) as error:
        raise OwnerGone("The other QVerify process broke off its answer.", "Ask again.") from error
    if not line.endswith(b"\n"):
        raise OwnerGone(
            "The QVerify process that worked on this has ended. What was finished is recorded.",
            "An interrupted run goes on with: qverify resume RUN",
        )
    try:
        message = json.loads(line)
    except ValueError as error:
        raise QVerifyError("The other QVerify process answered with something that is no JSON.") from error
    if not isinstance(message, dict):
        raise QVerifyError("The other QVerify process answered with something that is no answer.")
    return message
