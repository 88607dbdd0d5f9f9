"""Operations on imports: announce, upload, complete, cancel, watch."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

from psycopg.types.json import Jsonb

from tests.hosted_service.checkpoints import announced, root_text
from tests.hosted_service.contract import Refusal, Request
from tests.hosted_service.house import Answer, House, make_room
from tests.hosted_service.signing_keys import Change, key_changed, signers_at
from tests.hosted_service.store import (
    Connection,
    Row,
    alone,
    fresh,
    happened,
    keep_key,
    known_key,
    now,
    one,
    rows,
    text,
)
from tests.hosted_service.watching import owned, page, watch


def object_key(row: Row) -> str:
    """Where its bundle lies."""
    return f"{row['org']}/{row['id']}.qvevidence.zip"


def shown(row: Row) -> dict[str, Any]:
    """A row as the contract's ``Import``."""
    request = row["request"]
    body = {
        "id": row["id"],
        "state": row["state"],
        "run": request["run"],
        "origin": request["origin"],
        "size": request["size"],
        "sha256": row["sha256"],
        "disclosure": request["disclosure"],
        "region": request["region"],
        "created_at": text(row["created"]),
        "updated_at": text(row["updated"]),
        "part_size": request["part_size"],
        "parts": parts_of(row),
    }
    if row["state"] == "uploading":
        body["expires_at"] = text(row["expires"])
    return body | {name: row[name] for name in ("result", "problem") if row[name] is not None}


def parts_of(row: Row) -> int:
    return math.ceil(int(row["request"]["size"]) / int(row["request"]["part_size"]))


def size_of(row: Row, number: int) -> int:
    """Bytes of a part."""
    size, part_size = row["request"]["size"], row["request"]["part_size"]
    return int(min(part_size, size - (number - 1) * part_size))


def ranges(numbers: list[int]) -> list[list[int]]:
    """Rising numbers as ``[first, last]``."""
    found: list[list[int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return found


async def create_import(house: House, request: Request) -> Answer:
    body, org, key = request.body, request.org, request.headers["idempotency-key"]
    checkpoint = announced(body["checkpoint"], body["public_key"])
    async with house.store.connection() as connection:
        await alone(connection, org)
        known, same = await known_key(connection, org, key, body)
        if not same:
            raise Refusal("idempotency-key-reused", "This key came with another bundle before. Use a fresh one.")
        there = await one(
            connection,
            "select * from imports where id = %s"
            if known
            else "select * from imports where org = %s and sha256 = %s "
            "and state in ('uploading', 'checking', 'accepted')",
            *((known,) if known else (org, body["sha256"])),
        )
        if there is not None:
            if not known:
                await keep_key(connection, org, key, body, there["id"])
            return Answer(200, shown(there))
        limits = await house.setting("limits")
        largest = min(limits["max_bundle_size"], limits["part_size"] * limits["max_parts"])
        if body["size"] > largest:
            raise Refusal(
                "too-large", f"A bundle may have {largest} bytes. Send less of its contents.", limit=largest
            )
        await agrees(connection, org, checkpoint.origin, checkpoint.size, root_text(checkpoint), body["public_key"])
        await make_room(house, connection, org, {"imports": 1, "import_bytes": body["size"]})
        ends = now() + dt.timedelta(seconds=limits["upload_expires_s"])
        kept = body | {"origin": checkpoint.origin, "region": house.region, "part_size": limits["part_size"]}
        id = fresh("imp")
        upload = await house.stored(house.bundles.begin, object_key({"id": id, "org": org}))
        row = await one(
            connection,
            "insert into imports (id, org, state, request, sha256, upload, expires) values (%s, %s, 'uploading', %s, %s, %s, %s) "
            "returning *",
            *(id, org, Jsonb(kept), body["sha256"], upload, ends),
        )
        assert row is not None
        await keep_key(connection, org, key, body, id)
        await happened(connection, id, "state", "uploading", "The bundle is announced.", total=parts_of(row))
    return Answer(201, shown(row), {"Location": f"/v1/imports/{row['id']}"})


async def agrees(connection: Connection, org: str, origin: str, size: int, root: str, public_key: str) -> None:
    """Raises ``Refusal``: 409 where a checkpoint contradicts what was accepted of its log. Not all of it shows here."""
    log = await one(connection, "select * from logs where org = %s and origin = %s", org, origin)
    if log is None:
        return
    changes = await changes_known(connection, org, origin)
    retired = {change.old: change for change in changes}
    if size <= log["size"]:
        if public_key not in signers_at(size, log["public_key"], changes):
            raise key_changed(log["public_key"], "It is not the key that signed the log when it was of this size.")
    elif public_key in retired:
        change = retired[public_key]
        raise key_changed(
            log["public_key"], f"The key that came was {change.kind} at entry {change.size - 1} of the log."
        )
    # Whether the log itself leads to a key that was never seen before shows in the bundle.
    seen = await one(
        connection, "select root from checkpoints where org = %s and origin = %s and size = %s", org, origin, size
    )
    if seen is not None and seen["root"] != root:
        raise diverged(log)


async def changes_known(connection: Connection, org: str, origin: str) -> list[Change]:
    """The changes of the signing key that the service has accepted, in order."""
    found = await rows(
        connection,
        "select size, kind, old, new from key_changes where org = %s and origin = %s order by size",
        org,
        origin,
    )
    return [Change(**row) for row in found]


def diverged(log: Row) -> Refusal:
    known = {"origin": log["origin"], "size": log["size"], "root": log["root"], "checkpoint": log["cosigned"]}
    return Refusal(
        "diverged",
        "The log contradicts what the service accepted of it before: an entry was changed or left out since. Nothing was imported.",
        known_checkpoint=known | {"accepted_at": text(log["accepted"])},
    )


async def list_imports(house: House, request: Request) -> Answer:
    return await page(house, "imports", request, shown)


async def get_import(house: House, request: Request) -> Answer:
    async with house.store.connection() as connection:
        return Answer(200, shown(await owned(connection, "imports", request)))


async def get_checkpoint(house: House, request: Request) -> Answer:
    async with house.store.connection() as connection:
        log = await one(
            connection, "select * from logs where org = %s and origin = %s", request.org, request.query["origin"]
        )
    if log is None:
        raise Refusal("not-found", "The service has accepted nothing of that log yet.")
    return Answer(200, diverged(log).more["known_checkpoint"])


def need_state(row: Row, *states: str) -> None:
    if row["state"] not in states:
        raise Refusal("wrong-state", f"The import is {row['state']}.", state=row["state"])


async def cancel_import(house: House, request: Request) -> Answer:
    async with house.store.connection() as connection:
        row = await owned(connection, "imports", request, lock=True)
        need_state(row, "uploading", "cancelled")
        if row["state"] == "uploading":
            await connection.execute(
                "update imports set state = 'cancelled', updated = now() where id = %s", (row["id"],)
            )
            await happened(connection, row["id"], "state", "cancelled", "The upload was given up.")
            await house.stored(house.bundles.abort, object_key(row), row["upload"])
    return Answer(204)


async def arrived(house: House, row: Row) -> list[int]:
    """Numbers of the parts that are there in full, rising."""
    there = await house.stored(house.bundles.parts, object_key(row), row["upload"])
    return [number for number, (size, _) in sorted(there.items()) if size == size_of(row, number)]


def missing(row: Row, there: list[int]) -> list[list[int]]:
    have = set(there)
    return ranges([number for number in range(1, parts_of(row) + 1) if number not in have])


async def list_parts(house: House, request: Request) -> Answer:
    async with house.store.connection() as connection:
        row = await owned(connection, "imports", request, lock=True)
        need_state(row, "uploading")
        there = await arrived(house, row)
    body = {"part_size": row["request"]["part_size"], "parts": parts_of(row)}
    return Answer(200, body | {"arrived": ranges(there), "missing": missing(row, there)})


async def sign_parts(house: House, request: Request) -> Answer:
    async with house.store.connection() as connection:
        row = await owned(connection, "imports", request)
        need_state(row, "uploading")
        expires = await house.setting("part_expires_s")
    numbers, part_size = request.body["numbers"], row["request"]["part_size"]
    if max(numbers) > parts_of(row):
        errors = [{"pointer": "/numbers", "detail": f"The bundle has {parts_of(row)} parts."}]
        raise Refusal("invalid", "The bundle has no such part.", errors=errors)
    ends = text(now() + dt.timedelta(seconds=expires))
    parts = [
        {
            "number": number,
            "offset": (number - 1) * part_size,
            "size": size_of(row, number),
            "method": "PUT",
            "url": house.bundles.part_address(object_key(row), row["upload"], number, expires),
            "headers": {},
            "expires_at": ends,
        }
        for number in numbers
    ]
    return Answer(200, {"parts": parts})


async def complete_import(house: House, request: Request) -> Answer:
    async with house.store.connection() as connection:
        row = await owned(connection, "imports", request, lock=True)
        need_state(row, "uploading", "checking", "accepted", "rejected")
        if row["state"] == "uploading":
            if gaps := missing(row, await arrived(house, row)):
                raise Refusal("parts-missing", "Send the parts that are missing, then try again.", missing=gaps)
            changed = await one(
                connection,
                "update imports set state = 'checking', updated = now() where id = %s returning *",
                row["id"],
            )
            assert changed is not None
            row = changed
            await happened(connection, row["id"], "state", "checking", "All parts are there.", stage="waiting")
            await connection.execute("notify work")
    return Answer(202, shown(row))


async def watch_import(house: House, request: Request) -> Answer:
    return await watch(house, "imports", request)
