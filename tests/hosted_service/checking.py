"""What a worker does with an uploaded bundle: join, read, verify, countersign."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from psycopg.types.json import Jsonb

from qverify_desktop.evidence.verify import BundleUnreadable, verify_bundle
from tests.hosted_service.checkpoints import announced, root_text
from tests.hosted_service.contract import Refusal
from tests.hosted_service.faults import point
from tests.hosted_service.house import House
from tests.hosted_service.imports import diverged, object_key
from tests.hosted_service.signing_keys import (
    REVOKED,
    Change,
    changes_of,
    follow,
    in_use_after,
    key_changed,
    signers_at,
)
from tests.hosted_service.store import Connection, Row, happened, now, one, text

#: After that many tries of one bundle the service gives up.
MOST_TRIES = 5


async def check(house: House, row: Row) -> None:
    """Accept or reject the bundle of an import."""
    if row["tries"] > MOST_TRIES:
        return await reject(house, row, Refusal("internal", "The service failed over this bundle again and again."))
    await house.stored(house.bundles.complete, object_key(row), row["upload"])
    await point(house.store, "imports joined")
    with tempfile.TemporaryDirectory(dir=house.scratch) as scratch:
        bundle, known = Path(scratch) / "bundle.zip", Path(scratch) / "known"
        size = row["request"]["size"]
        digest = await house.stored(house.bundles.fetch, object_key(row), bundle)
        await progress(house, row, "reading", "The bundle was read.", size, size)
        await point(house.store, "imports read")
        if digest != row["sha256"]:
            return await reject(house, row, Refusal("digest-mismatch", "Send the bundle again."))
        while True:
            async with house.store.connection() as connection:
                log = await log_of(connection, row)
            try:
                answer = await verified(house, row, log, bundle, known)
                changes = await asyncio.to_thread(changes_of, bundle)
                notices = keys_fit(row["request"], log, changes)
            except Refusal as refusal:
                return await reject(house, row, refusal)
            await point(house.store, "imports verified")
            if await accept(house, row, log, {**answer, "notices": [*answer["notices"], *notices]}, changes):
                return None


async def verified(house: House, row: Row, log: Row | None, bundle: Path, known: Path) -> Mapping[str, Any]:
    """The verifier's answer. Raises ``Refusal`` where the bundle does not hold, or not with what the service knows of its log."""
    request = row["request"]
    checkpoint = announced(request["checkpoint"], request["public_key"])
    newer = log is not None and checkpoint.size >= log["size"]
    if log is not None:
        known.write_text(log["note"])
    try:
        answer = await asyncio.to_thread(
            verify_bundle, bundle, public_key=request["public_key"], known_checkpoint=known if newer else None
        )
    except BundleUnreadable as error:
        raise Refusal("bundle-invalid", error.sentence[:900]) from None
    if answer["grade"] == "DIVERGED" and log is not None:
        raise diverged(log)
    if not answer["valid"]:
        raise Refusal("bundle-invalid", f"{answer['grade']}. {' '.join(answer['problems'])}"[:900])
    found = answer["run"], answer["origin"], answer["disclosure"], _body(answer["checkpoint"])
    if found != (request["run"], checkpoint.origin, request["disclosure"], _body(request["checkpoint"])):
        raise Refusal(
            "announcement-mismatch", "Run, log, disclosure or checkpoint of the bundle are not those announced."
        )
    if log is not None and not newer:
        # The bundle is older than what is known: then what is known has to extend the bundle.
        later = known.with_name("later.zip")
        await house.stored(house.bundles.fetch, log["bundle"], later)
        known.write_text(answer["checkpoint"])
        other = await asyncio.to_thread(verify_bundle, later, public_key=log["public_key"], known_checkpoint=known)
        if other["grade"] == "DIVERGED":
            raise diverged(log)
    return answer


def keys_fit(request: Mapping[str, Any], log: Row | None, changes: Sequence[Change]) -> list[str]:
    """What is to be remarked on the key that signed; the verifier has seen already that the bundle holds in itself. Raises ``Refusal``
    where the log's records don't lead from the key that is known to the one that signed."""
    size = announced(request["checkpoint"], request["public_key"]).size
    if log is None or size < log["size"]:
        # New, or looked at when it was announced.
        return []
    since = log["size"]
    follow(log["public_key"], since, changes)
    if request["public_key"] not in signers_at(size, log["public_key"], changes):
        raise key_changed(log["public_key"])
    return [
        f"The key was {change.kind} at entry {change.size - 1}; "
        + (
            "the sign-in of the organisation stands for the new one."
            if change.kind == REVOKED
            else "the log hands its trust on to the new one."
        )
        for change in changes
        if change.size > since
    ]


def _body(note: str) -> str:
    return note.rpartition("\n\n")[0]


async def log_of(connection: Connection, row: Row, lock: bool = False) -> Row | None:
    return await one(
        connection,
        "select * from logs where org = %s and origin = %s" + (" for update" if lock else ""),
        row["org"],
        row["request"]["origin"],
    )


async def mine(house: House, connection: Connection, row: Row) -> bool:
    """Whether the import still waits for this replica's word; locks it."""
    current = await one(connection, "select state, lease_owner from imports where id = %s for update", row["id"])
    return current is not None and (current["state"], current["lease_owner"]) == ("checking", house.name)


async def progress(house: House, row: Row, stage: str, sentence: str, done: int, total: int) -> None:
    async with house.store.connection() as connection:
        if await mine(house, connection, row):
            await happened(
                connection, row["id"], "progress", "checking", sentence, stage=stage, done=done, total=total
            )


async def accept(
    house: House, row: Row, seen: Row | None, answer: Mapping[str, Any], changes: Sequence[Change]
) -> bool:
    """Write result, countersignature and event together. False where the log was extended meanwhile: look again."""
    request = row["request"]
    checkpoint = announced(answer["checkpoint"], request["public_key"])
    root, at = root_text(checkpoint), now()
    cosigned = house.cosigner.cosign(answer["checkpoint"], int(time.time()))
    async with house.store.connection() as connection:
        if not await mine(house, connection, row):
            return True
        # A log that nobody knows yet has no row to lock.
        await connection.execute(
            "select pg_advisory_xact_lock(hashtextextended(%s, 1))", (f"{row['org']} {checkpoint.origin}",)
        )
        log = await log_of(connection, row, lock=True)
        if (log and log["note"]) != (seen and seen["note"]):
            return False
        result = {"grade": answer["grade"], "meaning": answer["meaning"], "events": answer["events"]}
        result |= {"notices": [notice[:1000] for notice in answer["notices"][:100]], "checkpoint": cosigned}
        result |= {"size": checkpoint.size, "root": root, "cosigned_at": text(at.replace(microsecond=0))}
        await connection.execute(
            "update imports set state = 'accepted', result = %s, updated = now() where id = %s",
            (Jsonb(result), row["id"]),
        )
        await connection.execute(
            "insert into checkpoints values (%s, %s, %s, %s) on conflict do nothing",
            (row["org"], checkpoint.origin, checkpoint.size, root),
        )
        if log is None or checkpoint.size >= log["size"]:
            for change in changes:
                await connection.execute(
                    "insert into key_changes values (%s, %s, %s, %s, %s, %s) on conflict do nothing",
                    (row["org"], checkpoint.origin, change.size, change.kind, change.old, change.new),
                )
            await connection.execute(
                "insert into logs values (%s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict (org, origin) do update set "
                "public_key = excluded.public_key, size = excluded.size, root = excluded.root, note = excluded.note, cosigned = excluded.cosigned, "
                "bundle = excluded.bundle, accepted = excluded.accepted",
                (
                    *(row["org"], checkpoint.origin, in_use_after(request["public_key"], changes)),
                    *(checkpoint.size, root),
                    *(answer["checkpoint"], cosigned, object_key(row), at),
                ),
            )
        sentence = f"{answer['grade']}. The bundle is accepted and its checkpoint countersigned."
        await happened(connection, row["id"], "state", "accepted", sentence)
        await point(house.store, "imports decided")
    return True


async def reject(house: House, row: Row, refusal: Refusal) -> None:
    problem = refusal.body(secrets.token_hex(16))
    async with house.store.connection() as connection:
        if await mine(house, connection, row):
            await connection.execute(
                "update imports set state = 'rejected', problem = %s, updated = now() where id = %s",
                (Jsonb(problem), row["id"]),
            )
            await happened(connection, row["id"], "state", "rejected", refusal.detail)
            await point(house.store, "imports decided")
