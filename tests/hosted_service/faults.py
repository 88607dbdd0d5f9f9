"""What a test wants to go wrong. The plan lies in the database, so a fault strikes once, whichever replica meets it.

A fault is ``{"method", "path", "action", "times"}``: ``path`` is a regular expression for the path of a request, or with the
method ``WORKER`` the name of a point in the work that nobody asks for. Its ``action`` is one of

``{"status": 503, "retry_after": 1}``  that answer (429, 500 or 503) in place of the real one
``{"cut": "before"}``                  the connection ends before anything was done
``{"cut": "after"}``                   it ends after everything was done, before the answer
``{"cut_after": 100}``                 it ends after that many bytes of the answer's body
``{"delay_s": 0.5}``                   a pause before anything is done; also together with the others
``{"kill": "before" | "after"}``       the replica dies by SIGKILL; at a point of the worker only ``before``
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from tests.hosted_service.contract import Refusal
from tests.hosted_service.store import Store, one

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
NAMES = {429: "rate-limited", 500: "internal", 503: "unavailable"}


async def next_fault(store: Store, method: str, path: str) -> dict[str, Any]:
    """Take the next fault that is planned for this, if any."""
    async with store.connection() as connection:
        row = await one(
            connection,
            "update faults set remaining = remaining - 1 where number = (select number from faults where remaining > 0 "
            "and method = %s and %s ~ path order by number limit 1 for update skip locked) returning action",
            method,
            path,
        )
    return {} if row is None else row["action"]


async def point(store: Store, name: str) -> None:
    """A point in a worker's work where a test may have it pause or die."""
    action = await next_fault(store, "WORKER", name)
    await asyncio.sleep(action.get("delay_s", 0))
    if "kill" in action:
        die()


def die() -> None:
    """As a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)


class Faults:
    """ASGI around the application, as near to the connection as can be."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]], store: Store) -> None:
        self.app, self.store = app, store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/_test/"):
            return await self.app(scope, receive, send)
        action = await next_fault(self.store, scope["method"], scope["path"])
        await asyncio.sleep(action.get("delay_s", 0))
        if action.get("kill") == "before":
            die()
        if action.get("cut") == "before":
            return cut(send)
        if "status" in action:
            return await planned_answer(action, send)
        left, after = action.get("cut_after", -1), "after" in (action.get("cut"), action.get("kill"))

        async def passed_on(message: Message) -> None:
            nonlocal left
            if after:
                return
            body = message.get("body", b"")
            if left >= 0 and body:
                message = dict(message) | {"body": body[:left], "more_body": True}
                left -= len(body)
                await send(message)
                if left <= 0:
                    left = 0
                    await asyncio.sleep(0.05)  # what was written has to be on its way
                    cut(send)
                return
            await send(message)

        await self.app(scope, receive, passed_on)
        if action.get("kill") == "after":
            die()
        if action.get("cut") == "after":
            cut(send)
        return None


async def planned_answer(action: dict[str, Any], send: Send) -> None:
    refusal = Refusal(NAMES[action["status"]], "A test planned this.")
    request_id = secrets.token_hex(16)
    headers = [(b"content-type", b"application/problem+json"), (b"request-id", request_id.encode())]
    if refusal.status in (429, 503):
        wait = int(action.get("retry_after", 1))
        headers.append((b"retry-after", str(wait).encode()))
        refusal.more["retry_after_s"] = wait
    body = json.dumps(refusal.body(request_id)).encode()
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def cut(send: Send) -> None:
    """End the connection. ASGI has no word for that; uvicorn's ``send`` is a method of what holds the transport."""
    cycle: Any = send.__self__  # type: ignore[attr-defined]
    cycle.transport.abort()
    cycle.disconnected = True
