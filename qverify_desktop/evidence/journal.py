"""The one log of this installation and the recorded steps of all runs, each step in one transaction."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from qverify_desktop.domain.disclosure import Disclosure
from qverify_desktop.domain.errors import BadInput, QVerifyError
from qverify_desktop.domain.results import EarlierRun
from qverify_desktop.evidence.appending import CLOSED as CLOSED
from qverify_desktop.evidence.appending import OPENED as OPENED
from qverify_desktop.evidence.appending import Place, StoredEvent, append_step
from qverify_desktop.evidence.attestation import TOLD, Facts, attest
from qverify_desktop.evidence.bundle import Contents, write_bundle
from qverify_desktop.evidence.canonical import TooLarge, canonical, plain
from qverify_desktop.evidence.merkle import Edge as Edge
from qverify_desktop.evidence.note import Checkpoint
from qverify_desktop.evidence.signing import AttestationSigner, Signer
from qverify_desktop.evidence.tiles import WIDTH, TileTree, keep_tiles, read_hashes
from qverify_desktop.storage.artefacts import ArtefactStore
from qverify_desktop.storage.database import Database
from qverify_desktop.storage.schema import (
    IS_HEADER,
    AttestationRow,
    CheckpointRow,
    EntryRow,
    LogRow,
    SaltRow,
    StepRow,
)

#: What the first and the last entry of a run say about the keys that sign its checkpoints and its attestations.
KEY, ATTESTATION_KEY = "key", "attestation_key"

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


class EvidenceJournal:
    """Implements ``analysis.ports.Journal``; blocking, safe from any thread.

    The log's name is the one the database was begun with; ``origin`` (by default the signer's name) names a new log. A
    signer with another key goes on with the standing log, and its checkpoints show the new key. With an ``attester`` every
    run announces the attester's key and its bundle has attestations.
    """

    def __init__(
        self,
        database: Database,
        artefacts: ArtefactStore,
        signer: Signer,
        origin: str = "",
        attester: AttestationSigner | None = None,
    ) -> None:
        self._attester = attester
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
        with self._database.statements() as connection:
            return append_step(connection, Place(self.origin, run, step, now), result, stored)

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

    def bundle(self, run: str, path: Path, disclosure: Disclosure = Disclosure.FULL) -> None:
        """Write the run's bundle, pinned to the first checkpoint at or after its close: the same bytes at every export of
        the same ``disclosure``, but for contents that were deleted meanwhile.

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
            attestations = self._attestations(session, close, closing)
            _complete_tiles(session, closing.size)
        with self._database.reading() as session:
            contents = _contents(session, self.origin, run, closing, attestations)
        write_bundle(path, contents, self._artefacts, disclosure)

    def _attestations(self, session: Session, close: EntryRow, closing: CheckpointRow) -> bytes:
        """Envelopes about a closed run, signed once and kept, so that a later key or a later version changes nothing. Empty
        for a run that announced no key, or another one than there is."""
        standing = session.get(AttestationRow, close.run)
        if standing is not None:
            return standing.envelopes
        announced = json.loads(close.leaf)["data"].get(ATTESTATION_KEY)
        if self._attester is None or announced != self._attester.announced:
            return b""
        own = EntryRow.run == close.run
        told = select(EntryRow.index, EntryRow.leaf).where(own, EntryRow.type.in_(TOLD)).order_by(EntryRow.seq)
        events = select(EntryRow.type, func.count()).where(own).group_by(EntryRow.type)
        facts = Facts(
            origin=self.origin,
            run=close.run,
            entries=[(index, leaf) for index, leaf in session.execute(told)],
            events=dict(session.execute(events).all()),
            checkpoint=closing.note.rpartition("\n\n")[0] + "\n",
        )
        row = AttestationRow(run=close.run, size=closing.size, envelopes=attest(facts, self._attester))
        session.add(row)
        return row.envelopes

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

    def _store(self, event: Event) -> StoredEvent:
        """Put the event's blobs into the artefact store and their commitments into its data."""
        data, blobs = plain(dict(event.data)), dict(event.blobs)
        if event.type in (OPENED, CLOSED):
            data[KEY] = {"verifier": self.verifier_key, "protection": self._signer.protection}
            if self._attester is not None:
                data[ATTESTATION_KEY] = self._attester.announced
        try:
            # A quarter of an entry is left for the commitments and the envelope.
            canonical(data, limit=48 * 1024)
        except TooLarge:
            blobs[OVERSIZE] = canonical(data, limit=1 << 30)
            data = {
                key: data[key] for key in (KEY, ATTESTATION_KEY) if event.type in (OPENED, CLOSED) and key in data
            }
        stored = {}
        for key, content in sorted(blobs.items()):
            if not _BLOB_KEY.fullmatch(key) or key in data:
                raise QVerifyError(f"{key!r} can't name a blob of the event {event.type}. It was not recorded.")
            salt, digest = secrets.token_bytes(32), self._artefacts.put(content)
            stored[key] = (salt, digest, len(content))
            data[key] = {"commitment": commitment(salt, digest), "bytes": len(content)}
        return StoredEvent(event.type, data, stored)


def commitment(salt: bytes, digest: str) -> str:
    """Hides and binds a content: HMAC-SHA-256 keyed by a random salt of 32 bytes, over a domain and the content's SHA-256."""
    return hmac.new(salt, COMMITMENT_DOMAIN + bytes.fromhex(digest), hashlib.sha256).hexdigest()


def _last_of(session: Session, run: str) -> EntryRow | None:
    return session.scalars(select(EntryRow).where(EntryRow.run == run).order_by(EntryRow.seq.desc()).limit(1)).first()


def _contents(session: Session, origin: str, run: str, closing: CheckpointRow, attestations: bytes) -> Contents:
    within = EntryRow.index < closing.size
    leaves = select(EntryRow.index, EntryRow.leaf).where(within).order_by(EntryRow.index)
    salts = (select(SaltRow).join(EntryRow, EntryRow.index == SaltRow.index).where(EntryRow.run == run)).order_by(
        SaltRow.index, SaltRow.key
    )
    checkpoints = select(CheckpointRow).where(CheckpointRow.size <= closing.size).order_by(CheckpointRow.size)
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
    )


def _tree(session: Session, closing: CheckpointRow) -> TileTree:
    """The log up to a checkpoint; out of the entries alone where what is kept does not lead to its root."""
    tree = TileTree(read_hashes(_driver(session), closing.size))
    if tree.root() != Checkpoint.parse(closing.note.rpartition("\n\n")[0] + "\n").root:
        tree = TileTree(read_hashes(_driver(session), closing.size, anew=True))
    return tree


def _complete_tiles(session: Session, size: int) -> None:
    """Keep the tiles of entries that were written before tiles were kept."""
    driver, whole = _driver(session), size // WIDTH
    if driver.execute("SELECT count(*) FROM tiles WHERE number < ?", (whole,)).fetchone()[0] != whole:
        keep_tiles(driver, 0, size)


def _driver(session: Session) -> sqlite3.Connection:
    """The connection below a session, within the same transaction."""
    connection = session.connection().connection.driver_connection
    if not isinstance(connection, sqlite3.Connection):
        raise TypeError("the evidence log is kept in SQLite")
    return connection
