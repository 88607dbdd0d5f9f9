"""A power cut in the middle of a write: files that end too early, or whose last part is nonsense."""

from __future__ import annotations

import json
import multiprocessing
import random
import shutil
from pathlib import Path

import pytest
from sqlalchemy import select

from qverify_desktop.domain.errors import MissingPrerequisite, QVerifyError
from qverify_desktop.evidence import journal as journal_module
from qverify_desktop.evidence.verify import verify_bundle
from qverify_desktop.storage.schema import CheckpointRow
from tests.evidence.logs import RESULT, House, event
from tests.evidence.test_journal import assert_log_is_sound, entries

FRAME = 24 + 4096
SIDE = "qverify.db-wal"


@pytest.fixture
def cut_off(tmp_path: Path) -> Path:
    """A state folder as it lies on the disk while the process is still at work: most of it is in the write-ahead log."""
    house = House(tmp_path / "home")
    house.whole_run("r1", steps=6)
    house.open_run("r2")
    house.work("r2", steps=6)
    shutil.copytree(tmp_path / "home", tmp_path / "cut")
    house.close()
    assert (tmp_path / "cut" / SIDE).stat().st_size > 20 * FRAME
    return tmp_path / "cut"


def after(folder: Path) -> House:
    """What the next process finds. The index in shared memory does not survive a power cut."""
    (folder / "qverify.db-shm").unlink(missing_ok=True)
    return House(folder)


def checkpoints(house: House) -> dict[int, str]:
    with house.database.reading() as session:
        return {row.size: row.note for row in session.scalars(select(CheckpointRow))}


def known_before(tmp_path: Path, cut_off: Path) -> tuple[list[dict[str, object]], dict[int, str]]:
    house = after(shutil.copytree(cut_off, tmp_path / "whole"))
    known = entries(house), checkpoints(house)
    house.close()
    return known


@pytest.mark.parametrize("harm", ["truncated", "scribbled", "zeros"])
def test_a_torn_write_leaves_the_log_as_it_was_after_some_transaction(
    tmp_path: Path, cut_off: Path, harm: str
) -> None:
    whole, signed = known_before(tmp_path, cut_off)
    dice, found = random.Random(8), set()
    raw = (cut_off / SIDE).read_bytes()
    for number in range(12):
        at = dice.randrange(0, len(raw))
        tail = {"truncated": b"", "scribbled": dice.randbytes(len(raw) - at), "zeros": bytes(len(raw) - at)}[harm]
        folder = shutil.copytree(cut_off, tmp_path / f"torn {number}")
        (folder / SIDE).write_bytes(raw[:at] + tail)
        # What was signed after the cut was not there yet; where it was, see test_last_signed.py.
        shutil.rmtree(folder / "signed")
        house = after(folder)
        left = entries(house)
        found.add(len(left))
        assert left == whole[: len(left)], "a beginning of the log, in whole steps"
        assert_log_is_sound(house)
        assert checkpoints(house).items() <= signed.items()
        if left and not any(entry["type"] == "run_closed" for entry in left):
            house.close_run("r1")
        if left:
            answer = verify_bundle(house.bundle("r1"), public_key=house.journal.verifier_key)
            assert answer["valid"], answer["problems"]
        house.close()
        shutil.rmtree(folder)
    assert len(found) > 4, "cuts at many places"


def test_a_database_that_lost_its_end_is_refused_and_left_alone(tmp_path: Path) -> None:
    house = House(tmp_path)
    for run in ("r1", "r2", "r3", "r4"):
        house.whole_run(run, steps=20)
    house.close()
    path = tmp_path / "qverify.db"
    torn = path.read_bytes()[: path.stat().st_size // 2]
    path.write_bytes(torn)
    with pytest.raises(MissingPrerequisite, match=r"damaged.*bundles stay valid") as caught:
        again = House(tmp_path)
        again.whole_run("r5")
    assert "backup" in caught.value.remedy
    assert (path.read_bytes()[: len(torn)]) == torn


HARMS = {
    "short": "UPDATE tiles SET hashes = substr(hashes, 1, 4000) WHERE number = 0",
    "scribbled": "UPDATE tiles SET hashes = zeroblob(8192) WHERE number = 1",
    "gone": "DELETE FROM tiles WHERE number = 0",
    "exchanged": "UPDATE tiles SET hashes = (SELECT hashes FROM tiles WHERE number = 1) WHERE number = 0",
}


@pytest.mark.parametrize("harm", HARMS)
def test_a_torn_tile_is_made_of_the_entries_again(tmp_path: Path, harm: str) -> None:
    house = House(tmp_path)
    house.open_run("r1")
    for number in range(6):
        events = [event("execution", {"number": number, "part": part}) for part in range(100)]
        house.journal.record("r1", f"work {number}", RESULT, events)
    house.close_run("r1")
    whole = house.bundle("r1").read_bytes()
    with house.database.statements() as connection:
        assert connection.execute(HARMS[harm]).rowcount == 1
    assert house.bundle("r1").read_bytes() == whole
    answer = verify_bundle(house.bundle("r1"), public_key=house.journal.verifier_key)
    assert answer["valid"], answer["problems"]
    house.close()


def test_a_torn_artefact_is_no_result(tmp_path: Path) -> None:
    house = House(tmp_path)
    digest = house.artefacts.put(b"a result " * 1000)
    path = house.artefacts.path(digest)
    path.write_bytes(path.read_bytes()[:4000])
    with pytest.raises(QVerifyError, match="changed on the disk"):
        house.artefacts.get(digest)
    assert house.artefacts.put(b"a result " * 1000) == digest
    assert house.artefacts.get(digest) == b"a result " * 1000
    house.close()


def test_a_clock_that_jumps_back_changes_no_order_and_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log counts, it does not look at the clock; two runs, the second of which begins a day before the first."""
    hours = iter((10, 11, 9, 10, 0, 1, 2, 3, 4))

    class Clock(journal_module.datetime):  # type: ignore[misc, name-defined]
        @classmethod
        def now(cls, tz=None):
            return cls(2026, 1, 2, next(hours, 5), tzinfo=tz)

    monkeypatch.setattr(journal_module, "datetime", Clock)
    house = House(tmp_path)
    house.journal.record("r1", "open", RESULT, [event("run_opened")])
    for number in range(3):
        house.journal.record("r1", f"work {number}", RESULT, [event("execution", {"number": number})])
    house.close_run("r1")
    house.whole_run("r2")
    assert_log_is_sound(house)
    told = [entry["at"] for entry in entries(house, "r1")]
    assert told != sorted(told)
    assert [entry["data"]["number"] for entry in entries(house, "r1")[1:-1]] == [0, 1, 2]
    first, second = (verify_bundle(house.bundle(run)) for run in ("r1", "r2"))
    assert first["valid"] and second["valid"]
    assert any("clock of the machine was set back" in notice for notice in first["notices"])
    assert not any("clock" in notice for notice in second["notices"])
    house.close()


def begin(folder: str, run: str, start: multiprocessing.synchronize.Barrier) -> None:  # type: ignore[name-defined]
    start.wait()
    house = House(Path(folder))
    house.whole_run(run, steps=5)
    house.bundle(run)
    house.close()


def test_processes_that_begin_one_folder_at_the_same_moment_share_one_log(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(3)
    runs = ["r1", "r2", "r3"]
    processes = [context.Process(target=begin, args=(str(tmp_path / "home"), run, start)) for run in runs]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    house = House(tmp_path / "home")
    assert_log_is_sound(house)
    assert len({json.dumps(entry["log"]) for entry in entries(house)}) == 1
    for run in runs:
        answer = verify_bundle(house.bundle(run), public_key=house.journal.verifier_key)
        assert answer["valid"], answer["problems"]
    house.close()
