"""The one log of this installation and the recorded steps of all runs, each step in one transaction."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import func, insert, select, text
from sqlalchemy.orm import Session

from qverify_desktop.domain.errors import BadInput, QVerifyError
from qverify_desktop.domain.results import EarlierRun
from qverify_desktop.evidence.bundle import Contents, write_bundle
from qverify_desktop.evidence.canonical import TooLarge, canonical, plain
from qverify_desktop.evidence.merkle import Edge, leaf_hash
from qverify_desktop.evidence.note import Checkpoint
from qverify_desktop.evidence.signing import Signer
from qverify_desktop.storage.artefacts import ArtefactStore
from qverify_desktop.storage.database import Database
from qverify_desktop.storage.schema import IS_HEADER, CheckpointRow, EntryRow, LogRow, SaltRow, StepRow

ENTRY_VERSION = 1
OPENED, CLOSED = "run_opened", "run_closed"

#: Keeps commitments apart from every other use of HMAC-SHA-256.
COMMITMENT_DOMAIN = b"qverify.blob.v1\x00"
#: Key of ``data`` under which an event's whole data is committed to when it is too large for an entry.
OVERSIZE = "oversize"

_BLOB_KEY = re.compile(r"[a-z][a-z0-9_]{0,63}")


class Event(Protocol):
    """An event to be logged, as ``analysis.ports.Evidence`` describes it."""

    @property
    def type(self) -> str: ...

    @property
    def data(self) -> Mapping[str, Any]: ...

    @property
    def blobs(self) -> Mapping[str, bytes]: ...


@dataclass(frozen=True)
class _Stored:
    """An event whose blobs lie in the artefact store: key to (salt, digest, bytes)."""

    type: str
    data: dict[str, Any]
    blobs: dict[str, tuple[bytes, str, int]]


class EvidenceJournal:
    """Implements ``analysis.ports.Journal``; blocking, safe from any thread.

    The log's name is the one the database was begun with; ``origin`` (by default the signer's name) names a new log. A
    signer with another key goes on with the standing log, and its checkpoints show the new key.
    """

    def __init__(self, database: Database, artefacts: ArtefactStore, signer: Signer, origin: str = "") -> None:
        self._database = database
        self._artefacts = artefacts
        with database.transaction() as session:
            log = session.get(LogRow, 1)
            if log is None:
                log = LogRow(1, origin or signer.name, 0, b"")
                session.add(log)
            self.origin = log.origin
        self._signer = replace(signer, name=self.origin)

    @property
    def verifier_key(self) -> str:
        """What an auditor is given to check this log's bundles (C2SP signed-note)."""
        return str(self._signer.verifier_key)

    def recorded(self, run: str, step: str) -> str | None:
        """Digest of the step's result when it was recorded before, otherwise ``None``."""
        with self._database.reading() as session:
            row = session.get(StepRow, (run, step))
            return row.result if row is not None else None

    def recorded_by(self, step: str) -> list[tuple[str, str]]:
        """Each run that recorded a step of this name, with the digest of its result, the newest first."""
        chosen = select(StepRow.run, StepRow.result).where(StepRow.step == step).order_by(StepRow.recorded_at.desc())
        with self._database.reading() as session:
            return [(run, result) for run, result in session.execute(chosen)]

    def record(self, run: str, step: str, result: str, events: Sequence[Event]) -> str:
        """Append the events and the step's result; a step recorded before changes nothing. Answers the digest that stands.

        Blobs are stored before the transaction: a crash in between leaves a blob that nothing points to, never an entry
        whose blob is missing. Raises ``QVerifyError`` for an event out of order (nothing before ``run_opened``, nothing
        after ``run_closed``) or one that can't be written down, ``MissingPrerequisite`` for a full disk; nothing is
        recorded then.
        """
        if any(event.blobs for event in events) and (standing := self.recorded(run, step)) is not None:
            return standing
        stored = [self._store(event) for event in events]
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        with self._database.transaction() as session:
            row = session.get(StepRow, (run, step))
            if row is not None:
                return row.result
            last = _last_of(session, run)
            if last is not None and last.type == CLOSED:
                raise QVerifyError(f"The evidence of the run {run} is closed; nothing can be added to it.")
            first = 0 if last is None else last.seq + 1
            columns = {"run": run, "step": step, "result": result, "first_seq": first, "events": len(stored)}
            session.execute(insert(StepRow), {**columns, "recorded_at": now})
            if stored:
                self._append(session, (run, step, now), last, stored)
        return result

    def checkpoint(self, run: str) -> str:
        """Sign a checkpoint over the log as it stands and keep it; one of the same size that stands is answered again."""
        with self._database.transaction() as session:
            return self._checkpoint(session, run).note

    def sealed(self, run: str) -> EarlierRun | None:
        """The leaf that closed a run. ``None`` where it is not closed, or was closed under another signing key, or another
        protection of it, than the one that signs now."""
        with self._database.reading() as session:
            last = _last_of(session, run)
            if last is None or last.type != CLOSED:
                return None
            key = json.loads(last.leaf)["data"]["key"]
            if key != {"verifier": self.verifier_key, "protection": self._signer.protection}:
                return None
            return EarlierRun(run, last.index, last.leaf_hash.hex())

    def bundle(self, run: str, path: Path) -> None:
        """Write the run's bundle, pinned to the first checkpoint at or after its close: the same bytes at every export.

        Raises ``BadInput`` when the run is not closed, ``MissingPrerequisite`` when the file can't be written,
        ``QVerifyError`` when the records on the disk contradict the signed checkpoint.
        """
        with self._database.transaction() as session:
            close = _last_of(session, run)
            if close is None or close.type != CLOSED:
                raise BadInput(
                    f"The evidence of the run {run} is not closed yet, so it has no bundle.",
                    f"Finish it first: qverify resume {run}",
                )
            covering = select(CheckpointRow).where(CheckpointRow.size > close.index).order_by(CheckpointRow.size)
            closing = session.scalars(covering.limit(1)).first() or self._checkpoint(session, run)
        with self._database.reading() as session:
            contents = _contents(session, self.origin, run, closing)
        write_bundle(path, contents, self._artefacts)

    def _checkpoint(self, session: Session, run: str) -> CheckpointRow:
        log = session.get_one(LogRow, 1)
        standing = session.get(CheckpointRow, log.size)
        if standing is not None:
            return standing
        root = Edge(log.size, log.edge).root()
        row = CheckpointRow(
            size=log.size,
            run=run,
            note=self._signer.sign(str(Checkpoint(self.origin, log.size, root))),
            verifier_key=self.verifier_key,
            protection=self._signer.protection,
            signed_at=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        )
        session.add(row)
        return row

    def _store(self, event: Event) -> _Stored:
        """Put the event's blobs into the artefact store and their commitments into its data."""
        data, blobs = plain(dict(event.data)), dict(event.blobs)
        if event.type in (OPENED, CLOSED):
            data["key"] = {"verifier": self.verifier_key, "protection": self._signer.protection}
        try:
            # A quarter of an entry is left for the commitments and the envelope.
            canonical(data, limit=48 * 1024)
        except TooLarge:
            blobs[OVERSIZE] = canonical(data, limit=1 << 30)
            data = {key: data[key] for key in ("key",) if event.type in (OPENED, CLOSED)}
        stored = {}
        for key, content in sorted(blobs.items()):
            if not _BLOB_KEY.fullmatch(key) or key in data:
                raise QVerifyError(f"{key!r} can't name a blob of the event {event.type}. It was not recorded.")
            salt, digest = secrets.token_bytes(32), self._artefacts.put(content)
            stored[key] = (salt, digest, len(content))
            data[key] = {"commitment": commitment(salt, digest), "bytes": len(content)}
        return _Stored(event.type, data, stored)

    def _append(
        self, session: Session, place: tuple[str, str, str], last: EntryRow | None, events: Sequence[_Stored]
    ) -> None:
        run, step, at = place
        log = session.get_one(LogRow, 1)
        edge = Edge(log.size, log.edge)
        seq, prev = (0, "") if last is None else (last.seq + 1, last.leaf_hash.hex())
        entries, salts = [], []
        for position, event in enumerate(events):
            if (event.type == OPENED) != (seq == 0):
                raise QVerifyError(
                    f"The evidence of a run begins with {OPENED} and has no other; {event.type} was not recorded."
                )
            if event.type == CLOSED and position + 1 < len(events):
                raise QVerifyError(f"Nothing can follow {CLOSED} in the evidence of the run {run}.")
            data = event.data
            if event.type == CLOSED:
                data = {**data, "entries": seq + 1, "others": _others(session, run)}
            leaf = canonical(
                {
                    "v": ENTRY_VERSION,
                    "log": self.origin,
                    "run": run,
                    "seq": seq,
                    "prev": prev,
                    "step": step,
                    "type": event.type,
                    "at": at,
                    "data": data,
                }
            )
            hashed = leaf_hash(leaf)
            row = {"run": run, "seq": seq, "step": step, "type": event.type, "leaf": leaf, "leaf_hash": hashed}
            entries.append({"index": edge.size, **row})
            for key, (salt, digest, size) in event.blobs.items():
                salts.append({"index": edge.size, "key": key, "salt": salt, "sha256": digest, "bytes": size})
            edge.append(hashed)
            seq, prev = seq + 1, hashed.hex()
        session.execute(insert(EntryRow), entries)
        if salts:
            session.execute(insert(SaltRow), salts)
        log.size, log.edge = edge.size, edge.to_bytes()


def commitment(salt: bytes, digest: str) -> str:
    """Hides and binds a content: HMAC-SHA-256 keyed by a random salt of 32 bytes, over a domain and the content's SHA-256."""
    return hmac.new(salt, COMMITMENT_DOMAIN + bytes.fromhex(digest), hashlib.sha256).hexdigest()


def _last_of(session: Session, run: str) -> EntryRow | None:
    return session.scalars(select(EntryRow).where(EntryRow.run == run).order_by(EntryRow.seq.desc()).limit(1)).first()


def _others(session: Session, run: str) -> dict[str, int]:
    """How many other runs the log has opened and closed so far: with it in the close, none can be left out of a bundle."""

    counted = select(EntryRow.type, func.count()).where(text(IS_HEADER), EntryRow.run != run).group_by(EntryRow.type)
    counts = dict(session.execute(counted).all())
    return {"opened": counts.get(OPENED, 0), "closed": counts.get(CLOSED, 0)}


def _contents(session: Session, origin: str, run: str, closing: CheckpointRow) -> Contents:
    within = EntryRow.index < closing.size
    leaves = select(EntryRow.index, EntryRow.leaf).where(within).order_by(EntryRow.index)
    salts = (select(SaltRow).join(EntryRow, EntryRow.index == SaltRow.index).where(EntryRow.run == run)).order_by(
        SaltRow.index, SaltRow.key
    )
    checkpoints = select(CheckpointRow).where(CheckpointRow.size <= closing.size).order_by(CheckpointRow.size)
    hashes = select(EntryRow.leaf_hash).where(within).order_by(EntryRow.index)
    return Contents(
        run=run,
        origin=origin,
        checkpoints=tuple(session.scalars(checkpoints)),
        entries=[(index, leaf) for index, leaf in session.execute(leaves.where(EntryRow.run == run))],
        headers=[
            (index, leaf) for index, leaf in session.execute(leaves.where(EntryRow.run != run, text(IS_HEADER)))
        ],
        leaf_hashes=list(session.scalars(hashes)),
        salts=list(session.scalars(salts)),
    )
