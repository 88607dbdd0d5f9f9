"""Server-sent events out of the database, and pages of a list."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from tests.hosted_service.contract import Refusal, Request
from tests.hosted_service.house import Answer, House
from tests.hosted_service.store import FINAL, Connection, Row, one, rows


async def owned(connection: Connection, table: str, request: Request, lock: bool = False) -> Row:
    """The row that the path names. Raises ``Refusal``: 404 also where it is another organisation's."""
    suffix = " for update" if lock else ""
    row = await one(
        connection, f"select * from {table} where id = %s and org = %s{suffix}", request.path["id"], request.org
    )
    if row is None:
        raise Refusal("not-found", "There is nothing of that name in your organisation.")
    return row


async def watch(house: House, table: str, request: Request) -> Answer:
    """The events of an import or analysis after ``Last-Event-ID``."""
    after = int(request.headers.get("last-event-id", "0"))
    async with house.store.connection() as connection:
        row = await owned(connection, table, request)
        keep_alive = await house.setting(connection, "keep_alive_s")
        last = await one(connection, "select coalesce(max(id), 0) as id from events where resource = %s", row["id"])
    if row["state"] in FINAL and last is not None and after >= last["id"]:
        return Answer(204)
    return Answer(200, stream=events(house, row["id"], after, keep_alive))


async def events(house: House, resource: str, after: int, keep_alive_s: float) -> AsyncIterator[bytes]:
    """The stream. It listens before it looks, so nothing falls between."""
    async with house.store.connection(autocommit=True) as connection:
        await connection.execute("listen events")
        yield b"retry: 1000\n\n"
        while True:
            for row in await rows(
                connection, "select id, body from events where resource = %s and id > %s order by id", resource, after
            ):
                after, body = row["id"], row["body"]
                line = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
                yield f"id: {after}\nevent: {body['type']}\ndata: {line}\n\n".encode()
                if body["type"] == "state" and body["state"] in FINAL:
                    return
            if not await _woken(connection, resource, keep_alive_s):
                yield b": still here\n\n"


async def _woken(connection: Connection, resource: str, seconds: float) -> bool:
    """Whether something happened to ``resource`` within ``seconds``."""
    end = asyncio.get_running_loop().time() + seconds
    while (left := end - asyncio.get_running_loop().time()) > 0:
        async for notice in connection.notifies(timeout=left, stop_after=1):
            if notice.payload == resource:
                return True
    return False


async def page(house: House, table: str, request: Request, shown: Callable[[Row], Any]) -> Answer:
    """A page of the organisation's rows, newest first; the cursor is the number of the last one."""
    cursor, limit = request.query["cursor"], request.query["limit"]
    async with house.store.connection() as connection:
        found = await rows(
            connection,
            f"select * from {table} where org = %s and number < %s order by number desc limit %s",
            request.org,
            int(cursor) if cursor else (1 << 63) - 1,
            limit + 1,
        )
    body = {table: [shown(row) for row in found[:limit]]}
    return Answer(200, body | ({"next": str(found[limit - 1]["number"])} if len(found) > limit else {}))
