"""The work that nobody waits for at a connection: checking bundles, running analyses, throwing away what was not completed.

A piece of work belongs to the replica that holds its lease. A replica that dies stops renewing, and another one begins the
piece anew; what it finds is written in one transaction, and only while the lease is still its own. So each is done once.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable

from tests.hosted_service import analysing, checking
from tests.hosted_service.faults import point
from tests.hosted_service.house import House
from tests.hosted_service.imports import object_key
from tests.hosted_service.store import Row, happened, one

#: Seconds between two looks for work, should a notification be missed.
LOOK_S = 0.2
KINDS: dict[str, tuple[str, Callable[[House, Row], Awaitable[None]]]] = {
    "imports": ("('checking')", checking.check),
    "analyses": ("('queued', 'running')", analysing.analyse),
}


async def work(house: House) -> None:
    """Look for work for as long as the replica lives."""
    while True:
        try:
            async with house.store.connection(autocommit=True) as connection:
                await connection.execute("listen work")
                while True:
                    while await expire(house) or await work_once(house):
                        pass
                    async for _ in connection.notifies(timeout=LOOK_S, stop_after=1):
                        pass
        except Exception:  # the next look may find the database again
            traceback.print_exc(file=sys.stderr)
            await asyncio.sleep(LOOK_S)


async def work_once(house: House) -> bool:
    """Take one piece of work, of whichever kind, and do it. False when there is none."""
    for table, (states, run) in KINDS.items():
        async with house.store.connection() as connection:
            lease = await house.setting(connection, "lease_s")
            row = await one(
                connection,
                f"update {table} set lease_owner = %s, lease_until = now() + make_interval(secs => %s), tries = tries + 1 "
                f"where id = (select id from {table} where state in {states} and coalesce(lease_until, now()) <= now() "
                "order by number limit 1 for update skip locked) returning *",
                house.name,
                lease,
            )
        if row is not None:
            async with renewed(house, table, row, lease):
                await point(house.store, f"{table} claimed")
                await run(house, row)
            return True
    return False


@contextlib.asynccontextmanager
async def renewed(house: House, table: str, row: Row, lease: float) -> AsyncIterator[None]:
    """Keep the lease for the time of a ``with``; work that fails gives it back, so that it is tried again."""

    async def renew() -> None:
        while True:
            await asyncio.sleep(lease / 4)
            async with house.store.connection() as connection:
                await connection.execute(
                    f"update {table} set lease_until = now() + make_interval(secs => %s) where id = %s and lease_owner = %s",
                    (lease, row["id"], house.name),
                )

    heart = asyncio.create_task(renew())
    try:
        yield
    except Exception:  # a defect here, or a part of the house that is away for the moment
        traceback.print_exc(file=sys.stderr)
        await asyncio.sleep(min(lease, 0.1 * 2 ** row["tries"]))
        async with house.store.connection() as connection:
            await connection.execute(f"update {table} set lease_until = now() where id = %s", (row["id"],))
    finally:
        heart.cancel()


async def expire(house: House) -> bool:
    """Throw away one upload whose time is over."""
    async with house.store.connection() as connection:
        row = await one(
            connection,
            "update imports set state = 'expired', updated = now() where id = (select id from imports where state = 'uploading' "
            "and expires <= now() limit 1 for update skip locked) returning *",
        )
        if row is None:
            return False
        await happened(connection, row["id"], "state", "expired", "The upload was not completed in time.")
        await house.stored(house.bundles.abort, object_key(row), row["upload"])
    return True
