"""A disk that is full at each place where evidence is written: refused with a sentence, nothing half done, nothing lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from qverify_desktop.domain.errors import MissingPrerequisite
from qverify_desktop.evidence.verify import verify_bundle
from qverify_desktop.storage.database import Database
from tests.evidence.logs import RESULT, House, event
from tests.evidence.test_journal import assert_log_is_sound, entries
from tests.small_disk import filled, small_disk

KIB = 1024


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", 1024) as place:
        yield place


def files_of(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("leave", [0, 4 * KIB, 16 * KIB, 64 * KIB])
@pytest.mark.parametrize("blob", [0, 200 * KIB])
def test_append(disk: Path, leave: int, blob: int) -> None:
    """With and without a blob, with room for nothing or for a part of it: the step is recorded whole or not at all."""
    house = House(disk)
    house.open_run("r1")
    house.work("r1")
    before, kept = len(entries(house)), files_of(disk)
    blobs = {"output": b"\x01" * blob} if blob else {}
    events = [event("execution", {"n": "x" * 4000}, **blobs) for _ in range(50)]
    with filled(disk, leave), pytest.raises(MissingPrerequisite, match=r"full.*safe.*resume"):
        house.journal.record("r1", "step", RESULT, events)
    assert house.journal.recorded("r1", "step") is None
    assert len(entries(house)) == before
    assert {name for name in files_of(disk) - kept if not name.startswith("qverify.db")} <= {
        name for name in files_of(disk / "artefacts") if len(name) == 64
    }, "a blob may be there whole, never a part of one"
    assert_log_is_sound(house)
    house.journal.record("r1", "step", RESULT, events[:1])
    house.close_run("r1")
    answer = verify_bundle(house.bundle("r1"), public_key=house.journal.verifier_key)
    assert answer["valid"], answer["problems"]
    house.close()


def test_checkpoint(disk: Path) -> None:
    house = House(disk)
    house.open_run("r1")
    house.work("r1")
    with filled(disk), pytest.raises(MissingPrerequisite, match=r"full.*safe"):
        # The write-ahead log has room of its own left for some of them.
        for number in range(200):
            house.journal.record("r1", f"more {number}", RESULT, [event("execution", {"n": "x" * 40})])
            house.journal.checkpoint("r1")
    assert_log_is_sound(house)
    house.close_run("r1")
    answer = verify_bundle(house.bundle("r1"), public_key=house.journal.verifier_key)
    assert answer["valid"], answer["problems"]
    house.close()


@pytest.mark.parametrize("leave", [0, 4 * KIB])
def test_bundle(disk: Path, tmp_path: Path, leave: int) -> None:
    """The log is on another disk. A bundle that stands there already stays as it is."""
    house = House(tmp_path / "home")
    house.whole_run("r1", steps=20)
    target = disk / "r1.zip"
    house.journal.bundle("r1", target)
    whole = target.read_bytes()
    assert len(whole) > leave
    with filled(disk, leave), pytest.raises(MissingPrerequisite, match=r"disk is full.*log itself is safe"):
        house.journal.bundle("r1", target)
    assert target.read_bytes() == whole
    assert files_of(disk) == {"r1.zip"}, "no half bundle is left"
    house.close()


def test_a_log_that_can_not_be_begun(disk: Path) -> None:
    with filled(disk), pytest.raises(MissingPrerequisite, match=r"full|can't keep"):
        House(disk / "home")
    house = House(disk / "home")
    house.whole_run("r1")
    assert_log_is_sound(house)
    house.close()


def test_a_full_disk_is_no_hindrance_to_reading_and_proving(disk: Path, tmp_path: Path) -> None:
    house = House(disk)
    house.whole_run("r1", steps=5)
    # The first bundle signs what the run attests to, and keeps it; a delivered run has had its first.
    house.journal.bundle("r1", tmp_path / "first.zip")
    with filled(disk):
        house.journal.bundle("r1", tmp_path / "r1.zip")
    answer = verify_bundle(tmp_path / "r1.zip", public_key=house.journal.verifier_key)
    assert answer["valid"], answer["problems"]
    house.close()
    # SQLite needs 32 KiB beside a database that is opened.
    with filled(disk), pytest.raises(MissingPrerequisite, match=r"full.*safe"):
        Database(disk / "qverify.db")
    Database(disk / "qverify.db").close()
