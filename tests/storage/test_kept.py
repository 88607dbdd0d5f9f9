"""What people keep: pins, choices, decisions; and databases of the first version, which had none of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from qverify_desktop.domain.progress import RunStatus
from qverify_desktop.storage.database import Database
from qverify_desktop.storage.decisions import DEFECT, TEST, Decision, DecisionStore
from qverify_desktop.storage.repositories import KeptRepository, RepositoryStore
from qverify_desktop.storage.runs import RunStore
from qverify_desktop.storage.schema import APPLICATION_ID, MIGRATIONS

SOURCE = "/projects/library"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "qverify.db")
    yield database
    database.close()


def test_pins_and_choices_of_a_source_are_apart(database: Database) -> None:
    store = RepositoryStore(database)
    assert store.get(SOURCE) == KeptRepository(SOURCE)
    store.remember(SOURCE, {"seed": 7, "model": "none"})
    store.pin(SOURCE, True)
    store.pin("/other", False)
    assert store.get(SOURCE) == KeptRepository(SOURCE, pinned=True, choices={"seed": 7, "model": "none"})
    store.remember(SOURCE, {"seed": 8})
    assert store.get(SOURCE).choices == {"seed": 8}, "the last ones count, as a whole"
    assert {source: one.pinned for source, one in store.list().items()} == {SOURCE: True, "/other": False}


def test_a_forgotten_source_keeps_nothing_but_its_time_until_it_is_pinned(database: Database) -> None:
    store = RepositoryStore(database)
    store.remember(SOURCE, {"seed": 7})
    store.pin(SOURCE, True)
    store.forget(SOURCE, "2026-01-01T00:00:00Z")
    assert store.get(SOURCE) == KeptRepository(SOURCE, forgotten_at="2026-01-01T00:00:00Z")
    store.pin(SOURCE, True)
    assert store.get(SOURCE) == KeptRepository(SOURCE, pinned=True)


@pytest.mark.parametrize("text", ["", "not json", "[1]", "7"])
def test_choices_that_are_damaged_count_as_none(database: Database, tmp_path: Path, text: str) -> None:
    store = RepositoryStore(database)
    store.remember(SOURCE, {"seed": 7})
    with closing(sqlite3.connect(tmp_path / "qverify.db")) as connection, connection:
        connection.execute("UPDATE repositories SET choices = ?", (text,))
    assert store.get(SOURCE).choices == {}


def test_decisions_are_by_run_and_kind_and_taken_back(database: Database) -> None:
    for run in ("r1", "r2"):
        RunStore(database).create(run, f'{{"source":"{SOURCE}"}}', "2026-01-01T00:00:00Z")
    store = DecisionStore(database)
    first, second = Decision("accepted", "", "2026-01-02T00:00:00Z"), Decision("refused", "", "2026-01-03T00:00:00Z")
    confirmed = Decision("confirmed", "It is one.", "2026-01-04T00:00:00Z")
    store.decide("r1", TEST, ["a", "b"], first)
    store.decide("r1", TEST, ["b"], second)
    store.decide("r1", DEFECT, ["a"], confirmed)
    store.decide("r2", TEST, ["a"], second)
    assert store.of("r1", TEST) == {"a": first, "b": second}
    assert store.of("r1", DEFECT) == {"a": confirmed}
    store.decide("r1", TEST, ["a", "never decided"], Decision(""))
    assert store.of("r1", TEST) == {"b": second}
    assert store.of("r2", TEST) == {"a": second}


def test_of_several_decisions_all_are_kept_or_none(database: Database) -> None:
    RunStore(database).create("r1", f'{{"source":"{SOURCE}"}}', "2026-01-01T00:00:00Z")
    store = DecisionStore(database)
    with pytest.raises(IntegrityError, match="CHECK"):
        store.decide("r1", "taste", ["a"], Decision("accepted"))
    with pytest.raises(IntegrityError, match="FOREIGN KEY"):
        store.decide("no such run", TEST, ["a", "b"], Decision("accepted"))
    assert store.of("r1", "taste") == store.of("no such run", TEST) == {}


def test_a_database_of_the_first_version_goes_on_with_its_runs(tmp_path: Path) -> None:
    path = tmp_path / "qverify.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in MIGRATIONS[0]:
            connection.execute(statement)
        connection.execute(
            "INSERT INTO runs VALUES ('r1','{}',?,'2026-01-01T00:00:00Z','finished','','','',1,2,3)", (SOURCE,)
        )
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
        connection.execute("PRAGMA user_version=1")
    path.chmod(0o600)
    database = Database(path)
    [run] = RunStore(database).list()
    assert (run.run, run.status, run.accepted, run.suspected) == ("r1", RunStatus.FINISHED, 1, 3)
    assert RunStore(database).measures(["r1"]) == {}, "an older version measured nothing that is kept here"
    RepositoryStore(database).pin(SOURCE, True)
    DecisionStore(database).decide("r1", TEST, ["a"], Decision("accepted"))
    database.close()
    again = Database(path)
    assert RepositoryStore(again).get(SOURCE).pinned
    assert DecisionStore(again).of("r1", TEST)["a"].decision == "accepted"
    again.close()
