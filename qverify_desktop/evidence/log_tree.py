"""The tree of the whole log without its leaves in memory: hashes of subtrees of 256, 65,536 … leaves lie in the database.

A proof reads some hundred hashes of each level, whatever the size of the log. The kept hashes follow from the leaves and are
never relied on: whoever takes a root from here compares it with a signed checkpoint.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from qverify_desktop.evidence.merkle import HashTree, perfect_root
from qverify_desktop.storage.database import Database
from qverify_desktop.storage.schema import EntryRow, SubtreeRow

#: Between two levels that are kept stand so many that are computed.
_BITS = 8
_SPAN = 1 << _BITS


class LogTree(HashTree):
    """The first ``size`` leaves of the log as ``session`` sees them. Raises ``LookupError`` where leaves are missing.

    What the database does not hold yet is computed from the leaves (two seconds for a million) and stands in ``computed``.
    """

    def __init__(self, session: Session, size: int, *, anew: bool = False) -> None:
        """``anew`` computes everything from the leaves."""
        self._session = session
        self._size = size
        self._anew = anew
        self._rows: dict[tuple[int, int], list[bytes]] = {}
        #: Hashes of subtrees that the database does not hold, by level and number.
        self.computed: dict[tuple[int, int], bytes] = {}

    @property
    def size(self) -> int:
        return self._size

    def node(self, level: int, number: int) -> bytes:
        floor, height = divmod(level, _BITS)
        first = number << height
        row = self._row(floor, first >> _BITS)
        at = first & (_SPAN - 1)
        return perfect_root(row[at : at + (1 << height)])

    def _row(self, floor: int, number: int) -> list[bytes]:
        """Up to 256 hashes that stand side by side below one hash of the next floor."""
        row = self._rows.get((floor, number))
        if row is None:
            row = self._rows[floor, number] = self._read(floor, number)
        return row

    def _read(self, floor: int, number: int) -> list[bytes]:
        first = number * _SPAN
        last = min(first + _SPAN, self._size >> (_BITS * floor))
        if floor == 0:
            index = EntryRow.index
            chosen = select(EntryRow.leaf_hash).where(index >= first, index < last).order_by(index)
            leaves = list(self._session.scalars(chosen))
            if len(leaves) != last - first:
                raise LookupError(f"leaves are missing between {first} and {last}")
            return leaves
        kept = {} if self._anew else self._kept(floor, first, last)
        return [kept.get(one) or self._compute(floor, one) for one in range(first, last)]

    def _kept(self, floor: int, first: int, last: int) -> dict[int, bytes]:
        number = SubtreeRow.number
        chosen = select(number, SubtreeRow.hash).where(SubtreeRow.level == floor, number >= first, number < last)
        return dict(self._session.execute(chosen).all())

    def _compute(self, floor: int, number: int) -> bytes:
        computed = self.computed.get((floor, number))
        if computed is None:
            computed = self.computed[floor, number] = perfect_root(self._read(floor - 1, number))
        return computed


def keep(database: Database, computed: Mapping[tuple[int, int], bytes]) -> None:
    """Keep hashes that were computed, for the next proof. Raises ``MissingPrerequisite`` for a full disk."""
    rows = [{"level": level, "number": number, "hash": hash} for (level, number), hash in computed.items()]
    if rows:
        put = insert(SubtreeRow)
        put = put.on_conflict_do_update(index_elements=["level", "number"], set_={"hash": put.excluded.hash})
        with database.transaction() as session:
            session.execute(put, rows)
