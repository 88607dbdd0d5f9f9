"""Operations on analyses. What the worker finds in them is scripted; the bundle at the end is a real one."""

from __future__ import annotations

import datetime as dt
from typing import Any

from psycopg.types.json import Jsonb

from tests.hosted_service.contract import Refusal, Request
from tests.hosted_service.house import Answer, House, make_room
from tests.hosted_service.store import FINAL, Row, alone, fresh, happened, keep_key, known_key, now, one, text
from tests.hosted_service.watching import owned, page, watch

ADDRESS_LASTS_S = 300


def shown(row: Row) -> dict[str, Any]:
    """A row as the contract's ``Analysis``."""
    request = dict(row["request"])
    body = {"id": row["id"], "state": row["state"], "region": request.pop("region"), "request": request}
    body |= {"created_at": text(row["created"]), "updated_at": text(row["updated"]), "stage": row["stage"]}
    body |= {"done": row["done"], "total": row["total"], "cost_micro": row["cost"], "currency": "USD"}
    return body | {name: row[name] for name in ("result", "problem") if row[name] is not None}


async def create_analysis(house: House, request: Request) -> Answer:
    body, org, key = request.body, request.org, request.headers["idempotency-key"]
    async with house.store.connection() as connection:
        await alone(connection, org)
        known, same = await known_key(connection, org, key, body)
        if not same:
            raise Refusal("idempotency-key-reused", "This key came with another request before. Use a fresh one.")
        if known:
            row = await one(connection, "select * from analyses where id = %s", known)
            if row is None:
                raise Refusal("idempotency-key-reused", "This key came with an import before. Use a fresh one.")
            return Answer(200, shown(row))
        await make_room(house, connection, org, {"analyses": 1, "model_cost": 0})
        row = await one(
            connection,
            "insert into analyses (id, org, state, request) values (%s, %s, 'queued', %s) returning *",
            *(fresh("ana"), org, Jsonb(body | {"region": house.region})),
        )
        assert row is not None
        await keep_key(connection, org, key, body, row["id"])
        await happened(connection, row["id"], "state", "queued", "The analysis waits for a worker.")
        await connection.execute("notify work")
    return Answer(201, shown(row), {"Location": f"/v1/analyses/{row['id']}"})


async def list_analyses(house: House, request: Request) -> Answer:
    return await page(house, "analyses", request, shown)


async def get_analysis(house: House, request: Request) -> Answer:
    async with house.store.connection() as connection:
        return Answer(200, shown(await owned(connection, "analyses", request)))


async def cancel_analysis(house: House, request: Request) -> Answer:
    async with house.store.connection() as connection:
        row = await owned(connection, "analyses", request, lock=True)
        if row["state"] not in FINAL:
            changed = await one(
                connection,
                "update analyses set state = 'cancelled', stage = '', done = 0, total = 0, updated = now() where id = %s "
                "returning *",
                row["id"],
            )
            assert changed is not None
            row = changed
            await happened(connection, row["id"], "state", "cancelled", "Somebody ended the analysis.")
    return Answer(200, shown(row))


async def watch_analysis(house: House, request: Request) -> Answer:
    return await watch(house, "analyses", request)


async def get_analysis_bundle(house: House, request: Request) -> Answer:
    async with house.store.connection() as connection:
        row = await owned(connection, "analyses", request)
    if row["result"] is None:
        raise Refusal("wrong-state", f"The analysis is {row['state']} and has no bundle.", state=row["state"])
    url = house.bundles.address(row["bundle"], ADDRESS_LASTS_S)
    ends = now() + dt.timedelta(seconds=ADDRESS_LASTS_S)
    return Answer(200, row["result"]["bundle"] | {"url": url, "expires_at": text(ends)})
