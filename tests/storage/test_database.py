"""The database: made, migrated, shared by threads, and a sentence for everything that can be wrong with it."""

import os
import sqlite3
import stat
import threading
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from qverify_desktop.domain.errors import MissingPrerequisite
from qverify_desktop.storage import database as database_module
from qverify_desktop.storage.database import Database
from qverify_desktop.storage.schema import APPLICATION_ID, MIGRATIONS, Base, RunRow


def row(run: str) -> RunRow:
    return RunRow(run, "{}", "/somewhere", "2026-01-01T00:00:00Z", "queued")


def count(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(RunRow)) or 0


def test_a_new_database_is_private_durable_and_of_the_newest_schema(tmp_path: Path) -> None:
    path = tmp_path / "new folder?%20" / "qverify.db"
    database = Database(path)
    with database.transaction() as session:
        session.add(row("r1"))
        pragmas = {
            name: session.connection().exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "user_version", "application_id")
        }
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "user_version": len(MIGRATIONS),
        "application_id": APPLICATION_ID,
    }
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    database.close()


def test_a_light_transaction_leaves_the_next_one_durable(tmp_path: Path) -> None:
    database = Database(tmp_path / "qverify.db")
    found = []
    for durable in (True, False, True):
        with database.transaction(durable=durable) as session:
            found.append(session.connection().exec_driver_sql("PRAGMA synchronous").scalar())
            session.add(row(f"r{len(found)}"))
    assert found == [2, 1, 2]
    with database.reading() as session:
        assert count(session) == 3
    database.close()


def test_the_migrations_make_the_mapped_tables(tmp_path: Path) -> None:
    Database(tmp_path / "qverify.db").close()
    with sqlite3.connect(tmp_path / "qverify.db") as connection:
        for name, table in Base.metadata.tables.items():
            columns = {
                (column, kind, bool(required))
                for _, column, kind, required, *_ in connection.execute(f"PRAGMA table_info({name})")
            }
            kinds = {"VARCHAR": "TEXT", "INTEGER": "INTEGER", "BLOB": "BLOB"}
            assert columns == {(c.name, kinds[str(c.type)], not c.nullable) for c in table.columns}, name
    connection.close()


def test_a_block_that_raises_leaves_nothing(tmp_path: Path) -> None:
    database = Database(tmp_path / "qverify.db")
    with pytest.raises(KeyError), database.transaction() as session:
        session.add(row("r1"))
        session.flush()
        raise KeyError
    with database.reading() as session:
        assert count(session) == 0
    database.close()


def test_reading_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    database = Database(tmp_path / "qverify.db")
    with database.transaction() as writing:
        writing.add(row("r1"))
        writing.flush()
        with database.reading() as reading:
            assert count(reading) == 0
    with database.reading() as reading:
        assert count(reading) == 1
    database.close()


def test_threads_take_turns(tmp_path: Path) -> None:
    database = Database(tmp_path / "qverify.db")

    def write(name: str) -> None:
        for number in range(20):
            with database.transaction() as session:
                session.add(row(f"{name}{number}-{count(session)}"))

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as session:
        numbers = sorted(int(run.rpartition("-")[2]) for run in session.scalars(select(RunRow.run)))
    assert numbers == list(range(80)), "each write saw all writes before it"
    database.close()


def test_a_folder_that_can_not_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for path in (tmp_path / "file" / "qverify.db", Path("/proc/qverify/qverify.db")):
        with pytest.raises(MissingPrerequisite, match="QVERIFY_HOME"):
            Database(path)


def test_a_database_that_can_not_be_written(tmp_path: Path) -> None:
    path = tmp_path / "qverify.db"
    path.mkdir()
    with pytest.raises(MissingPrerequisite, match="can't keep its records"):
        Database(path)


def test_a_full_disk_loses_nothing_that_was_recorded(tmp_path: Path) -> None:
    database = Database(tmp_path / "qverify.db")
    with database.transaction() as session:
        session.add(row("before"))
    with pytest.raises(MissingPrerequisite, match=r"full.*safe.*resume"), database.transaction() as session:
        pages = session.connection().exec_driver_sql("PRAGMA page_count").scalar_one()
        session.connection().exec_driver_sql(f"PRAGMA max_page_count={pages}")
        for number in range(2000):
            session.add(row(f"after {number}" + "x" * 200))
        session.flush()
    with database.reading() as session:
        assert [*session.scalars(select(RunRow.run))] == ["before"]
    database.close()


@pytest.mark.parametrize("content", [b"this is no database" * 100, b"SQLite format 3\0" + os.urandom(5000)])
def test_a_damaged_file_is_said_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "qverify.db"
    path.write_bytes(content)
    with pytest.raises(MissingPrerequisite, match="damaged"):
        Database(path)
    assert path.read_bytes() == content


def test_a_page_that_went_bad_later_is_said(tmp_path: Path) -> None:
    path = tmp_path / "qverify.db"
    Database(path).close()
    empty = path.stat().st_size
    database = Database(path)
    with database.transaction() as session:
        session.add_all(row(f"r{number}") for number in range(3000))
    database.close()
    content = bytearray(path.read_bytes())
    content[empty:] = os.urandom(len(content) - empty)
    path.write_bytes(content)
    database = Database(path)
    with pytest.raises(MissingPrerequisite, match="damaged"), database.reading() as session:
        list(session.scalars(select(RunRow)))
    database.close()


def test_a_database_of_another_program_is_not_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "qverify.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE photographs (name TEXT)")
    connection.close()
    with pytest.raises(MissingPrerequisite, match="no QVerify database"):
        Database(path)


def test_a_newer_schema_is_refused_and_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "qverify.db"
    Database(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version={len(MIGRATIONS) + 1}")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(MissingPrerequisite, match="newer QVerify"):
        Database(path)
    assert path.read_bytes() == before


def test_an_older_schema_is_brought_forward_with_its_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "qverify.db"
    database = Database(path)
    with database.transaction() as session:
        session.add(row("old"))
    database.close()
    step = ("ALTER TABLE runs ADD COLUMN colour TEXT NOT NULL DEFAULT 'blue'",)
    monkeypatch.setattr(database_module, "MIGRATIONS", (*MIGRATIONS, step))
    Database(path).close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT run, colour FROM runs").fetchall() == [("old", "blue")]
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS) + 1,)
    connection.close()


def test_a_migration_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "qverify.db"
    Database(path).close()
    steps = ("ALTER TABLE runs ADD COLUMN colour TEXT", "ALTER TABLE nowhere ADD COLUMN colour TEXT")
    monkeypatch.setattr(database_module, "MIGRATIONS", (*MIGRATIONS, steps))
    with pytest.raises(Exception, match="nowhere"):
        Database(path)
    monkeypatch.undo()
    database = Database(path)
    with database.reading() as session:
        assert count(session) == 0
    database.close()


def test_a_lock_held_too_long_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "BUSY_SECONDS", 0.1)
    database = Database(tmp_path / "qverify.db")
    other = sqlite3.connect(tmp_path / "qverify.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(MissingPrerequisite, match="Another process"), database.transaction() as session:
        session.add(row("r1"))
    other.close()
    database.close()
