"""The ledger: every call to a model with what it took, written before it is sent and again when it is answered."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, func, select, update

from qverify_desktop.domain.model import CallState, Intent, Settlement
from qverify_desktop.storage.database import Database
from qverify_desktop.storage.holders import Holder
from qverify_desktop.storage.schema import ModelCallRow

#: What a call counts against a budget: a call whose end is not known counts with the most that it can cost.
_OPEN = (CallState.INTENDED.value, CallState.IN_DOUBT.value)
_COUNTED = case((ModelCallRow.state.in_(_OPEN), ModelCallRow.estimate_microusd), else_=ModelCallRow.cost_microusd)

_MOST_SENTENCE = 500
#: A server may count as it likes; a million calls of this size still have a sum that SQLite can hold.
_LARGEST = (2**63 - 1) // 1_000_000

#: By what sums can be asked.
GROUPS = {
    "run": (ModelCallRow.run, ModelCallRow.source),
    "repository": (ModelCallRow.source,),
    "provider": (ModelCallRow.provider, ModelCallRow.model),
    "month": (func.substr(ModelCallRow.sent_at, 1, 7),),
}


@dataclass(frozen=True)
class Call:
    """A call as it stands in the ledger. Money in millionths of a US dollar, ``sent_at`` RFC 3339 UTC."""

    call: int
    run: str
    source: str
    purpose: str
    deployment: str
    provider: str
    model: str
    sent_at: str
    state: CallState
    estimate_microusd: int
    cost_microusd: int
    prompt_tokens: int
    completion_tokens: int
    duration_ms: int
    sentence: str


@dataclass(frozen=True)
class Sum:
    """What the calls of one group took. ``calls`` were sent; ``cached`` were answered out of the cache; ``doubtful`` of the sent
    ones may have been charged with up to ``doubtful_microusd``, which is not in ``cost_microusd``."""

    group: tuple[str, ...]
    first_at: str
    calls: int
    failed: int
    cached: int
    doubtful: int
    prompt_tokens: int
    completion_tokens: int
    cost_microusd: int
    doubtful_microusd: int
    duration_ms: int


class ModelCalls:
    """Implements ``gateway.ports.Ledger`` over the database; blocking, safe from any thread and several processes.

    Intents of processes that have died are put in doubt when it is made: ``in_doubt`` is how many these were.
    """

    def __init__(self, database: Database, holder: Holder) -> None:
        self._database = database
        self._holder = holder
        self.in_doubt = self._doubt()

    def _doubt(self) -> int:
        said = "QVerify ended before the answer was recorded, so the call may have been charged."
        is_open = ModelCallRow.state == CallState.INTENDED.value
        with self._database.transaction() as session:
            names = session.scalars(select(ModelCallRow.holder).where(is_open).distinct())
            dead = [name for name in names if not self._holder.alive(name)]
            count = 0
            for name in dead:
                found = update(ModelCallRow).where(is_open, ModelCallRow.holder == name).returning(ModelCallRow.call)
                count += len(session.scalars(found.values(state=CallState.IN_DOUBT.value, sentence=said)).all())
        return count

    def intend(self, intent: Intent) -> int:
        """Record a call before it is sent; answers its number. On disk when this returns."""
        row = ModelCallRow(
            run=intent.run,
            source=intent.source,
            request=intent.request,
            purpose=str(intent.purpose),
            deployment=intent.deployment,
            provider=intent.provider,
            model=intent.model,
            sent_at=intent.sent_at,
            holder=self._holder.name,
            state=CallState.INTENDED.value,
            estimate_microusd=_whole(intent.estimate_microusd),
            prompt_tokens=_whole(intent.prompt_tokens),
        )
        with self._database.transaction() as session:
            session.add(row)
            session.flush()
            return row.call

    def settle(self, call: int, settlement: Settlement) -> None:
        """Record what became of a call. A second settlement of one call changes nothing."""
        still = (ModelCallRow.call == call, ModelCallRow.state == CallState.INTENDED.value)
        values = {
            "state": settlement.state.value,
            "prompt_tokens": _whole(settlement.prompt_tokens),
            "completion_tokens": _whole(settlement.completion_tokens),
            "cost_microusd": _whole(settlement.cost_microusd),
            "duration_ms": _whole(settlement.duration_ms),
            "sentence": settlement.sentence[:_MOST_SENTENCE],
        }
        with self._database.transaction() as session:
            session.execute(update(ModelCallRow).where(*still).values(values))

    def spent_by_run(self, run: str) -> int:
        """What a run cost so far; a call that is open or in doubt counts with its estimate."""
        return self._spent(ModelCallRow.run == run)

    def spent_in_month(self, month: str) -> int:
        """What all calls of a month (``2026-11``, UTC) cost so far, counted the same."""
        # "." follows "-" in ASCII, so the bounds hold the month's days and nothing else, and the index serves them.
        return self._spent(ModelCallRow.sent_at >= f"{month}-", ModelCallRow.sent_at < f"{month}.")

    def _spent(self, *which: ColumnElement[bool]) -> int:
        with self._database.reading() as session:
            return int(session.scalar(select(func.coalesce(func.sum(_COUNTED), 0)).where(*which)) or 0)

    def calls(self, run: str = "", most: int = 10_000) -> list[Call]:
        """The newest calls first, of one run or of all."""
        chosen = select(ModelCallRow).order_by(ModelCallRow.call.desc()).limit(most)
        if run:
            chosen = chosen.where(ModelCallRow.run == run)
        with self._database.reading() as session:
            return [_call(row) for row in session.scalars(chosen)]

    def sums(self, by: str) -> list[Sum]:
        """Sums by ``run``, ``repository``, ``provider`` or ``month``, what was used last first. ``KeyError`` for another word."""
        keys = GROUPS[by]
        row = ModelCallRow
        state = row.state
        cached, doubtful = state == CallState.CACHED.value, state.in_(_OPEN)
        columns = (
            func.min(row.sent_at),
            _where(~cached, 1),
            _where(state == CallState.FAILED.value, 1),
            _where(cached, 1),
            _where(doubtful, 1),
            _where(~cached & ~doubtful, row.prompt_tokens),
            _where(~cached & ~doubtful, row.completion_tokens),
            _where(~doubtful, row.cost_microusd),
            _where(doubtful, row.estimate_microusd),
            _where(~cached, row.duration_ms),
        )
        chosen = select(*keys, *columns).group_by(*keys).order_by(func.max(row.sent_at).desc(), *keys)
        with self._database.reading() as session:
            rows = [tuple(found) for found in session.execute(chosen)]
        width = len(keys)
        return [
            Sum(tuple(map(str, found[:width])), str(found[width]), *map(int, found[width + 1 :])) for found in rows
        ]


def _where(condition: ColumnElement[bool], amount: ColumnElement[int] | object) -> ColumnElement[int]:
    return func.sum(case((condition, amount), else_=0))


def _whole(amount: int) -> int:
    """A number that the database takes. Money is never a float: that one is our own mistake, and loud."""
    if type(amount) is not int:
        raise TypeError(f"{type(amount).__name__} where a whole number belongs")
    return max(0, min(amount, _LARGEST))


def _call(row: ModelCallRow) -> Call:
    return Call(
        call=row.call,
        run=row.run,
        source=row.source,
        purpose=row.purpose,
        deployment=row.deployment,
        provider=row.provider,
        model=row.model,
        sent_at=row.sent_at,
        state=CallState(row.state),
        estimate_microusd=row.estimate_microusd,
        cost_microusd=row.cost_microusd,
        prompt_tokens=row.prompt_tokens,
        completion_tokens=row.completion_tokens,
        duration_ms=row.duration_ms,
        sentence=row.sentence,
    )
