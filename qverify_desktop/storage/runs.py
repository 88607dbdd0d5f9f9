"""Runs as they are listed: what was asked, how far it came, what it ended with."""

from __future__ import annotations

import builtins
import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.progress import RunStatus, RunSummary
from qverify_desktop.domain.results import RunResult, TestVerdict
from qverify_desktop.storage.database import Database
from qverify_desktop.storage.schema import ModelCallRow, RunRow

#: Names of ``Measure``'s fractions as they are kept.
MEASURES = ("lines", "branches", "mutants")

_ENDED = (RunStatus.FINISHED, RunStatus.FAILED, RunStatus.CANCELLED)
#: Names in one question to SQLite.
_AT_ONCE = 500
#: What a list shows. Requests and measures are left in the database: they are most of its bytes.
_LISTED: Select[*tuple[Any, ...]] = select(
    RunRow.run,
    RunRow.source,
    RunRow.status,
    RunRow.started_at,
    RunRow.verdict,
    RunRow.sentence,
    RunRow.accepted,
    RunRow.refused,
    RunRow.suspected,
    RunRow.stage,
)
_LEDGER_COST = (
    select(func.coalesce(func.sum(ModelCallRow.cost_microusd), 0))
    .where(ModelCallRow.run == RunRow.run)
    .scalar_subquery()
)


class RunStore:
    """The table of runs; blocking, safe from any thread. Raises ``MissingPrerequisite`` as ``Database`` does."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, run: str, request_json: str, started_at: str) -> None:
        """Note a new, queued run. ``request_json`` is an object with the field ``source``. Raises ``BadInput``."""
        try:
            source = json.loads(request_json)["source"]
        except (ValueError, KeyError, TypeError) as error:
            raise BadInput("The request of the run is not readable.") from error
        row = RunRow(run, request_json, str(source), started_at, RunStatus.QUEUED.value)
        try:
            with self._database.transaction() as session:
                session.add(row)
        except IntegrityError as error:
            raise BadInput(f"There is a run {run} already.") from error

    def set_status(self, run: str, status: RunStatus, stage: str = "", sentence: str = "") -> None:
        """Note how far a run came. Raises ``BadInput`` for an unknown run."""
        with self._database.transaction() as session:
            row = _known(session, run)
            row.status, row.stage, row.sentence = status.value, stage, sentence

    def finish(self, run: str, result: RunResult) -> None:
        """Note a run's end and its counts; doing it again changes nothing. Raises ``BadInput`` for an unknown run."""
        verdicts = [test.verdict for test in result.tests]
        with self._database.transaction() as session:
            row = _known(session, run)
            row.status, row.stage, row.sentence = RunStatus.FINISHED.value, "", result.sentence
            row.verdict = result.verdict.value
            row.accepted = verdicts.count(TestVerdict.ACCEPTED)
            row.refused = verdicts.count(TestVerdict.REFUSED)
            row.suspected = len(result.defects)
            row.measures = json.dumps(measures_of(result), separators=(",", ":"))

    def measures(self, runs: Collection[str]) -> dict[str, dict[str, Any]]:
        """What ``measures_of`` said about finished runs, by run; runs of older versions are left out.

        A version between did not keep what a run cost: that is the sum of its calls in the ledger.
        """
        wanted = [*runs]
        found: dict[str, dict[str, Any]] = {}
        with self._database.reading() as session:
            for start in range(0, len(wanted), _AT_ONCE):
                chosen = select(RunRow.run, RunRow.measures, _LEDGER_COST).where(
                    RunRow.run.in_(wanted[start : start + _AT_ONCE]), RunRow.measures != ""
                )
                for run, text, cost in session.execute(chosen):
                    found[run] = {"cost_microusd": cost, **json.loads(text)}
        return found

    def sources(self) -> builtins.list[str]:
        """What was analysed, each as it was named."""
        with self._database.reading() as session:
            return [*session.scalars(select(RunRow.source).distinct())]

    def of_sources(self, sources: Collection[str]) -> builtins.list[RunSummary]:
        """The runs of some of ``sources``, newest first."""
        return self._newest_first(_LISTED.where(RunRow.source.in_([*sources])))

    def finished(self, source: str, most: int) -> builtins.list[str]:
        """Names of the newest ``most`` finished runs over exactly this source, newest first."""
        chosen = select(RunRow.run).where(RunRow.source == source, RunRow.status == RunStatus.FINISHED.value)
        with self._database.reading() as session:
            return [*session.scalars(chosen.order_by(RunRow.started_at.desc(), RunRow.run.desc()).limit(most))]

    def request(self, run: str) -> str:
        """The request's text as it was given. Raises ``BadInput`` for an unknown run."""
        with self._database.reading() as session:
            return _known(session, run).request_json

    def get(self, run: str) -> RunSummary | None:
        """One line about a run, ``None`` when there is no such run."""
        with self._database.reading() as session:
            row = session.execute(_LISTED.where(RunRow.run == run)).one_or_none()
            return _summary(row) if row is not None else None

    def list(self) -> list[RunSummary]:
        """All runs, newest first."""
        return self._newest_first(_LISTED)

    def unfinished(self) -> builtins.list[RunSummary]:
        """Runs that have not ended (queued, running, interrupted), newest first."""
        open_ones = RunRow.status.not_in([status.value for status in _ENDED])
        return self._newest_first(_LISTED.where(open_ones))

    def _newest_first(self, chosen: Select[*tuple[Any, ...]]) -> builtins.list[RunSummary]:
        with self._database.reading() as session:
            ordered = chosen.order_by(RunRow.started_at.desc(), RunRow.run.desc())
            return [_summary(row) for row in session.execute(ordered)]

    def find(self, prefix: str) -> builtins.list[str]:
        """Names of the runs that begin with ``prefix``, in order."""
        begins = func.substr(RunRow.run, 1, len(prefix)) == prefix
        with self._database.reading() as session:
            return [*session.scalars(select(RunRow.run).where(begins).order_by(RunRow.run))]


def measures_of(result: RunResult) -> dict[str, Any]:
    """Each measure as ``[before part, before whole, after part, after whole]``, what it took, and what it was asked for."""
    pairs = {name: (getattr(result.before, name), getattr(result.after, name)) for name in MEASURES}
    numbers = {name: [old.part, old.whole, new.part, new.whole] for name, (old, new) in pairs.items()}
    return {
        **numbers,
        "commit": result.commit or "",
        "scope": str(result.request.scope),
        "model": result.request.model,
        "cost_microusd": result.cost_microusd,
        "duration_ms": result.duration_ms,
    }


def _known(session: Session, run: str) -> RunRow:
    row = session.get(RunRow, run)
    if row is None:
        raise BadInput(f"There is no run {run}.", "See all runs with: qverify runs")
    return row


def _summary(row: Row[*tuple[Any, ...]]) -> RunSummary:
    """A row of ``_LISTED``."""
    run, source, status, started_at, verdict, sentence, accepted, refused, suspected, stage = row
    return RunSummary(
        run=run,
        source=source,
        status=RunStatus(status),
        started_at=started_at,
        verdict=verdict,
        sentence=sentence,
        accepted=accepted,
        refused=refused,
        suspected=suspected,
        stage=stage,
    )
