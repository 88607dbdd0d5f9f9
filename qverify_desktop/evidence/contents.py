"""What the database holds of a run and of its log: questions of the journal, each within one transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, select, text
from sqlalchemy.orm import Session

from qverify_desktop.evidence.bundle import Contents
from qverify_desktop.evidence.note import Checkpoint
from qverify_desktop.evidence.tiles import WIDTH, TileTree, keep_tiles, read_hashes
from qverify_desktop.storage.anchors import HELD
from qverify_desktop.storage.schema import IS_HEADER, AnchorRow, CheckpointRow, EntryRow, SaltRow


def last_of(session: Session, run: str) -> EntryRow | None:
    """The run's newest entry."""
    return session.scalars(select(EntryRow).where(EntryRow.run == run).order_by(EntryRow.seq.desc()).limit(1)).first()


def covering(close: EntryRow) -> Select[CheckpointRow]:
    """The first checkpoint at or after a close."""
    return select(CheckpointRow).where(CheckpointRow.size > close.index).order_by(CheckpointRow.size).limit(1)


def opening_of(session: Session, run: str) -> Mapping[str, Any]:
    """What the run's first entry says."""
    first = session.scalars(select(EntryRow.leaf).where(EntryRow.run == run, EntryRow.seq == 0)).one()
    said: Mapping[str, Any] = json.loads(first)["data"]
    return said


def contents_of(session: Session, origin: str, run: str, closing: CheckpointRow, attestations: bytes) -> Contents:
    """All that goes into the run's bundle, pinned to the checkpoint."""
    within = EntryRow.index < closing.size
    leaves = select(EntryRow.index, EntryRow.leaf).where(within).order_by(EntryRow.index)
    salts = (select(SaltRow).join(EntryRow, EntryRow.index == SaltRow.index).where(EntryRow.run == run)).order_by(
        SaltRow.index, SaltRow.key
    )
    checkpoints = select(CheckpointRow).where(CheckpointRow.size <= closing.size).order_by(CheckpointRow.size)
    anchors = select(AnchorRow).where(AnchorRow.size == closing.size, AnchorRow.state == HELD)
    return Contents(
        run=run,
        origin=origin,
        checkpoints=tuple(session.scalars(checkpoints)),
        entries=[(index, leaf) for index, leaf in session.execute(leaves.where(EntryRow.run == run))],
        headers=[
            (index, leaf) for index, leaf in session.execute(leaves.where(EntryRow.run != run, text(IS_HEADER)))
        ],
        tree=_tree(session, closing),
        salts=list(session.scalars(salts)),
        attestations=attestations,
        anchors=list(session.scalars(anchors.order_by(AnchorRow.kind, AnchorRow.name))),
    )


def _tree(session: Session, closing: CheckpointRow) -> TileTree:
    """The log up to a checkpoint; out of the entries alone where what is kept does not lead to its root."""
    tree = TileTree(read_hashes(driver_of(session), closing.size))
    if tree.root() != Checkpoint.parse(closing.note.rpartition("\n\n")[0] + "\n").root:
        tree = TileTree(read_hashes(driver_of(session), closing.size, anew=True))
    return tree


def complete_tiles(session: Session, size: int) -> None:
    """Keep the tiles of entries that were written before tiles were kept."""
    driver, whole = driver_of(session), size // WIDTH
    if driver.execute("SELECT count(*) FROM tiles WHERE number < ?", (whole,)).fetchone()[0] != whole:
        keep_tiles(driver, 0, size)


def driver_of(session: Session) -> sqlite3.Connection:
    """The connection below a session, within the same transaction."""
    connection = session.connection().connection.driver_connection
    if not isinstance(connection, sqlite3.Connection):
        raise TypeError("the evidence log is kept in SQLite")
    return connection
