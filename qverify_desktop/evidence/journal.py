"""The one log of this installation and the recorded steps of all runs, each step in one transaction."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from qverify_desktop.domain.disclosure import Disclosure
from qverify_desktop.domain.errors import BadInput, QVerifyError
from qverify_desktop.domain.results import EarlierRun
from qverify_desktop.evidence.appending import CLOSED as CLOSED
from qverify_desktop.evidence.appending import OPENED as OPENED
from qverify_desktop.evidence.appending import Place, StoredEvent, append_step
from qverify_desktop.evidence.attestation import TOLD, Facts, attest
from qverify_desktop.evidence.bundle import anchor_file, refusing_damage, write_bundle
from qverify_desktop.evidence.canonical import TooLarge, canonical, plain
from qverify_desktop.evidence.contents import complete_tiles, contents_of, covering, driver_of, last_of, opening_of
from qverify_desktop.evidence.last_signed import LastSigned
from qverify_desktop.evidence.log_tree import LogTree
from qverify_desktop.evidence.merkle import Edge as Edge
from qverify_desktop.evidence.note import Checkpoint
from qverify_desktop.evidence.signing import AttestationSigner, Signer
from qverify_desktop.storage.anchors import HELD, Wanted, want
from qverify_desktop.storage.artefacts import ArtefactStore
from qverify_desktop.storage.database import Database
from qverify_desktop.storage.schema import (
    AnchorRow,
    AttestationRow,
    CheckpointRow,
    EntryRow,
    LogRow,
    SigningKeyRow,
    StepRow,
)

#: What the first and the last entry of a run say about the keys that sign its checkpoints and its attestations.
KEY, ATTESTATION_KEY = "key", "attestation_key"

#: Key of a record's opening that changes the signing key, the types of such records, and how the key that was is called then.
KEY_CHANGE = "key_change"
ROTATED, REVOKED = "rotated", "revoked"
IN_USE = "in_use"

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

    The log's name is the one the database was begun with; ``origin`` (by default the signer's name) names a new log, or a name of
    its own where a log of that name was signed here before and is gone. What would add to a log that fell behind its last
    checkpoint raises ``MissingPrerequisite``. A signer with another key goes on with the standing log, and its checkpoints show the new key. With an ``attester`` every
    run announces the attester's key and its bundle has attestations. ``wanted`` says which anchors the closing checkpoint of an
    analysis is to have; they are queued with it.
    """

    def __init__(
        self,
        database: Database,
        artefacts: ArtefactStore,
        signer: Signer,
        origin: str = "",
        attester: AttestationSigner | None = None,
        *,
        wanted: Callable[[], Sequence[Wanted]] = tuple,
    ) -> None:
        #: Signs attestations; another one may take its place between two runs.
        self.attester = attester
        self._wanted = wanted
        #: Held by whoever signs, so that nothing is signed with a key while another takes its place.
        self._signing = threading.RLock()
        self._database = database
        self._artefacts = artefacts
        self._last = LastSigned(database.path)
        with database.transaction() as session:
            log = session.get(LogRow, 1)
            if log is None:
                log = LogRow(1, self._unused(origin or signer.name), 0, b"")
                session.add(log)
            self.origin = log.origin
            self._last.compare(session, self.origin)
        self._signer = replace(signer, name=self.origin)

    def _unused(self, name: str) -> str:
        """Two logs of one name would be two histories of one log."""
        return name if self._last.of(name) is None else f"{name.rpartition('/')[0] or name}/{secrets.token_hex(8)}"

    @property
    def protection(self) -> str:
        """How the key is kept that signs now."""
        return self._signer.protection

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
        self._last.refuse()
        stored = [self._store(event) for event in events]
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        with self._signing, self._database.statements() as connection:
            # The key may have changed while contents were stored.
            stored = [self._with_keys(event) for event in stored]
            return append_step(connection, Place(self.origin, run, step, now), result, stored)

    def checkpoint(self, run: str) -> str:
        """Sign a checkpoint over the log as it stands and keep it; one of the same size that stands is answered again."""
        with self._signing:
            with self._database.transaction() as session:
                note = self._checkpoint(session, run).note
            self._last.keep(note)
            return note

    def note(self, size: int) -> str:
        """The signed checkpoint of that size. Raises ``LookupError``."""
        with self._database.reading() as session:
            row = session.get(CheckpointRow, size)
        if row is None:
            raise LookupError(f"no checkpoint of {size} entries")
        return row.note

    def run_of(self, size: int) -> str:
        """The run at whose opening or close the checkpoint of that size was signed; empty for none."""
        with self._database.reading() as session:
            row = session.get(CheckpointRow, size)
            return "" if row is None else row.run

    def anchor_files(self, run: str) -> frozenset[str]:
        """Names of the files with anchors that the run's bundle has now."""
        size = self.closing(run)
        with self._database.reading() as session:
            held = select(AnchorRow.kind).where(AnchorRow.size == size, AnchorRow.state == HELD)
            return frozenset(anchor_file(kind, size) for kind in session.scalars(held))

    def closing(self, run: str) -> int:
        """Size of the checkpoint that a closed run is pinned to; 0 for a run that is not closed, or whose checkpoint is still to come."""
        with self._database.reading() as session:
            last = last_of(session, run)
            if last is None or last.type != CLOSED:
                return 0
            return session.scalars(covering(last).with_only_columns(CheckpointRow.size)).first() or 0

    def anchor(self, run: str) -> int:
        """Queue the anchors that are wanted now for a run that is closed; answers the size of its closing checkpoint. Raises
        ``BadInput``."""
        size = self.closing(run)
        if not size:
            raise BadInput(
                f"The evidence of the run {run} is not closed yet.", f"Finish it first: qverify resume {run}"
            )
        with self._database.transaction() as session:
            want(session, size, self._wanted())
        return size

    def growth(self, old: int, size: int) -> list[bytes]:
        """The consistency proof from the log's first ``old`` leaves to its first ``size`` (RFC 6962, section 2.1.2); empty from none.
        Raises ``IndexError`` where the log never was so long."""
        if old == 0:
            return []
        with self._database.reading() as session:
            tree = LogTree(session, session.get_one(LogRow, 1).size)
            return tree.consistency_proof(old, size)

    def change_key(
        self, record: str, kind: str, successor: Signer | None, reason: str = "", revoked: str = ""
    ) -> None:
        """Let ``successor`` sign from now on: a record of the log (opened, ``key_rotated`` or ``key_revoked``, closed), its
        checkpoint signed by both keys, and the key that is in use change in one transaction. With ``revoked``, a key that was in use
        before is revoked and the one in use stays (``successor`` is not used then). Raises ``BadInput`` for a key that never
        signed this log, or is revoked already."""
        with self._signing:
            heir = self._signer if successor is None else replace(successor, name=self.origin)
            with self._database.transaction() as session:
                note = self._change_key(session, record, kind, heir, reason, revoked)
            self._last.keep(note)
            # Still under the lock that every signature takes.
            self._signer = heir

    def _change_key(self, session: Session, record: str, kind: str, heir: Signer, reason: str, revoked: str) -> str:
        self._last.refuse()
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        old, new, done = revoked or self.verifier_key, str(heir.verifier_key), f"key_{kind}"
        self._expect(session)
        keys = {row.verifier_key: row for row in session.scalars(select(SigningKeyRow))}
        if revoked and (revoked not in keys or keys[revoked].state != ROTATED):
            raise BadInput(
                "This key did not sign the log before, or is in use or revoked already. Nothing was changed.",
                "See them with: qverify signing-key show",
            )
        if not revoked and old not in keys:
            session.add(SigningKeyRow(old, self._signer.protection, IN_USE, now, 0))
            session.flush()
        change = {"kind": kind, "old": old, "new": new}
        said = [
            _Said(OPENED, {"kind": done, KEY_CHANGE: change}),
            _Said(done, {**change, "protection": heir.protection, "reason": reason}),
            _Said(CLOSED, {"outcome": done}),
        ]
        session.flush()
        place = Place(self.origin, record, done, now)
        stored = [self._store(one) for one in said]
        append_step(driver_of(session), place, self._artefacts.put(canonical(change)), stored)
        row = self._checkpoint(session, record)
        chosen = update(SigningKeyRow).where(SigningKeyRow.verifier_key == old)
        session.execute(chosen.values(state=kind, changed_at=now, size=row.size, reason=reason))
        if not revoked:
            row.note += heir.line(row.note.rpartition("\n\n")[0] + "\n")
            row.verifier_key = f"{old} {new}"
            session.add(SigningKeyRow(new, heir.protection, IN_USE, now, row.size))
        return row.note

    def sealed(self, run: str) -> EarlierRun | None:
        """The leaf that closed a run. ``None`` where it is not closed, or was closed under another signing key, or another
        protection of it, than the one that signs now."""
        with self._database.reading() as session:
            last = last_of(session, run)
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
        with self._signing, self._database.transaction() as session:
            close = last_of(session, run)
            if close is None or close.type != CLOSED:
                raise BadInput(
                    f"The evidence of the run {run} is not closed yet, so it has no bundle.",
                    f"Finish it first: qverify resume {run}",
                )
            with refusing_damage(run):
                closing = session.scalars(covering(close)).first() or self._checkpoint(session, run)
                attestations = self._attestations(session, close, closing)
                complete_tiles(session, closing.size)
                note = closing.note
        with refusing_damage(run):
            self._last.keep(note)
            with self._database.reading() as session:
                contents = contents_of(session, self.origin, run, closing, attestations)
        write_bundle(path, contents, self._artefacts, disclosure)

    def _attestations(self, session: Session, close: EntryRow, closing: CheckpointRow) -> bytes:
        """Envelopes about a closed run, signed once and kept, so that a later key or a later version changes nothing. Empty
        for a run that announced no key, or another one than there is."""
        standing = session.get(AttestationRow, close.run)
        if standing is not None:
            return standing.envelopes
        announced = json.loads(close.leaf)["data"].get(ATTESTATION_KEY)
        if self.attester is None or announced != self.attester.announced:
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
        row = AttestationRow(run=close.run, size=closing.size, envelopes=attest(facts, self.attester))
        session.add(row)
        return row.envelopes

    def _checkpoint(self, session: Session, run: str) -> CheckpointRow:
        log = session.get_one(LogRow, 1)
        row = session.get(CheckpointRow, log.size)
        if row is None:
            row = self._sign(session, run, log)
        last = last_of(session, run)
        if last is not None and last.type == CLOSED and "kind" not in opening_of(session, run):
            session.flush()
            want(session, row.size, self._wanted())
        return row

    def _sign(self, session: Session, run: str, log: LogRow) -> CheckpointRow:
        self._last.refuse()
        self._expect(session)
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

    def _expect(self, session: Session) -> None:
        """Another process may have changed the key; what the old one signed after that would make the log invalid."""
        in_use = session.scalars(select(SigningKeyRow).where(SigningKeyRow.state == IN_USE)).first()
        if in_use is not None and in_use.verifier_key != self.verifier_key:
            raise QVerifyError(
                "The signing key of this log is another one now, so nothing was signed. What was recorded before is safe.",
                "Close QVerify and start it again.",
            )

    def _with_keys(self, event: StoredEvent) -> StoredEvent:
        """What opens or closes a run says by which keys it is signed now."""
        if event.type not in (OPENED, CLOSED):
            return event
        return replace(event, data={**event.data, **self._keys()})

    def _keys(self) -> dict[str, Any]:
        keys: dict[str, Any] = {KEY: {"verifier": self.verifier_key, "protection": self._signer.protection}}
        return keys if self.attester is None else {**keys, ATTESTATION_KEY: self.attester.announced}

    def _store(self, event: Event) -> StoredEvent:
        """Put the event's blobs into the artefact store and their commitments into its data."""
        data, blobs = plain(dict(event.data)), dict(event.blobs)
        if event.type in (OPENED, CLOSED):
            data |= self._keys()
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


@dataclass(frozen=True)
class _Said:
    """An event without contents."""

    type: str
    data: Mapping[str, Any]
    blobs: Mapping[str, bytes] = field(default_factory=dict)


def commitment(salt: bytes, digest: str) -> str:
    """Hides and binds a content: HMAC-SHA-256 keyed by a random salt of 32 bytes, over a domain and the content's SHA-256."""
    return hmac.new(salt, COMMITMENT_DOMAIN + bytes.fromhex(digest), hashlib.sha256).hexdigest()
