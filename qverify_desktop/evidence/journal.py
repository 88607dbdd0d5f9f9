"""The one log of this installation, and the recorded steps of all runs, in one transaction each."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.evidence import merkle
from qverify_desktop.evidence.bundle import Contents, write_bundle
from qverify_desktop.evidence.canonical import canonical
from qverify_desktop.evidence.signing import Signer, checkpoint_text
from qverify_desktop.storage.artefacts import ArtefactStore
from qverify_desktop.storage.database import Database
from qverify_desktop.storage.schema import CheckpointRow, EntryRow, SaltRow, StepRow

OPENED, CLOSED = "run_opened", "run_closed"
_BLOB_KEY = re.compile(r"[a-z][a-z0-9_]{0,31}\Z")


class Event(Protocol):
    """``analysis.ports.Evidence``, seen from here."""

    @property
    def type(self) -> str: ...

    @property
    def data(self) -> Any: ...

    @property
    def blobs(self) -> Any: ...


def commitment(salt: bytes, content_digest: bytes) -> bytes:
    """Hiding and binding: HMAC-SHA-256 under a random 32-byte salt over the content's SHA-256."""
    return hmac.new(salt, content_digest, hashlib.sha256).digest()


class EvidenceJournal:
    """Implements ``analysis.ports.Journal`` over the database. Safe to call from several threads."""

    def __init__(self, database: Database, artefacts: ArtefactStore, signer: Signer) -> None:
        self._database = database
        self._artefacts = artefacts
        self._signer = signer

    def recorded(self, run: str, step: str) -> str | None:
        with self._database.transaction() as session:
            row = session.get(StepRow, (run, step))
            return row.result if row is not None else None

    def record(self, run: str, step: str, result: str, events: Sequence[Event]) -> str:
        """Append the events and the step's result. A step that was recorded before changes nothing.

        Blobs are stored before the transaction: a crash in between leaves a blob that nothing points to, never an
        entry whose blob is missing. Raises ``QVerifyError`` for an event that has no place in the log.
        """
        stored = [
            {key: (self._artefacts.put(content), len(content)) for key, content in event.blobs.items()}
            for event in events
        ]
        with self._database.transaction() as session:
            known = session.get(StepRow, (run, step))
            if known is not None:
                return known.result
            number = _size(session)
            sequence, previous = _end_of(session, run)
            session.add(StepRow(run, step, result, sequence, len(events), _now()))
            session.flush()
            for event, blobs in zip(events, stored, strict=True):
                leaf = self._leaf(session, run, step, event, blobs, (number, sequence, previous))
                number, sequence, previous = number + 1, sequence + 1, leaf.leaf_hash.hex()
        return result

    def _leaf(
        self,
        session: Session,
        run: str,
        step: str,
        event: Event,
        blobs: dict[str, tuple[str, int]],
        place: tuple[int, int, str],
    ) -> EntryRow:
        number, sequence, previous = place
        if (sequence == 0) != (event.type == OPENED):
            raise QVerifyError(f"A run's first entry is {OPENED} and no other; {event.type} was not recorded.")
        data, salts = dict(event.data), []
        for key, (digest, size) in sorted(blobs.items()):
            if not _BLOB_KEY.match(key) or key in data:
                raise QVerifyError(f"{key!r} can't name a blob of an event. Nothing was recorded.")
            salt = os.urandom(32)
            data[key] = {"commitment": commitment(salt, bytes.fromhex(digest)).hex(), "bytes": size}
            salts.append(SaltRow(number, key, salt, digest, size))
        entry = canonical(
            {
                "v": 1,
                "log": self._signer.name,
                "run": run,
                "seq": sequence,
                "prev": previous,
                "step": step,
                "type": event.type,
                "at": _now(),
                "data": data,
            }
        )
        leaf = EntryRow(number, run, sequence, step, event.type, entry, merkle.leaf_hash(entry))
        session.add(leaf)
        session.flush()
        session.add_all(salts)
        return leaf

    def checkpoint(self, run: str) -> str:
        """Sign a checkpoint over the log as it stands; an equal one that was signed before is answered again."""
        with self._database.transaction() as session:
            size = _size(session)
            known = session.get(CheckpointRow, size)
            if known is not None:
                return known.note
            root = merkle.root(list(session.scalars(select(EntryRow.leaf_hash).order_by(EntryRow.index))))
            note = self._signer.sign(checkpoint_text(self._signer.name, size, root))
            session.add(CheckpointRow(size, run, note, self._signer.verifier_key, self._signer.protection, _now()))
            return note

    def bundle(self, run: str, path: Path) -> None:
        """Write the run's bundle, pinned to the first checkpoint at or after its close: the same bytes at every export."""
        with self._database.transaction() as session:
            closed = session.scalar(select(EntryRow.index).where(EntryRow.run == run, EntryRow.type == CLOSED))
            if closed is None:
                raise QVerifyError(f"The run {run} is not closed yet, so it has no bundle.", f"qverify resume {run}")
            notes = list(session.scalars(select(CheckpointRow).order_by(CheckpointRow.size)))
            pinned = next((note for note in notes if note.size > closed), None)
            if pinned is None:
                raise QVerifyError(f"The run {run} has no closing checkpoint yet.", f"qverify resume {run}")
            contents = self._contents(session, run, pinned, notes)
        write_bundle(path, contents, self._artefacts)

    def _contents(
        self, session: Session, run: str, pinned: CheckpointRow, notes: Sequence[CheckpointRow]
    ) -> Contents:
        within = EntryRow.index < pinned.size
        own = session.scalars(select(EntryRow).where(EntryRow.run == run, within).order_by(EntryRow.index))
        headers = session.scalars(
            select(EntryRow)
            .where(EntryRow.run != run, EntryRow.type.in_((OPENED, CLOSED)), within)
            .order_by(EntryRow.index)
        )
        salts = session.scalars(
            select(SaltRow)
            .join(EntryRow, EntryRow.index == SaltRow.index)
            .where(EntryRow.run == run, within)
            .order_by(SaltRow.index, SaltRow.key)
        )
        return Contents(
            run=run,
            origin=self._signer.name,
            protection=self._signer.protection,
            verifier_key=self._signer.verifier_key,
            checkpoint=pinned.note,
            checkpoints={note.size: note.note for note in notes if note.size <= pinned.size},
            entries={leaf.index: leaf.leaf for leaf in own},
            headers={leaf.index: leaf.leaf for leaf in headers},
            leaf_hashes=list(session.scalars(select(EntryRow.leaf_hash).where(within).order_by(EntryRow.index))),
            salts=[(salt.index, salt.key, salt.salt, salt.sha256) for salt in salts],
        )


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _size(session: Session) -> int:
    last = session.scalar(select(func.max(EntryRow.index)))
    return 0 if last is None else int(last) + 1


def _end_of(session: Session, run: str) -> tuple[int, str]:
    """Next sequence number of the run and the hash of its last entry. Raises ``QVerifyError`` for a closed run."""
    last = session.scalar(select(EntryRow).where(EntryRow.run == run).order_by(EntryRow.seq.desc()).limit(1))
    if last is None:
        return 0, ""
    if last.type == CLOSED:
        raise QVerifyError(f"The run {run} is closed; nothing can be added to its evidence.")
    return last.seq + 1, last.leaf_hash.hex()
