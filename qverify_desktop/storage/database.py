"""The database ``qverify.db``: SQLite in WAL mode, opened or created, migrated forward, used from any thread."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, exc
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from qverify_desktop.domain.errors import MissingPrerequisite, QVerifyError
from qverify_desktop.storage.schema import APPLICATION_ID, MIGRATIONS

#: Seconds a transaction waits for another process that writes.
BUSY_SECONDS = 30


class Database:
    """One SQLite file. Commits are durable when they return (WAL, ``synchronous=FULL``).

    Writers take turns; readers see the last commit and never wait. Raises ``MissingPrerequisite`` when the file can't be
    made, read or written (read-only folder, full disk, newer schema, damaged file), at opening and later.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writing = threading.Lock()
        self._plain: sqlite3.Connection | None = None
        self._synchronous = "FULL"
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # SQLite gives its side files the mode of the database, so that has to be private from the first byte.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise unusable(path, error.strerror or str(error)) from error
        self._engine = _engine_of(path)
        self._writer = self._engine.execution_options(qverify_begin="BEGIN IMMEDIATE")
        self._light_writer = self._writer.execution_options(qverify_synchronous="NORMAL")
        try:
            with self._explained():
                _migrate(self._writer, path)
        except BaseException:
            self._engine.dispose()
            raise

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[Session]:
        """A session that may write: committed at the end of the block, rolled back when the block raises.

        One that is not ``durable`` survives the death of the process at once, but a power cut only when a durable one or a
        checkpoint has followed it; the database stays consistent either way. It is several times faster.
        """
        with (
            self._writing,
            self._explained(),
            Session(self._writer if durable else self._light_writer, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    @contextmanager
    def statements(self, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """A transaction of a statement or two with the driver alone: for what is done with every call to a model, where the
        library's own work would take ten times as long as theirs. Otherwise as ``transaction``."""
        with self._writing, self._explained():
            connection, wanted = self._driver(), "FULL" if durable else "NORMAL"
            if self._synchronous != wanted:
                connection.execute(f"PRAGMA synchronous={wanted}")
                self._synchronous = wanted
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def question(self) -> Iterator[sqlite3.Connection]:
        """The same for one statement that only reads."""
        with self._writing, self._explained():
            yield self._driver()

    def _driver(self) -> sqlite3.Connection:
        if self._plain is None:
            self._plain = sqlite3.connect(self.path, timeout=BUSY_SECONDS, check_same_thread=False)
            _configure(self._plain)
        return self._plain

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one consistent state of the database."""
        with self._explained(), Session(self._engine, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        """Close every connection; the last one folds the write-ahead log into the file."""
        with self._writing:
            if self._plain is not None:
                self._plain.close()
                self._plain = None
        self._engine.dispose()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (exc.DBAPIError, sqlite3.Error) as error:
            told = explained(self.path, error.orig if isinstance(error, exc.DBAPIError) else error)
            if told is None:
                raise
            raise told from error


def unusable(path: Path, reason: str) -> MissingPrerequisite:
    """The sentence for a state folder that can't be written."""
    return MissingPrerequisite(
        f"QVerify can't keep its records in {path.parent} ({reason}). Nothing was changed.",
        "Make the folder writable, or choose another one with the environment variable QVERIFY_HOME.",
    )


def explained(path: Path, error: BaseException | None) -> QVerifyError | None:
    """The sentence for an error of SQLite, ``None`` for one that is our own fault."""
    name = getattr(error, "sqlite_errorname", "")
    if name in ("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_SHMSIZE", "SQLITE_IOERR_TRUNCATE"):
        return MissingPrerequisite(
            f"The disk of {path.parent} is full. What was recorded before is safe.",
            "Make room there, then go on with: qverify resume RUN",
        )
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH")):
        return unusable(path, "it can't be written")
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return damaged(path)
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return MissingPrerequisite(
            f"Another process has held {path} for more than {BUSY_SECONDS} seconds. Nothing was changed.",
            "Close the other QVerify, then try again.",
        )
    if name.startswith("SQLITE_IOERR"):
        return MissingPrerequisite(
            f"The disk of {path.parent} does not answer as it should ({name}). What was recorded before is safe.",
            "Check the disk, then try again.",
        )
    return None


def damaged(path: Path) -> MissingPrerequisite:
    """The sentence for a file that SQLite can't read."""
    return MissingPrerequisite(
        f"The database {path} is damaged or no QVerify database. It was left as it is; exported bundles stay valid.",
        "Restore it from a backup, or move it away to begin a new one.",
    )


def _configure(connection: sqlite3.Connection) -> None:
    # The driver's own transaction handling begins too late (after a SELECT), so we begin by ourselves.
    connection.isolation_level = None
    for pragma in ("foreign_keys=ON", "journal_mode=WAL", "synchronous=FULL", "trusted_schema=OFF"):
        connection.execute(f"PRAGMA {pragma}").close()


def _engine_of(path: Path) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
        pool_size=8,
    )

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _record: Any) -> None:
        _configure(connection)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        # SQLite takes this between transactions only, and a pooled connection remembers the last one.
        wanted = options.get("qverify_synchronous", "FULL")
        if connection.info.get("synchronous", "FULL") != wanted:
            connection.exec_driver_sql(f"PRAGMA synchronous={wanted}")
            connection.info["synchronous"] = wanted
        connection.exec_driver_sql(options.get("qverify_begin", "BEGIN"))

    return engine


def _migrate(engine: Engine, path: Path) -> None:
    """Bring the schema to the newest version in one transaction. Raises for a newer one or a foreign file."""
    newest = len(MIGRATIONS)
    with engine.begin() as connection:
        version = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
        owner = int(connection.exec_driver_sql("PRAGMA application_id").scalar_one())
        tables = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one()
        if owner != APPLICATION_ID and (version or tables or owner):
            raise damaged(path)
        if version > newest:
            raise MissingPrerequisite(
                f"{path} was written by a newer QVerify (schema {version}, this one knows {newest}). It was not changed.",
                "Update QVerify, or choose another folder with the environment variable QVERIFY_HOME.",
            )
        if version == newest:
            return
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                connection.exec_driver_sql(statement)
        connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")
        connection.exec_driver_sql(f"PRAGMA user_version={newest}")
