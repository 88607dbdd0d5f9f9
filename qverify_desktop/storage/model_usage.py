"""What the ledger says to a person: the calls one by one, and sums over them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, func, select

from qverify_desktop.domain.model import CallState
from qverify_desktop.storage.database import Database
from qverify_desktop.storage.schema import ModelCallRow

_OPEN = (CallState.INTENDED.value, CallState.IN_DOUBT.value)

#: By what sums can be asked.
GROUPS = {
    "run": (ModelCallRow.run, ModelCallRow.source),
    "repository": (ModelCallRow.source,),
    "provider": (ModelCallRow.provider, ModelCallRow.model),
    "call": (
        *(ModelCallRow.call, ModelCallRow.run, ModelCallRow.source),
        *(ModelCallRow.provider, ModelCallRow.model, ModelCallRow.purpose),
    ),
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


class ModelUsage:
    """Reads the table of calls; blocking, safe from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def calls(self, run: str = "", most: int = 10_000) -> list[Call]:
        """The newest calls first, of one run or of all."""
        chosen = select(ModelCallRow).order_by(ModelCallRow.call.desc()).limit(most)
        if run:
            chosen = chosen.where(ModelCallRow.run == run)
        with self._database.reading() as session:
            return [_call(row) for row in session.scalars(chosen)]

    def sums(self, by: str, most: int = 10_000) -> list[Sum]:
        """Sums by a key of ``GROUPS``, what was used last first. ``KeyError`` for another word."""
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
        chosen = select(*keys, *columns).group_by(*keys).order_by(func.max(row.sent_at).desc(), *keys).limit(most)
        with self._database.reading() as session:
            rows = [tuple(found) for found in session.execute(chosen)]
        width = len(keys)
        return [
            Sum(tuple(map(str, found[:width])), str(found[width]), *map(int, found[width + 1 :])) for found in rows
        ]


def _where(condition: ColumnElement[bool], amount: ColumnElement[int] | object) -> ColumnElement[int]:
    return func.sum(case((condition, amount), else_=0))


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
