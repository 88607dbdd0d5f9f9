"""The journal: one transaction a step, each step once, order kept, nothing that can't be proven later."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from qverify_desktop.analysis.ports import Journal
from qverify_desktop.domain.errors import BadInput, MissingPrerequisite, QVerifyError
from qverify_desktop.evidence import merkle
from qverify_desktop.evidence.canonical import NotCanonical
from qverify_desktop.evidence.journal import EvidenceJournal, commitment
from qverify_desktop.evidence.merkle import Tree
from qverify_desktop.evidence.note import Checkpoint, VerifierKey, open_note
from qverify_desktop.evidence.signing import Signer
from qverify_desktop.evidence.verify import verify_bundle
from qverify_desktop.storage.schema import EntryRow, LogRow, SaltRow, StepRow
from tests.evidence.logs import KEY, ORIGIN, OTHER_KEY, RESULT, House, event


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.close()


def entries(house: House, run: str = "") -> list[Any]:
    with house.database.reading() as session:
        rows = session.scalars(select(EntryRow).order_by(EntryRow.index)).all()
        return [json.loads(row.leaf) for row in rows if run in ("", row.run)]


def assert_log_is_sound(house: House) -> None:
    """No gap, no double, every run linked, and the stored right edge is that of all leaves."""
    with house.database.reading() as session:
        rows = session.scalars(select(EntryRow).order_by(EntryRow.index)).all()
        log = session.get_one(LogRow, 1)
        assert [row.index for row in rows] == list(range(len(rows)))
        assert [row.leaf_hash for row in rows] == [merkle.leaf_hash(row.leaf) for row in rows]
        tree = Tree(row.leaf_hash for row in rows)
        assert (log.size, merkle.Edge(log.size, log.edge).root()) == (tree.size, tree.root())
        last: dict[str, tuple[int, str]] = {}
        for row in rows:
            entry = json.loads(row.leaf)
            seq, prev = last.get(row.run, (-1, ""))
            assert (entry["seq"], entry["prev"], entry["run"]) == (seq + 1, prev, row.run) == (row.seq, prev, row.run)
            last[row.run] = (row.seq, row.leaf_hash.hex())
        for step in session.scalars(select(StepRow)):
            mine = [row.seq for row in rows if (row.run, row.step) == (step.run, step.step)]
            assert mine == list(range(step.first_seq, step.first_seq + step.events))
        for salt in session.scalars(select(SaltRow)):
            data = json.loads(rows[salt.index].leaf)["data"]
            assert data[salt.key] == {"commitment": commitment(salt.salt, salt.sha256), "bytes": salt.bytes}


def test_it_is_what_the_analysis_asks_for(house: House) -> None:
    journal: Journal = house.journal
    assert journal.recorded("r1", "open") is None


def test_a_run_is_written_as_linked_entries(house: House) -> None:
    house.whole_run("r1")
    written = entries(house)
    assert [entry["type"] for entry in written] == ["run_opened", "execution", "execution", "run_closed"]
    assert {entry["log"] for entry in written} == {ORIGIN}
    assert written[0]["data"]["key"] == {"verifier": house.journal.verifier_key, "protection": "keyring"}
    assert written[3]["data"]["entries"] == 4
    assert written[1]["data"]["output"]["bytes"] == len("r1 printed 0")
    assert "printed" not in json.dumps(written), "contents are committed to, never written"
    assert_log_is_sound(house)


def test_a_step_recorded_before_changes_nothing(house: House) -> None:
    house.open_run("r1")
    first = house.journal.record("r1", "step", "11" * 32, [event("execution", {"n": 1}, output=b"one")])
    before = entries(house)
    again = house.journal.record("r1", "step", "22" * 32, [event("execution", {"n": 2}, output=b"two")])
    assert first == again == house.journal.recorded("r1", "step") == "11" * 32
    assert entries(house) == before


def test_a_step_without_events_is_recorded_too(house: House) -> None:
    assert house.journal.record("r1", "early", RESULT, []) == RESULT
    house.open_run("r1")
    assert house.journal.recorded("r1", "early") == RESULT
    assert_log_is_sound(house)


@pytest.mark.parametrize(
    "types",
    [
        ["execution"],
        ["run_closed"],
        ["execution", "run_opened"],
        ["run_opened", "run_opened"],
        ["run_opened", "run_closed", "execution"],
    ],
)
def test_the_order_of_a_run_is_kept(house: House, types: list[str]) -> None:
    with pytest.raises(QVerifyError, match=r"run_opened|run_closed"):
        house.journal.record("r1", "step", RESULT, [event(type) for type in types])
    assert entries(house) == []
    assert house.journal.recorded("r1", "step") is None


def test_nothing_follows_the_close(house: House) -> None:
    house.whole_run("r1")
    for events in ([event("execution")], []):
        with pytest.raises(QVerifyError, match="closed"):
            house.journal.record("r1", "late", RESULT, events)
    house.whole_run("r2")
    assert_log_is_sound(house)


@pytest.mark.parametrize("data", [{"a": 0.5}, {"a": {"b": float("inf")}}, {"a": b"bytes"}, {"a": object()}])
def test_what_can_not_be_written_down_leaves_nothing(house: House, data: dict[str, Any]) -> None:
    house.open_run("r1")
    with pytest.raises(NotCanonical):
        house.journal.record("r1", "step", RESULT, [event("execution", {"fine": 1}), event("execution", data)])
    assert len(entries(house)) == 1
    assert house.journal.recorded("r1", "step") is None


@pytest.mark.parametrize("key", ["", "Output", "a-b", "x" * 65, "naïve", "a\nb"])
def test_a_blob_has_a_plain_name(house: House, key: str) -> None:
    house.open_run("r1")
    with pytest.raises(QVerifyError, match="can't name a blob"):
        house.journal.record("r1", "step", RESULT, [event("execution", {}, **{key: b"x"})])
    with pytest.raises(QVerifyError, match="can't name a blob"):
        house.journal.record("r1", "step", RESULT, [event("execution", {"output": 1}, output=b"x")])


def test_odd_names_and_large_numbers_are_written_as_text(house: House) -> None:
    house.open_run("r1")
    house.journal.record("r1", "step", RESULT, [event("x", {"files": ("bad\udcff\n",), "seed": 2**63 - 1})])
    assert entries(house)[1]["data"] == {"files": ["bad\\udcff\n"], "seed": str(2**63 - 1)}


def test_an_event_that_is_too_large_is_committed_to(house: House) -> None:
    house.open_run("r1")
    data = {"files": [f"folder/file number {number}" for number in range(5000)]}
    house.journal.record("r1", "step", RESULT, [event("accepted", data, code=b"code")])
    house.close_run("r1")
    written = entries(house)[1]["data"]
    assert written.keys() == {"oversize", "code"}
    with house.database.reading() as session:
        salt = session.get_one(SaltRow, (1, "oversize"))
    assert json.loads(house.artefacts.get(salt.sha256)) == data
    assert verify_bundle(house.bundle("r1"))["valid"]


def test_equal_contents_have_different_commitments(house: House) -> None:
    house.open_run("r1")
    house.journal.record("r1", "step", RESULT, [event("x", {}, a=b"same", b=b"same")])
    data = entries(house)[1]["data"]
    assert data["a"]["commitment"] != data["b"]["commitment"]


def test_a_checkpoint_is_signed_over_the_log_as_it_stands(house: House) -> None:
    house.open_run("r1")
    house.work("r1")
    note = house.journal.checkpoint("r1")
    text, _ = open_note(note, [VerifierKey.parse(house.journal.verifier_key)])
    head = Checkpoint.parse(text)
    with house.database.reading() as session:
        leaves = session.scalars(select(EntryRow.leaf_hash).order_by(EntryRow.index)).all()
    assert (head.origin, head.size, head.root) == (ORIGIN, 3, Tree(leaves).root())
    assert house.journal.checkpoint("r1") == note


def test_the_log_keeps_its_name_when_the_key_is_another(house: House, tmp_path: Path) -> None:
    house.whole_run("r1")
    house.close()
    later = EvidenceJournal(House(tmp_path).database, house.artefacts, Signer("another.name", OTHER_KEY, "keyring"))
    assert later.origin == ORIGIN
    assert (
        later.verifier_key
        == str(Signer(ORIGIN, OTHER_KEY, "").verifier_key)
        != str(Signer(ORIGIN, KEY, "").verifier_key)
    )
    later.record("r2", "open", RESULT, [event("run_opened")])
    later.record("r2", "close", RESULT, [event("run_closed")])
    later.checkpoint("r2")
    later.bundle("r2", tmp_path / "r2.zip")
    answer = verify_bundle(tmp_path / "r2.zip", public_key=later.verifier_key)
    assert answer["valid"]
    assert any("another key" in notice for notice in answer["notices"])
    old = verify_bundle(tmp_path / "r2.zip", public_key=house.journal.verifier_key)
    assert (old["grade"], len(old["problems"])) == ("INVALID", 1)


def test_a_later_run_may_rely_on_what_is_closed_under_the_same_key(house: House, tmp_path: Path) -> None:
    house.open_run("r1")
    assert house.journal.sealed("r1") is None and house.journal.sealed("r9") is None
    house.close_run("r1")
    sealed = house.journal.sealed("r1")
    assert sealed is not None
    with house.database.reading() as session:
        last = session.get_one(EntryRow, sealed.index)
    assert (sealed.run, sealed.index, sealed.leaf) == ("r1", 1, last.leaf_hash.hex())
    for key, protection in ((OTHER_KEY, "keyring"), (KEY, "file")):
        other = EvidenceJournal(house.database, house.artefacts, Signer(ORIGIN, key, protection))
        assert other.sealed("r1") is None, protection


def test_there_is_no_bundle_before_the_close(house: House, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="not closed"):
        house.journal.bundle("r1", tmp_path / "x.zip")
    house.open_run("r1")
    with pytest.raises(BadInput, match="resume r1"):
        house.journal.bundle("r1", tmp_path / "x.zip")
    assert not (tmp_path / "x.zip").exists()


def test_records_that_were_changed_on_the_disk_are_not_sealed_again(house: House, tmp_path: Path) -> None:
    house.whole_run("r1")
    with house.database.transaction() as session:
        row = session.get_one(EntryRow, 1)
        row.leaf_hash = merkle.leaf_hash(b"another")
    with pytest.raises(QVerifyError, match="not those that were signed"):
        house.journal.bundle("r1", tmp_path / "x.zip")
    assert not (tmp_path / "x.zip").exists()


def test_a_full_disk_leaves_the_step_unrecorded(house: House) -> None:
    house.open_run("r1")
    with house.database.statements() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages + 2}")
    events = [event("execution", {"n": "x" * 4000}) for _ in range(50)]
    with pytest.raises(MissingPrerequisite, match="full"):
        house.journal.record("r1", "step", RESULT, events)
    assert house.journal.recorded("r1", "step") is None
    assert len(entries(house)) == 1
    assert_log_is_sound(house)


def test_threads_write_one_log(house: House) -> None:
    errors: list[BaseException] = []

    def write(run: str) -> None:
        try:
            house.whole_run(run, steps=15)
        except BaseException as error:
            errors.append(error)

    def replay() -> None:
        answers.append(house.journal.record("shared", "once", f"{threading.get_ident():064x}", [event("run_opened")]))

    answers: list[str] = []
    threads = [threading.Thread(target=write, args=(f"r{number}",)) for number in range(4)]
    threads += [threading.Thread(target=replay) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(answers) == 4 and len(set(answers)) == 1
    assert len(entries(house, "shared")) == 1
    assert_log_is_sound(house)
    with house.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(EntryRow)) == 4 * 17 + 1
    for number in range(4):
        assert verify_bundle(house.bundle(f"r{number}"))["valid"]
