"""A log that fell behind what was signed in its state folder: an older database, a lost write-ahead log, a database that is gone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from qverify_desktop.domain.errors import MissingPrerequisite
from qverify_desktop.evidence.verify import verify_bundle
from tests.evidence.logs import RESULT, House, event
from tests.evidence.test_journal import assert_log_is_sound, entries

SIDES = ("", "-wal", "-shm")
REFUSED = r"does not lead to the last checkpoint .* of 8 entries.*DIVERGED"


def lived(folder: Path) -> tuple[Path, Path]:
    """Two runs with a backup of the database between them; answers the backup and the second run's checkpoint."""
    house = House(folder)
    house.whole_run("r1")
    house.close()
    backup = folder.parent / "backup.db"
    shutil.copy(folder / "qverify.db", backup)
    house = House(folder)
    house.whole_run("r2")
    known = folder.parent / "known"
    known.write_text(house.journal.checkpoint("r2"))
    house.close()
    return backup, known


def replaced(folder: Path, backup: Path) -> None:
    for side in SIDES:
        (folder / f"qverify.db{side}").unlink(missing_ok=True)
    shutil.copy(backup, folder / "qverify.db")


def assert_nothing_is_added(house: House) -> None:
    before = entries(house)
    for add in (
        lambda: house.journal.record("r3", "open", RESULT, [event("run_opened")]),
        lambda: house.journal.change_key("d1", "rotated", None),
    ):
        with pytest.raises(MissingPrerequisite, match=REFUSED) as caught:
            add()
        assert "move this one away" in caught.value.remedy
    assert entries(house) == before


def test_a_database_from_a_backup_is_read_and_not_gone_on_with(tmp_path: Path) -> None:
    backup, _ = lived(tmp_path / "home")
    replaced(tmp_path / "home", backup)
    for _ in range(2):
        house = House(tmp_path / "home")
        assert_nothing_is_added(house)
        answer = verify_bundle(house.bundle("r1"), public_key=house.journal.verifier_key)
        assert answer["valid"], answer["problems"]
        house.close()


def test_without_that_the_second_history_would_be_found_by_whoever_knows_the_first(tmp_path: Path) -> None:
    backup, known = lived(tmp_path / "home")
    replaced(tmp_path / "home", backup)
    shutil.rmtree(tmp_path / "home" / "signed")
    house = House(tmp_path / "home")
    house.whole_run("other", steps=3)
    answer = verify_bundle(house.bundle("other"), public_key=house.journal.verifier_key, known_checkpoint=known)
    assert answer["grade"] == "DIVERGED"
    house.close()


def test_the_newer_database_put_back_goes_on(tmp_path: Path) -> None:
    backup, _ = lived(tmp_path / "home")
    newer = shutil.copy(tmp_path / "home" / "qverify.db", tmp_path / "newer.db")
    replaced(tmp_path / "home", backup)
    house = House(tmp_path / "home")
    assert_nothing_is_added(house)
    house.close()
    replaced(tmp_path / "home", Path(newer))
    house = House(tmp_path / "home")
    house.whole_run("r3")
    assert_log_is_sound(house)
    house.close()


def test_a_write_ahead_log_that_was_deleted_is_said(tmp_path: Path) -> None:
    house = House(tmp_path / "home")
    house.whole_run("r1")
    house.close()
    house = House(tmp_path / "home")
    house.whole_run("r2")
    # As it lies on the disk after a kill: the second run is in the write-ahead log alone.
    shutil.copytree(tmp_path / "home", tmp_path / "killed")
    house.close()
    shutil.copytree(tmp_path / "killed", tmp_path / "whole")
    for side in SIDES[1:]:
        (tmp_path / "killed" / f"qverify.db{side}").unlink()
    house = House(tmp_path / "killed")
    assert {entry["run"] for entry in entries(house)} == {"r1"}
    assert_nothing_is_added(house)
    house.close()
    house = House(tmp_path / "whole")
    house.whole_run("r3")
    assert_log_is_sound(house)
    house.close()


def test_a_new_database_in_an_old_folder_is_a_log_of_another_name(tmp_path: Path) -> None:
    lived(tmp_path / "home")
    house = House(tmp_path / "home")
    before, old = house.journal.origin, house.bundle("r2").read_bytes()
    house.close()
    for side in SIDES:
        (tmp_path / "home" / f"qverify.db{side}").unlink(missing_ok=True)
    (tmp_path / "old.zip").write_bytes(old)
    house = House(tmp_path / "home")
    assert house.journal.origin != before and house.journal.origin.startswith("qverify.test/")
    house.whole_run("r1")
    house.close()
    house = House(tmp_path / "home")
    house.whole_run("r2")
    answer = verify_bundle(house.bundle("r2"), public_key=house.journal.verifier_key)
    assert answer["valid"], answer["problems"]
    assert verify_bundle(tmp_path / "old.zip")["valid"]
    house.close()


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"qverify.test/log\n3\n\n\n", b"x" * 5000])
def test_a_torn_file_says_nothing_and_is_written_again(tmp_path: Path, content: bytes) -> None:
    house = House(tmp_path / "home")
    house.whole_run("r1")
    house.close()
    (file,) = (tmp_path / "home" / "signed").iterdir()
    whole = file.read_bytes()
    file.write_bytes(content)
    house = House(tmp_path / "home")
    house.whole_run("r2")
    assert file.read_bytes() != whole and file.read_bytes().startswith(b"qverify.test/log\n8\n")
    house.bundle("r1")
    assert file.read_bytes().startswith(b"qverify.test/log\n8\n"), "an older bundle does not set it back"
    house.close()
