"""Anchors of checkpoints: which are asked for, which are held, which are refused. The table is the queue; a restart goes on with it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from qverify_desktop.storage.database import Database
from qverify_desktop.storage.schema import AnchorRow

TIME_STAMP, WITNESS = "time_stamp", "witness"
WAITING, HELD, REFUSED = "waiting", "held", "refused"
#: Seconds until the second try, and the longest between two.
FIRST_PAUSE, LONGEST_PAUSE = 30, 6 * 3600


@dataclass(frozen=True, order=True)
class Wanted:
    """An anchor that is asked for: of which kind, and of whom (the verifier key of a witness; empty for the time stamp)."""

    kind: str
    name: str = ""


def want(session: Session, size: int, wanted: Iterable[Wanted]) -> None:
    """Queue anchors of a checkpoint, within the transaction that signs it; those that stand are left as they are."""
    rows = [{"size": size, "kind": one.kind, "name": one.name} for one in wanted]
    if rows:
        blank = {"state": WAITING, "content": b"", "by": "", "made_at": "", "tries": 0, "next_at": 0, "sentence": ""}
        session.execute(insert(AnchorRow).on_conflict_do_nothing(), [{**blank, **row} for row in rows])


class AnchorStore:
    """The table of anchors; blocking, safe from any thread. Raises ``MissingPrerequisite`` as ``Database`` does."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, size: int) -> list[AnchorRow]:
        """All of a checkpoint."""
        with self._database.reading() as session:
            chosen = select(AnchorRow).where(AnchorRow.size == size).order_by(AnchorRow.kind, AnchorRow.name)
            return list(session.scalars(chosen))

    def waiting(self) -> list[AnchorRow]:
        """The queue, smallest checkpoint first: a witness takes them in that order only."""
        with self._database.reading() as session:
            chosen = select(AnchorRow).where(AnchorRow.state == WAITING).order_by(AnchorRow.size, AnchorRow.kind)
            return list(session.scalars(chosen.limit(1000)))

    def hold(self, row: AnchorRow, content: bytes, by: str, made_at: str) -> None:
        """It came."""
        self._change(row, state=HELD, content=content, by=by, made_at=made_at, sentence="", tries=row.tries + 1)

    def put_off(self, row: AnchorRow, sentence: str, *, now: float | None = None) -> int:
        """It did not come this time: try again later, each time twice as much later. Answers when, in seconds since 1970."""
        pause = min(LONGEST_PAUSE, FIRST_PAUSE << min(row.tries, 12))
        at = int(time.time() if now is None else now) + pause
        self._change(row, sentence=sentence, tries=row.tries + 1, next_at=at)
        return at

    def say(self, row: AnchorRow, sentence: str, next_at: int) -> None:
        """Why it is not even tried before ``next_at``; that counts as no try."""
        self._change(row, sentence=sentence, next_at=next_at)

    def refuse(self, row: AnchorRow, sentence: str) -> None:
        """It won't come, however often one asks."""
        self._change(row, state=REFUSED, sentence=sentence, tries=row.tries + 1)

    def hurry(self, *, refused: bool) -> None:
        """What waits is due at once, and with ``refused`` also what was refused: a person asked for it, or changed the settings."""
        states = (WAITING, REFUSED) if refused else (WAITING,)
        with self._database.transaction() as session:
            chosen = update(AnchorRow).where(AnchorRow.state.in_(states))
            session.execute(chosen.values(next_at=0, tries=0, state=WAITING, sentence=""))

    def look_again(self) -> None:
        """At a start: what was only kept from being tried is due; what was tried keeps its time."""
        with self._database.transaction() as session:
            chosen = update(AnchorRow).where(AnchorRow.state == WAITING, AnchorRow.tries == 0)
            session.execute(chosen.values(next_at=0))

    def newest_held(self, name: str) -> int:
        """Size of the largest checkpoint that a witness cosigned; 0 for none."""
        with self._database.reading() as session:
            chosen = select(AnchorRow.size).where(
                AnchorRow.kind == WITNESS, AnchorRow.name == name, AnchorRow.state == HELD
            )
            return session.scalars(chosen.order_by(AnchorRow.size.desc()).limit(1)).first() or 0

    def _change(self, row: AnchorRow, **values: object) -> None:
        with self._database.transaction() as session:
            chosen = update(AnchorRow).where(
                AnchorRow.size == row.size, AnchorRow.kind == row.kind, AnchorRow.name == row.name
            )
            session.execute(chosen.values(**values))
