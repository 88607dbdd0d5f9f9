"""What a person decided about tests and suspected defects of a run. The judge's own verdict is never changed by it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import delete, select

from qverify_desktop.storage.database import Database
from qverify_desktop.storage.schema import DecisionRow

TEST, DEFECT = "test", "defect"


@dataclass(frozen=True)
class Decision:
    """``decision`` is accepted or refused for a test, confirmed or dismissed for a suspected defect."""

    decision: str
    note: str = ""
    decided_at: str = ""


class DecisionStore:
    """The table of decisions; blocking, safe from any thread. Raises ``MissingPrerequisite`` as ``Database`` does."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, run: str, kind: str) -> dict[str, Decision]:
        """Decisions about a run's tests or defects, by id."""
        with self._database.reading() as session:
            chosen = select(DecisionRow).where(DecisionRow.run == run, DecisionRow.kind == kind)
            rows = session.scalars(chosen)
            return {row.subject: Decision(row.decision, row.note, row.decided_at) for row in rows}

    def decide(self, run: str, kind: str, subjects: Collection[str], decision: Decision) -> None:
        """Note one decision about several subjects in one transaction; an empty one takes earlier ones back."""
        with self._database.transaction() as session:
            for subject in subjects:
                if not decision.decision:
                    session.execute(
                        delete(DecisionRow).where(
                            DecisionRow.run == run, DecisionRow.kind == kind, DecisionRow.subject == subject
                        )
                    )
                    continue
                row = DecisionRow(run, kind, subject, decision.decision, decision.note, decision.decided_at)
                session.merge(row)
