"""The key that signs the log: which one it is, its rotation and its revocation.

The transaction that records a change is what decides. The new key is prepared beside the one in use before it, and put in its place
after it; whichever step is cut off, the next start sees in the log which of the two signs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import select

from qverify_desktop.domain.errors import BadInput, MissingPrerequisite
from qverify_desktop.domain.log_views import SigningKeysView, SigningKeyView
from qverify_desktop.engine import naming
from qverify_desktop.evidence.journal import IN_USE, REVOKED, ROTATED, EvidenceJournal
from qverify_desktop.evidence.note import VerifierKey
from qverify_desktop.evidence.signing import AttestationSigner, Signer
from qverify_desktop.settings.signing_key import FILE_PROTECTION, SigningKeyStore
from qverify_desktop.storage.database import Database
from qverify_desktop.storage.schema import SigningKeyRow

MOST_REASON = 200


def signer_of(home: Path, store: SigningKeyStore, database: Database) -> Signer:
    """The key that the log's own records say is in use, under an origin (C2SP tlog-checkpoint) of its own: two installations never
    share a log's name. Finishes a change that was cut off. Raises ``MissingPrerequisite``."""
    key, protection = store.load_or_create()
    expected = _in_use(database)
    prepared = store.prepared()
    if prepared is not None:
        if expected is not None and _public(prepared[0]) == expected.public:
            _promote(home, store)
            key, protection = prepared
        elif expected is None or _public(key) == expected.public:
            store.discard()
    if expected is not None and _public(key) != expected.public:
        raise MissingPrerequisite(
            f"The signing key in {home} is not the one that the log's own records say is in use ({expected.id.hex()}). Nothing was signed.",
            "Put the key and the database back from the same backup, or move the state folder away to begin a new log.",
        )
    return Signer(f"qverify.local/{hashlib.sha256(_public(key)).hexdigest()[:16]}", key, protection)


class SigningKeys:
    """Blocking. ``store`` gives the place of the keys as the settings are now, ``attestations`` that of the key for attestations."""

    def __init__(
        self,
        home: Path,
        journal: EvidenceJournal,
        database: Database,
        store: Callable[[], SigningKeyStore],
        attestations: Callable[[], SigningKeyStore] | None = None,
    ) -> None:
        self._attestations = attestations
        self._home = home
        self.journal = journal
        self._database = database
        self._store = store

    def show(self) -> SigningKeysView:
        """The key in use and those before it, newest first."""
        with self._database.reading() as session:
            rows = list(session.scalars(select(SigningKeyRow).order_by(SigningKeyRow.size.desc())))
        keys = [_view(row) for row in rows if row.state != IN_USE]
        first = next((row for row in rows if row.state == IN_USE), None)
        since = (first.changed_at, first.size) if first is not None else ("", 0)
        in_use = _key(self.journal.verifier_key, self.journal.protection, IN_USE, *since)
        return {"origin": self.journal.origin, "keys": [in_use, *keys]}

    def rotate(self, reason: str = "") -> SigningKeysView:
        """A new key signs from now on; the old one signs the entry that says so and is then deleted. Raises ``MissingPrerequisite``."""
        return self._change(ROTATED, reason)

    def revoke(self, key: str = "", reason: str = "") -> SigningKeysView:
        """Say in the log that a key may be in other hands: the one in use (empty), which a new one replaces, or one before it (its id or
        its whole text). Raises ``BadInput``."""
        if not key:
            return self._change(REVOKED, reason)
        found = [one for one in self.show()["keys"] if key in (one["id"], one["verifier_key"])]
        if len(found) != 1:
            raise BadInput(f"No key of this log is called {key[:100]!r}.", "See them with: qverify signing-key show")
        if found[0]["state"] == IN_USE:
            return self._change(REVOKED, reason)
        self.journal.change_key(naming.new_record(), REVOKED, None, _reason(reason), found[0]["verifier_key"])
        return self.show()

    def _change(self, kind: str, reason: str) -> SigningKeysView:
        store, said = self._store(), _reason(reason)
        try:
            private, protection = store.prepare()
            self.journal.change_key(naming.new_record(), kind, Signer(self.journal.origin, private, protection), said)
        except OSError as error:
            raise _unwritable(self._home, error) from None
        _promote(self._home, store)
        self._change_attester()
        return self.show()

    def _change_attester(self) -> None:
        """Attestations are signed by a new key as well. Each run announces that key in the log, so no record of its own is needed."""
        if self._attestations is None:
            return
        store = self._attestations()
        private, protection = store.prepare()
        _promote(self._home, store)
        self.journal.attester = AttestationSigner(private, protection)


def _promote(home: Path, store: SigningKeyStore) -> None:
    try:
        store.promote()
    except OSError as error:
        raise _unwritable(home, error) from None


def _unwritable(home: Path, error: OSError) -> MissingPrerequisite:
    return MissingPrerequisite(
        f"The signing key in {home} can't be written ({(error.strerror or str(error)).lower()}). The log is whole.",
        "Make the folder writable, then start QVerify again: a change of the key that was begun is finished then.",
    )


def _reason(text: str) -> str:
    words = " ".join(text.split())
    if len(words) > MOST_REASON or not (words.isprintable() or not words):
        raise BadInput(f"The reason must be one line of at most {MOST_REASON} characters. Nothing was changed.")
    return words


def _in_use(database: Database) -> VerifierKey | None:
    with database.reading() as session:
        row = session.scalars(select(SigningKeyRow).where(SigningKeyRow.state == IN_USE)).first()
    return None if row is None else VerifierKey.parse(row.verifier_key)


def _public(private: bytes) -> bytes:
    return Signer("unnamed", private, "").public


def _view(row: SigningKeyRow) -> SigningKeyView:
    return {**_key(row.verifier_key, row.protection, row.state, row.changed_at, row.size), "reason": row.reason}


def _key(text: str, protection: str, state: str, changed_at: str, size: int) -> SigningKeyView:
    return {
        "verifier_key": text,
        "id": VerifierKey.parse(text).id.hex(),
        "protection": protection,
        "protected": protection != FILE_PROTECTION,
        "state": state,
        "changed_at": changed_at,
        "size": size,
        "reason": "",
    }
