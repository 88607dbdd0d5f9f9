"""What a worker does with an analysis: scripted stages at the pace that the test sets, and at the end a real bundle of a real log."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import tempfile
import time
from pathlib import Path
from typing import Any

from psycopg.types.json import Jsonb

from qverify_desktop.analysis.ports import Evidence
from qverify_desktop.evidence.journal import EvidenceJournal
from qverify_desktop.evidence.signing import Signer
from qverify_desktop.evidence.verify import verify_bundle
from qverify_desktop.storage.artefacts import ArtefactStore
from qverify_desktop.storage.database import Database
from tests.hosted_service.contract import Refusal
from tests.hosted_service.faults import point
from tests.hosted_service.house import House
from tests.hosted_service.store import Connection, Row, happened, one

STAGES = (("cloning", 1), ("detecting", 2), ("running", 4), ("closing", 1))
#: What one step costs where a model is asked, millionths of a dollar.
STEP_COST = 1250
RUN = "run-1"


async def analyse(house: House, row: Row) -> None:
    """Run one analysis, from its beginning should another replica have begun it."""
    async with house.store.connection() as connection:
        pace, failing = await house.setting(connection, "pace_s"), await house.setting(connection, "failing_analyses")
    for stage, total in STAGES:
        for done in range(total + 1):
            if not await step(house, row, stage, done, total):
                return None
            await asyncio.sleep(pace)
        await point(house.store, f"analyses {stage}")
        if failing and stage == "detecting":
            return await end(
                house, row, Refusal("internal", "The repository could not be read. Nothing was charged.")
            )
    with tempfile.TemporaryDirectory(dir=house.scratch) as scratch:
        result, bundle = await asyncio.to_thread(written, house, row, Path(scratch))
        key = f"{row['org']}/{row['id']}.qvevidence.zip"
        await house.stored(house.bundles.put, key, bundle)
    await point(house.store, "analyses written")
    return await end(house, row, result)


async def mine(house: House, connection: Connection, row: Row) -> Row | None:
    current = await one(connection, "select * from analyses where id = %s for update", row["id"])
    going = current is not None and current["state"] in ("queued", "running") and current["lease_owner"] == house.name
    return current if going else None


async def step(house: House, row: Row, stage: str, done: int, total: int) -> bool:
    """Record one step. False where somebody ended the analysis, or another replica has it."""
    async with house.store.connection() as connection:
        current = await mine(house, connection, row)
        if current is None:
            return False
        cost = STEP_COST if done and row["request"]["model"] == "default" else 0
        await connection.execute(
            "update analyses set state = 'running', stage = %s, done = %s, total = %s, cost = cost + %s, updated = now() "
            "where id = %s",
            (stage, done, total, cost, row["id"]),
        )
        if current["state"] == "queued":
            await happened(connection, row["id"], "state", "running", "A worker has begun.", stage=stage, total=total)
        sentence = f"{stage.capitalize()}: {done} of {total}."
        await happened(connection, row["id"], "progress", "running", sentence, stage=stage, done=done, total=total)
    return True


async def end(house: House, row: Row, outcome: dict[str, Any] | Refusal) -> None:
    """Write how it ended, once."""
    failed = isinstance(outcome, Refusal)
    body = outcome.body(secrets.token_hex(16)) if isinstance(outcome, Refusal) else outcome
    state, column = ("failed", "problem") if failed else ("done", "result")
    async with house.store.connection() as connection:
        if await mine(house, connection, row) is None:
            return
        await connection.execute(
            f"update analyses set state = %s, {column} = %s, bundle = %s, stage = '', done = 0, total = 0, updated = now() "
            "where id = %s",
            (state, Jsonb(body), f"{row['org']}/{row['id']}.qvevidence.zip", row["id"]),
        )
        sentence = str(body["detail"]) if failed else "The analysis is done."
        await happened(connection, row["id"], "state", state, sentence)


def written(house: House, row: Row, folder: Path) -> tuple[dict[str, Any], Path]:
    """A log with one run, its bundle, and the result as the contract wants it. Blocking."""
    origin = f"hosted.test/log/{row['id']}"
    signer = Signer(origin, hashlib.sha256(row["id"].encode()).digest(), "keyring")
    database = Database(folder / "qverify.db")
    try:
        journal = EvidenceJournal(database, ArtefactStore(folder / "artefacts"), signer)
        request = row["request"]
        opened = {"plan": request["scope"], "commit": request["source"]["commit"], "url": request["source"]["url"]}
        journal.record(RUN, "open", "ab" * 32, [Evidence("run_opened", opened, {})])
        journal.checkpoint(RUN)
        tried = {"purpose": "judge", "exit_code": 0}
        journal.record(RUN, "work", "ab" * 32, [Evidence("execution", tried, {"output": b"ok\n"})])
        journal.record(RUN, "close", "ab" * 32, [Evidence("run_closed", {"outcome": "done"}, {"sentence": b"Done."})])
        journal.checkpoint(RUN)
        bundle = folder / "bundle.zip"
        journal.bundle(RUN, bundle)
    finally:
        database.close()
    raw, key = bundle.read_bytes(), str(signer.verifier_key)
    answer = verify_bundle(bundle, public_key=key)
    result = {"run": RUN, "origin": origin, "public_key": key, "targets": 12, "tests": 9, "suspected_defects": 1}
    result |= {"coverage_before": 412, "coverage_after": 873}
    result |= {"bundle": {"size": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}}
    return result | {"checkpoint": house.cosigner.cosign(answer["checkpoint"], int(time.time()))}, bundle
