"""Pages, search, proofs, checkpoints and grades over real logs, also logs that somebody changed on the disk."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import delete, event, text, update

from qverify_desktop.domain.errors import BadInput, EvidenceUnreadable
from qverify_desktop.domain.results import AnalysisRequest
from qverify_desktop.engine import delivery
from qverify_desktop.engine.questions import entries as entries_module
from qverify_desktop.engine.questions.catalogue import Context
from qverify_desktop.engine.questions.entries import Entries
from qverify_desktop.engine.questions.evidence import MEANINGS, EvidenceQuestions
from qverify_desktop.engine.questions.proof import prove
from qverify_desktop.evidence import verify
from qverify_desktop.evidence.merkle import leaf_hash
from qverify_desktop.storage.schema import CheckpointRow, EntryRow, SubtreeRow
from tests.engine.house import follow
from tests.engine.house import house as engine_over
from tests.evidence import logs
from tests.evidence.logs import OTHER_KEY, RESULT, House

NEVER = threading.Event()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Two runs whose entries lie between each other: 0 a, 1 b, 2 a, 3 b …"""
    house = House(tmp_path)
    for run in ("a", "b"):
        house.open_run(run)
    for number in range(10):
        for run in ("a", "b"):
            data = {"purpose": f"part {number}", "exit_code": 0, "duration_ms": 0}
            house.journal.record(run, f"work {number}", RESULT, [logs.event("execution", data)])
    for run in ("a", "b"):
        house.close_run(run)
    yield house
    house.close()


def questions_of(house: House) -> EvidenceQuestions:
    async def find(run: str) -> str:
        return run

    return EvidenceQuestions(cast(Context, SimpleNamespace(home=house.folder, database=house.database, find=find)))


# Pages


@pytest.mark.parametrize(
    ("run", "start", "limit", "expected"),
    [
        ("", 0, 4, [0, 1, 2, 3]),
        ("", 20, 100, [20, 21, 22, 23]),
        ("", -2, 5, [22, 23]),
        ("", -100, 2, [0, 1]),
        ("", 24, 5, []),
        ("", 1000, 5, []),
        ("", 3, 0, []),
        ("", 3, -7, []),
        ("b", 0, 3, [1, 3, 5]),
        ("b", -2, 9, [21, 23]),
        ("nobody", 0, 5, []),
    ],
)
def test_a_page_is_what_stands_there(house: House, run: str, start: int, limit: int, expected: list[int]) -> None:
    page = Entries(house.database).page(run, start, limit)
    assert [entry["index"] for entry in page["entries"]] == expected
    assert page["total"] == {"": 24, "b": 12, "nobody": 0}[run]
    assert page["start"] == (max(0, page["total"] + start) if start < 0 else min(start, page["total"]))
    assert page["complete"]


def test_a_page_is_bounded(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries_module, "MOST_ENTRIES", 5)
    assert len(Entries(house.database).page("", 0, 10**9)["entries"]) == 5
    assert len(Entries(house.database).search("", "execution", 0, 10**9, NEVER)["entries"]) == 5


@contextmanager
def plans(house: House) -> Iterator[list[str]]:
    """How SQLite answers each query inside the block."""
    asked: list[tuple[str, Any]] = []
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    event.listen(house.database._engine, "before_cursor_execute", note)
    yield found
    event.remove(house.database._engine, "before_cursor_execute", note)
    with house.database._engine.connect() as connection:
        for statement, parameters in asked:
            if statement.startswith("SELECT"):
                rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                found.extend(str(row[3]) for row in rows)


@pytest.mark.parametrize("run", ["", "b"])
def test_pages_searches_and_proofs_read_no_more_of_the_log_than_they_need(house: House, run: str) -> None:
    """By the query plan: a million entries are searched by an index, never walked through or sorted."""
    asked = Entries(house.database)
    with plans(house) as found:
        asked.page(run, 4, 5)
        asked.search(run, "part", 0, 5, NEVER)
        prove(house.database, 7)
    assert len(found) >= 8
    for plan in found:
        assert plan.startswith("SEARCH"), plan


# Search


def search(
    asked: Entries, words: str, run: str = "", start: int = 0, limit: int = 100
) -> tuple[list[int], int, bool]:
    page = asked.search(run, words, start, limit, NEVER)
    return [entry["index"] for entry in page["entries"]], page["total"], page["complete"]


@pytest.mark.parametrize(
    ("words", "run", "expected"),
    [
        ("part 3", "", [8, 9]),
        ("PART 3", "b", [9]),
        ("run_opened", "", [0, 1]),
        ("execution !part", "", []),
        ("!execution", "", [0, 1, 22, 23]),
        ("closed", "a", [22]),
        ("!", "", []),
        ("part 3 nowhere", "", []),
    ],
)
def test_words_are_found_in_type_and_sentence(house: House, words: str, run: str, expected: list[int]) -> None:
    found, total, complete = search(Entries(house.database), words, run)
    assert (found, total, complete) == (expected, len(expected), True)


def test_hits_come_by_pages(house: House) -> None:
    asked = Entries(house.database)
    assert search(asked, "execution", "b", 2, 3) == ([7, 9, 11], 10, True)
    assert search(asked, "execution", "b", -2, 9) == ([19, 21], 10, True)
    assert search(asked, "execution", "b", 50, 9) == ([], 10, True)


def test_only_the_newest_are_searched_and_that_is_told(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries_module, "MOST_SEARCHED", 5)
    assert search(Entries(house.database), "execution") == ([19, 20, 21], 3, False)
    assert search(Entries(house.database), "execution", "a") == ([14, 16, 18, 20], 4, False)


def test_what_was_searched_is_not_read_again_and_what_came_since_is(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Entries(house.database)
    assert search(asked, "part 3")[0] == [8, 9]
    looked_at: list[int] = []
    tell = entries_module.line_of
    monkeypatch.setattr(
        entries_module, "line_of", lambda index, leaf: (looked_at.append(index), tell(index, leaf))[1]
    )
    house.open_run("c")
    house.journal.record("c", "work", RESULT, [logs.event("execution", {"purpose": "part 3"})])
    assert search(asked, "part 3") == ([8, 9, 25], 3, True)
    assert sorted(looked_at) == [8, 9, 24, 25, 25], "the two new entries, and the three that are shown"


def test_a_search_that_nobody_waits_for_stops_and_goes_on_later(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entries_module, "_SLICE", 4)
    asked, stop, looked = Entries(house.database), threading.Event(), []

    def look(index: int, leaf: bytes, tell: Any = entries_module.line_of) -> Any:
        looked.append(index)
        stop.set()
        return tell(index, leaf)

    with monkeypatch.context() as patched:
        patched.setattr(entries_module, "line_of", look)
        asked.search("", "nowhere", 0, 5, stop)
    assert looked == [0, 1, 2, 3]
    assert search(asked, "part 9")[1] == 2
    assert search(asked, "nowhere")[1] == 0


# Proofs


@pytest.fixture
def long_log(tmp_path: Path) -> Iterator[House]:
    """More entries than one kept subtree has, the last two signed by nobody."""
    house = House(tmp_path)
    house.open_run("a")
    house.journal.record("a", "work", RESULT, [logs.event("execution", {"number": n}) for n in range(600)])
    house.close_run("a")
    house.journal.record("b", "open", RESULT, [logs.event("run_opened", {})])
    house.journal.record("b", "work", RESULT, [logs.event("execution", {})])
    yield house
    house.close()


SIGNED = 602


@pytest.mark.parametrize("index", [0, 1, 255, 256, 257, 511, 512, 600, 601])
def test_a_proof_holds_for_another_verifier_and_can_be_drawn(long_log: House, index: int) -> None:
    view = prove(long_log.database, index)
    assert view["holds"] and not view["problem"] and view["size"] == SIGNED
    leaf, root = leaf_hash(view["leaf"].encode()), bytes.fromhex(view["root"])
    assert view["leaf_hash"] == leaf.hex()
    assert verify.included(leaf, index, SIGNED, [bytes.fromhex(step["hash"]) for step in view["proof"]], root)
    at = view["leaf_hash"]
    for step in view["proof"]:
        pair = (step["hash"], at) if step["side"] == "left" else (at, step["hash"])
        at = verify.node_hash(*map(bytes.fromhex, pair)).hex()
        assert step["computed"] == at
    assert at == view["root"]
    assert view["payload"]["type"] == view["line"]["type"]


@pytest.mark.parametrize("index", [602, 603])
def test_an_entry_that_nobody_signed_yet_holds_nothing_and_has_no_problem(long_log: House, index: int) -> None:
    view = prove(long_log.database, index)
    assert (view["holds"], view["problem"], view["size"]) == (False, "", index + 1)


def change(house: House, statement: Any) -> None:
    with house.database.transaction() as session:
        session.execute(text("PRAGMA defer_foreign_keys=ON"))
        session.execute(statement)


ENTRY = update(EntryRow).where(EntryRow.index == 300)
FORGED = b'{"at":"","data":{},"log":"l","prev":"","run":"a","seq":300,"step":"work","type":"execution","v":1}'


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (ENTRY.values(leaf=FORGED), "not the one that was signed"),
        (ENTRY.values(leaf=b"\xff{no json"), "not the one that was signed"),
        (ENTRY.values(leaf=FORGED, leaf_hash=leaf_hash(FORGED)), "do not lead to the root"),
        (update(EntryRow).where(EntryRow.index == 400).values(leaf_hash=b"x" * 32), "do not lead to the root"),
        (update(CheckpointRow).values(note=CheckpointRow.note + "x"), "not as it was signed"),
        (update(CheckpointRow).values(note="nothing"), "not as it was signed"),
        (update(CheckpointRow).values(verifier_key="nothing"), "not as it was signed"),
    ],
    ids=range(7),
)
def test_what_was_changed_on_the_disk_does_not_hold(long_log: House, changed: Any, told: str) -> None:
    assert prove(long_log.database, 300)["holds"]
    change(long_log, changed)
    view = prove(long_log.database, 300)
    assert not view["holds"] and told in view["problem"]


def test_a_change_elsewhere_does_not_spoil_what_is_proven_by_kept_hashes(long_log: House) -> None:
    """They lead to the root that was signed; the changed entry itself does not."""
    assert prove(long_log.database, 300)["holds"]
    change(long_log, update(EntryRow).where(EntryRow.index == 10).values(leaf=FORGED, leaf_hash=leaf_hash(FORGED)))
    assert prove(long_log.database, 300)["holds"]
    assert "do not lead to the root" in prove(long_log.database, 10)["problem"]
    assert prove(long_log.database, 300)["holds"]


def test_a_checkpoint_of_another_root_is_no_proof_whoever_signed_it(long_log: House) -> None:
    """A root that does not belong to these leaves, signed with the right key."""
    from qverify_desktop.evidence.note import Checkpoint

    note = long_log.journal._signer.sign(str(Checkpoint(logs.ORIGIN, SIGNED, b"r" * 32)))
    assert base64.b64encode(b"r" * 32).decode() in note
    change(long_log, update(CheckpointRow).where(CheckpointRow.size == SIGNED).values(note=note))
    assert "do not lead to the root" in prove(long_log.database, 5)["problem"]


def test_a_kept_hash_that_is_wrong_is_computed_again_from_the_leaves(long_log: House) -> None:
    assert prove(long_log.database, 5)["holds"]
    change(long_log, update(SubtreeRow).values(hash=b"x" * 32))
    assert prove(long_log.database, 5)["holds"]
    with long_log.database.reading() as session:
        assert session.query(SubtreeRow).filter(SubtreeRow.hash == b"x" * 32).count() == 0


def test_signed_entries_that_are_gone_are_a_sentence(long_log: House) -> None:
    change(long_log, delete(EntryRow).where(EntryRow.index == 520))
    with pytest.raises(BadInput, match="missing on this disk"):
        prove(long_log.database, 519)


@pytest.mark.parametrize("index", [-1, 24, 10**30, "7", True, None, 1.5])
async def test_a_number_that_is_no_entry_is_bad_input(house: House, index: Any) -> None:
    with pytest.raises(BadInput):
        await questions_of(house).event(index)


@pytest.mark.parametrize("wrong", [{"start": "0"}, {"limit": None}, {"start": 1 << 70}])
async def test_wrong_places_are_bad_input(house: House, wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        await questions_of(house).log(**wrong)


# Checkpoints and grades


async def test_the_checkpoint_of_a_run_is_the_one_its_bundle_is_pinned_to(tmp_path: Path) -> None:
    """Also where another run's opening was signed between the run's close and its checkpoint."""
    house = House(tmp_path)
    house.open_run("a")
    house.journal.record("a", "close", RESULT, [logs.event("run_closed", {})])
    house.open_run("b")
    house.journal.checkpoint("a")
    asked = questions_of(house)
    closing = await asked.checkpoint("a")
    pinned = logs.members(house.bundle("a"))["checkpoint"].decode()
    assert closing["note"] == pinned and closing["size"] == 3
    house.work("b")
    assert (await asked.checkpoint("b"))["size"] == 3, "an open run: the newest that was signed for it"
    house.close_run("b")
    assert (await asked.checkpoint())["size"] == (await asked.checkpoint("b"))["size"] == 6
    assert (await asked.checkpoint("a"))["note"] == pinned
    house.close()


async def test_nothing_signed_is_a_sentence(tmp_path: Path) -> None:
    house = House(tmp_path)
    with pytest.raises(BadInput, match="Nothing was signed yet"):
        await questions_of(house).checkpoint()
    house.close()


def test_each_grade_has_one_sentence_of_meaning_and_one_of_limit() -> None:
    assert list(MEANINGS) == ["INVALID", "DIVERGED", "UNANCHORED", "TIMESTAMPED", "WITNESSED"]
    for told in (one for pair in MEANINGS.values() for one in pair):
        assert told.endswith(".") and told.count(". ") == 0
    assert len({told for pair in MEANINGS.values() for told in pair}) == 10


async def test_a_bundle_of_another_key_under_a_run_of_ours_is_seen(tmp_path: Path, source: Path) -> None:
    """Whole in itself: only the key of this installation gives it away."""
    home = tmp_path / "home"
    async with engine_over(home) as engine:
        run = await engine.start(AnalysisRequest(str(source)))
        await follow(engine, run)
        assert (await engine.ask("evidence_grade", run=run))["grade"] == "UNANCHORED"
        (tmp_path / "other").mkdir()
        other = House(tmp_path / "other", OTHER_KEY)
        other.whole_run(run)
        bundle = delivery.run_folder(home, run) / f"{run}{delivery.BUNDLE_SUFFIX}"
        bundle.write_bytes(other.bundle(run).read_bytes())
        other.close()
        seen = await engine.ask("evidence_grade", run=run)
        assert (seen["grade"], seen["valid"]) == ("INVALID", False) and seen["problems"]
        for asked in ({"run": run, "own_key": False}, {"bundle": str(bundle)}):
            assert (await engine.ask("evidence_grade", **asked))["grade"] == "UNANCHORED"


async def test_what_is_no_bundle_is_a_sentence(tmp_path: Path, source: Path) -> None:
    async with engine_over(tmp_path / "home") as engine:
        for asked in ({}, {"run": "r0000000000000"}, {"run": ""}):
            with pytest.raises(BadInput):
                await engine.ask("evidence_grade", **asked)
        (tmp_path / "x.zip").write_bytes(b"PK")
        for bundle in (tmp_path / "none.zip", tmp_path / "x.zip", tmp_path):
            try:
                seen = await engine.ask("evidence_grade", bundle=str(bundle))
                assert seen["grade"] == "INVALID" and seen["problems"]
            except EvidenceUnreadable as error:
                assert error.sentence.endswith(".")
