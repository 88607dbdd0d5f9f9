"""Appends a step's events to the log: one transaction with the driver alone, where the library's own work would take longer than
the disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.evidence.canonical import canonical
from qverify_desktop.evidence.merkle import Edge, leaf_hash
from qverify_desktop.evidence.tiles import keep_tiles
from qverify_desktop.storage.schema import IS_HEADER

ENTRY_VERSION = 1
OPENED, CLOSED = "run_opened", "run_closed"


@dataclass(frozen=True)
class StoredEvent:
    """An event whose blobs lie in the artefact store: key to (salt, digest, bytes)."""

    type: str
    data: dict[str, Any]
    blobs: dict[str, tuple[bytes, str, int]]


@dataclass(frozen=True)
class Place:
    """Where events belong: the log, the run, the step, and the clock of the machine (RFC 3339)."""

    origin: str
    run: str
    step: str
    at: str


def append_step(connection: sqlite3.Connection, place: Place, result: str, events: Sequence[StoredEvent]) -> str:
    """Record a step with its result and its events; one that was recorded before stands. Answers the digest that stands.

    Raises ``QVerifyError`` for events out of order: nothing before ``run_opened``, nothing after ``run_closed``.
    """
    standing = connection.execute(
        "SELECT result FROM steps WHERE run = ? AND step = ?", (place.run, place.step)
    ).fetchone()
    if standing is not None:
        return str(standing[0])
    last = connection.execute(
        "SELECT type, seq, leaf_hash FROM entries WHERE run = ? ORDER BY seq DESC LIMIT 1", (place.run,)
    ).fetchone()
    if last is not None and last[0] == CLOSED:
        raise QVerifyError(f"The evidence of the run {place.run} is closed; nothing can be added to it.")
    seq, prev = (0, "") if last is None else (last[1] + 1, last[2].hex())
    connection.execute(
        "INSERT INTO steps (run, step, result, first_seq, events, recorded_at) VALUES (?, ?, ?, ?, ?, ?)",
        (place.run, place.step, result, seq, len(events), place.at),
    )
    if events:
        _append(connection, place, seq, prev, events)
    return result


def _append(connection: sqlite3.Connection, place: Place, seq: int, prev: str, events: Sequence[StoredEvent]) -> None:
    size, stored = connection.execute("SELECT size, edge FROM log WHERE id = 1").fetchone()
    edge = Edge(size, stored)
    entries, salts = [], []
    for position, event in enumerate(events):
        if (event.type == OPENED) != (seq == 0):
            raise QVerifyError(
                f"The evidence of a run begins with {OPENED} and has no other; {event.type} was not recorded."
            )
        if event.type == CLOSED and position + 1 < len(events):
            raise QVerifyError(f"Nothing can follow {CLOSED} in the evidence of the run {place.run}.")
        data = event.data
        if event.type == CLOSED:
            data = {**data, "entries": seq + 1, "others": _others(connection, place.run)}
        leaf = canonical(
            {
                "v": ENTRY_VERSION,
                "log": place.origin,
                "run": place.run,
                "seq": seq,
                "prev": prev,
                "step": place.step,
                "type": event.type,
                "at": place.at,
                "data": data,
            }
        )
        hashed = leaf_hash(leaf)
        entries.append((edge.size, place.run, seq, place.step, event.type, leaf, hashed))
        for key, (salt, digest, length) in event.blobs.items():
            salts.append((edge.size, key, salt, digest, length))
        edge.append(hashed)
        seq, prev = seq + 1, hashed.hex()
    connection.executemany(
        'INSERT INTO entries ("index", run, seq, step, type, leaf, leaf_hash) VALUES (?, ?, ?, ?, ?, ?, ?)', entries
    )
    connection.executemany('INSERT INTO salts ("index", key, salt, sha256, bytes) VALUES (?, ?, ?, ?, ?)', salts)
    connection.execute("UPDATE log SET size = ?, edge = ? WHERE id = 1", (edge.size, edge.to_bytes()))
    keep_tiles(connection, size, edge.size)


def _others(connection: sqlite3.Connection, run: str) -> dict[str, int]:
    """How many other runs the log has opened and closed so far: with it in the close, none can be left out of a bundle."""
    counts: dict[str, int] = dict(
        connection.execute(
            f"SELECT type, count(*) FROM entries WHERE {IS_HEADER} AND run <> ? GROUP BY type",  # noqa: S608 - a constant
            (run,),
        ).fetchall()
    )
    return {"opened": counts.get(OPENED, 0), "closed": counts.get(CLOSED, 0)}
