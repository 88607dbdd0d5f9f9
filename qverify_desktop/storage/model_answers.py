"""Answers of models that were given before, compressed, within a size and an age."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable
from sqlite3 import Connection

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from qverify_desktop.domain.execution import MIB
from qverify_desktop.storage.database import Database
from qverify_desktop.storage.schema import ModelAnswerRow

#: Limits where a person sets none: bytes of all answers as they are stored, and days.
MOST_BYTES = 256 * MIB
MOST_DAYS = 30
#: Largest answer that is kept, in bytes before compression.
LARGEST = 4 * MIB

_DAY_S = 86_400
#: Both after every call to a model, so each is one statement over indices. ``used`` as ``_next_use`` counts.
_PUT = (
    "INSERT OR REPLACE INTO model_answers (key, answer, bytes, made_at, used) VALUES "
    "(:key, :answer, :bytes, :made, (SELECT coalesce(max(used), 0) + 1 FROM model_answers))"
)
_KNOWN = "SELECT 1 FROM model_answers WHERE key = ?"
_HELD = "SELECT (SELECT min(made_at) FROM model_answers), (SELECT sum(bytes) FROM model_answers)"
_DROP_OLD = "DELETE FROM model_answers WHERE made_at < ?"
_BY_USE = "SELECT key, bytes FROM model_answers ORDER BY used"
_DROP = "DELETE FROM model_answers WHERE key = ?"


class ModelAnswers:
    """Implements ``gateway.ports.ResponseCache``; blocking, safe from any thread and several processes.

    ``now_s`` gives seconds since 1970. A row that was damaged is dropped and counts as not there.
    """

    def __init__(
        self,
        database: Database,
        *,
        most_bytes: int = MOST_BYTES,
        most_days: int = MOST_DAYS,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._most_bytes = most_bytes
        self._most_s = most_days * _DAY_S
        self._now_s = now_s

    def set_limits(self, most_bytes: int, most_days: int) -> None:
        """From the next answer on, go by these; with no bytes nothing is kept and nothing found."""
        self._most_bytes = most_bytes
        self._most_s = most_days * _DAY_S

    def get(self, key: str) -> str | None:
        """The JSON of a stored answer; ``None`` where there is none or it is too old."""
        if not self._most_bytes:
            return None
        with self._database.question() as connection:
            if connection.execute(_KNOWN, (key,)).fetchone() is None:
                return None
        with self._database.transaction(durable=False) as session:
            row = session.get(ModelAnswerRow, key)
            if row is None:
                return None
            kept = None if self._is_old(row.made_at) else _read(row.answer)
            if kept is None:
                session.delete(row)
            else:
                row.used = _next_use(session)
        return kept

    def put(self, key: str, value: str) -> None:
        """Keep an answer, and drop the ones used least recently beyond the size limit."""
        plain = value.encode("utf-8", "surrogatepass")
        if len(plain) > LARGEST or not self._most_bytes:
            return
        packed = zlib.compress(plain)
        with self._database.statements(durable=False) as connection:
            made = int(self._now_s())
            connection.execute(_PUT, {"key": key, "answer": packed, "bytes": len(packed), "made": made})
            oldest, held = connection.execute(_HELD).fetchone()
            if oldest < made - self._most_s:
                connection.execute(_DROP_OLD, (made - self._most_s,))
                _, held = connection.execute(_HELD).fetchone()
            if held > self._most_bytes:
                self._shrink(connection, held - self._most_bytes)

    def clear(self) -> int:
        """Drop all answers; answers how many there were."""
        with self._database.transaction(durable=False) as session:
            return len(session.scalars(delete(ModelAnswerRow).returning(ModelAnswerRow.key)).all())

    def held(self) -> tuple[int, int]:
        """How many answers there are, and their bytes as they are stored."""
        with self._database.reading() as session:
            count, size = session.execute(
                select(func.count(), func.coalesce(func.sum(ModelAnswerRow.bytes), 0))
            ).one()
            return int(count), int(size)

    def _is_old(self, made_at: int) -> bool:
        """Also an answer from the future is, which a clock that was wrong has left."""
        return not -_DAY_S <= self._now_s() - made_at <= self._most_s

    def _shrink(self, connection: Connection, over: int) -> None:
        gone = []
        for key, size in connection.execute(_BY_USE):
            gone.append(key)
            over -= size
            if over <= 0:
                break
        for key in gone:
            connection.execute(_DROP, (key,))


def _next_use(session: Session) -> int:
    """A counter and no clock: two uses in one instant, or after the clock was set, keep their order."""
    return int(session.scalar(select(func.coalesce(func.max(ModelAnswerRow.used), 0))) or 0) + 1


def _read(packed: bytes) -> str | None:
    reader = zlib.decompressobj()
    try:
        plain = reader.decompress(packed, LARGEST)
        return plain.decode("utf-8", "surrogatepass") if reader.eof else None
    except (zlib.error, UnicodeDecodeError):
        return None
