"""Rotation and revocation through the engine: the private halves, the restart, and a kill at every step."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import delete

from qverify_desktop.domain.errors import BadInput, MissingPrerequisite
from qverify_desktop.engine.signing_keys import SigningKeys, signer_of
from qverify_desktop.evidence.journal import EvidenceJournal
from qverify_desktop.evidence.signing import AttestationSigner
from qverify_desktop.evidence.verify import verify_bundle
from qverify_desktop.settings.os_keyring import OsKeyring
from qverify_desktop.settings.signing_key import ATTESTATION_KEY_FILE, KEY_FILE, NEXT, PLACE_FILE, SigningKeyStore
from qverify_desktop.storage.artefacts import ArtefactStore
from qverify_desktop.storage.database import Database
from qverify_desktop.storage.schema import SigningKeyRow
from tests.evidence.logs import House
from tests.settings.test_secrets import MemoryKeyring, no_keyring

PROJECT = Path(__file__).resolve().parents[2]


class Installation(House):
    """A state folder with its keys; a new one of the same folder is a restart."""

    def __init__(self, folder: Path, keyring: MemoryKeyring | None = None) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.database = Database(folder / "qverify.db")
        self.artefacts = ArtefactStore(folder / "artefacts")
        opening = no_keyring if keyring is None else lambda: OsKeyring.open(keyring)
        self.store = SigningKeyStore(folder, open_keyring=opening)
        try:
            signer = signer_of(folder, self.store, self.database)
        except BaseException:
            self.database.close()
            raise
        self.attestations = SigningKeyStore(folder, open_keyring=opening, name=ATTESTATION_KEY_FILE)
        attester = AttestationSigner(*self.attestations.load_or_create())
        self.journal = EvidenceJournal(self.database, self.artefacts, signer, attester=attester)
        self.keys = SigningKeys(folder, self.journal, self.database, lambda: self.store, lambda: self.attestations)

    def check_old(self, run: str, key: str) -> None:
        """A run that was closed before a change of the keys stays what it was."""
        assert verify_bundle(self.bundle(run), public_key=key)["valid"]

    def check(self, run: str) -> None:
        answer = verify_bundle(self.bundle(run), public_key=self.journal.verifier_key)
        assert answer["valid"], answer["problems"]
        assert answer["attestations"] == 2, answer


@pytest.mark.parametrize("in_keyring", [False, True])
def test_a_rotation_outlives_a_restart_and_deletes_the_old_half(tmp_path: Path, in_keyring: bool) -> None:
    keyring = MemoryKeyring() if in_keyring else None
    home = Installation(tmp_path / "home", keyring)
    home.whole_run("r1")
    old, secret = home.journal.verifier_key, home.store.load_or_create()[0]
    announced = home.journal.attester.announced if home.journal.attester else None
    view = home.keys.rotate("yearly")
    assert home.journal.attester is not None and home.journal.attester.announced != announced
    home.check_old("r1", old)
    assert [one["state"] for one in view["keys"]] == ["in_use", "rotated"]
    assert view["keys"][1]["verifier_key"] == old and view["keys"][1]["reason"] == "yearly"
    home.whole_run("r2")
    home.check("r2")
    assert home.store.load_or_create()[0] != secret
    assert home.store.prepared() is None
    home.close()
    again = Installation(tmp_path / "home", keyring)
    assert again.journal.verifier_key == view["keys"][0]["verifier_key"]
    assert again.keys.show() == view
    again.whole_run("r3")
    again.check("r3")
    if keyring is not None:
        assert len(keyring.entries) == 2 and not (tmp_path / "home" / KEY_FILE).exists()
    else:
        assert stat.S_IMODE((tmp_path / "home" / KEY_FILE).stat().st_mode) == 0o600
        assert view["keys"][0]["protection"] == "unprotected key" and not view["keys"][0]["protected"]
    again.close()


def test_a_rotation_brings_a_file_into_a_keyring(tmp_path: Path) -> None:
    home = Installation(tmp_path / "home")
    home.whole_run("r1")
    home.close()
    keyring = MemoryKeyring()
    home = Installation(tmp_path / "home", keyring)
    assert home.journal.protection == "unprotected key"
    assert home.keys.rotate()["keys"][0]["protected"]
    assert not (tmp_path / "home" / KEY_FILE).exists() and (tmp_path / "home" / PLACE_FILE).exists()
    home.whole_run("r2")
    home.check("r2")
    home.close()
    home = Installation(tmp_path / "home", keyring)
    assert home.journal.protection == "keyring"
    home.close()


def test_revocations(tmp_path: Path) -> None:
    home = Installation(tmp_path / "home")
    home.whole_run("r1")
    first = home.keys.show()["keys"][0]["id"]
    home.keys.rotate()
    second = home.keys.show()["keys"][0]["id"]
    home.keys.revoke(first, "found on a disk")
    home.keys.revoke("", "stolen")
    view = home.keys.show()["keys"]
    assert {one["id"]: one["state"] for one in view} == {first: "revoked", second: "revoked", view[0]["id"]: "in_use"}
    home.keys.revoke(view[0]["id"])
    assert home.keys.show()["keys"][0]["id"] != view[0]["id"], "the one in use by its name"
    home.whole_run("r2")
    home.check("r2")
    for key in ("nonsense", first):
        with pytest.raises(BadInput):
            home.keys.revoke(key)
    for reason in ("x" * 201, "a\x1b[2J"):
        with pytest.raises(BadInput, match="Nothing was changed"):
            home.keys.rotate(reason)
    home.check("r2")
    home.close()


def test_a_key_that_is_not_the_logs_signs_nothing(tmp_path: Path) -> None:
    home = Installation(tmp_path / "home")
    home.whole_run("r1")
    old = (tmp_path / "home" / KEY_FILE).read_bytes()
    home.keys.rotate()
    home.close()
    (tmp_path / "home" / KEY_FILE).write_bytes(old)
    with pytest.raises(MissingPrerequisite, match="is not the one that the log's own records say"):
        Installation(tmp_path / "home")


def test_a_key_that_was_prepared_and_never_used_is_given_up(tmp_path: Path) -> None:
    keyring = MemoryKeyring()
    home = Installation(tmp_path / "home", keyring)
    home.whole_run("r1")
    key = home.journal.verifier_key
    home.store.prepare()
    home.close()
    home = Installation(tmp_path / "home", keyring)
    assert home.journal.verifier_key == key and home.store.prepared() is None and len(keyring.entries) == 2
    home.keys.rotate()
    with home.database.transaction() as session:
        # A log of the time before there were records: whatever key there is signs on.
        session.execute(delete(SigningKeyRow))
    home.store.prepare()
    home.close()
    home = Installation(tmp_path / "home", keyring)
    assert home.store.prepared() is None
    home.close()


#: Where a process is killed during a rotation, by the call that it was about to make or had just made.
STEPS = ("prepare", "prepared", "recording", "recorded", "replace", "unlink")


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_between_the_steps_of_a_rotation(step: str, tmp_path: Path) -> None:
    home = Installation(tmp_path / "home")
    home.whole_run("r1")
    before = home.journal.verifier_key
    home.close()
    command = [sys.executable, "-m", "tests.engine.rotating_worker", str(tmp_path / "home"), step]
    done = subprocess.run(command, cwd=PROJECT, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    home = Installation(tmp_path / "home")
    home.whole_run("r2")
    home.check("r2")
    changed = home.journal.verifier_key != before
    assert changed == (step in ("recorded", "replace", "unlink")), "the transaction decides"
    answer = verify_bundle(home.bundle("r2"), public_key=before)
    assert answer["valid"], "and whoever trusted the old key can follow"
    assert not (tmp_path / "home" / (KEY_FILE + NEXT)).exists()
    assert len(home.keys.show()["keys"]) == (2 if changed else 1)
    home.keys.rotate()
    home.whole_run("r3")
    home.check("r3")
    home.close()
    assert not [name for name in os.listdir(tmp_path / "home") if name.endswith(NEXT)]
