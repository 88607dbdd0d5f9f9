"""What a person keeps about repositories: pinned ones, those taken off the list, and the choices of the last analysis."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from qverify_desktop.storage.database import Database
from qverify_desktop.storage.schema import RepositoryRow

#: The choice that says whether prompts may leave this machine.
CLOUD = "cloud"


@dataclass(frozen=True)
class KeptRepository:
    """``forgotten_at`` is the time (RFC 3339 UTC) up to which its runs don't bring it back onto the list; empty for none."""

    source: str
    pinned: bool = False
    forgotten_at: str = ""
    choices: dict[str, Any] = field(default_factory=dict)


class RepositoryStore:
    """The table of repositories; blocking, safe from any thread. Raises ``MissingPrerequisite`` as ``Database`` does."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self) -> dict[str, KeptRepository]:
        """All that is kept, by source."""
        with self._database.reading() as session:
            return {row.source: _kept(row) for row in session.scalars(select(RepositoryRow))}

    def get(self, source: str) -> KeptRepository:
        """What is kept about a source; nothing is the default."""
        with self._database.reading() as session:
            row = session.get(RepositoryRow, source)
            return _kept(row) if row is not None else KeptRepository(source)

    def pin(self, source: str, pinned: bool) -> None:
        """Pin it or not; what is pinned is on the list again."""
        with self._database.transaction() as session:
            row = session.get(RepositoryRow, source) or RepositoryRow(source)
            row.pinned = int(pinned)
            if pinned:
                row.forgotten_at = ""
            session.add(row)

    def forget(self, source: str, now: str) -> None:
        """Take it off the list and forget its choices. Its runs and their evidence stay."""
        with self._database.transaction() as session:
            row = session.get(RepositoryRow, source) or RepositoryRow(source)
            row.pinned, row.forgotten_at, row.choices = 0, now, "{}"
            session.add(row)

    def decide(self, source: str, cloud: str) -> None:
        """Keep what the person decided about prompts leaving this machine (``CloudPolicy``)."""
        with self._database.transaction() as session:
            row = session.get(RepositoryRow, source) or RepositoryRow(source)
            row.choices = _json({**_kept(row).choices, CLOUD: cloud})
            session.add(row)

    def remember(self, source: str, choices: dict[str, Any]) -> None:
        """Keep the choices of an analysis for the next one. What was decided about prompts stays as it is."""
        with self._database.transaction() as session:
            row = session.get(RepositoryRow, source) or RepositoryRow(source)
            decided = _kept(row).choices.get(CLOUD)
            row.choices = _json({**choices, CLOUD: decided} if decided else choices)
            session.add(row)


def _json(choices: dict[str, Any]) -> str:
    return json.dumps(choices, sort_keys=True, separators=(",", ":"))


def _kept(row: RepositoryRow) -> KeptRepository:
    try:
        choices = json.loads(row.choices)
    except ValueError:
        choices = {}
    return KeptRepository(
        row.source, bool(row.pinned), row.forgotten_at, choices if isinstance(choices, dict) else {}
    )
