"""The ledger: every call to a model with what it took, written before it is sent and again when it is answered."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import ColumnElement, case, func, select, update

from qverify_desktop.domain.model import CallState, Intent, Settlement
from qverify_desktop.storage.database import Database
from qverify_desktop.storage.holders import Holder
from qverify_desktop.storage.schema import ModelCallRow

#: What a call counts against a budget: a call whose end is not known counts with the most that it can cost.
_OPEN = (CallState.INTENDED.value, CallState.IN_DOUBT.value)
_COUNTED = case((ModelCallRow.state.in_(_OPEN), ModelCallRow.estimate_microusd), else_=ModelCallRow.cost_microusd)

_INTEND = (
    "INSERT INTO model_calls (run, source, request, purpose, deployment, provider, model, sent_at, holder, state, "
    "estimate_microusd, cost_microusd, prompt_tokens, completion_tokens, duration_ms, sentence, cached_tokens) "
    "VALUES (:run, :source, :request, :purpose, :deployment, :provider, :model, :sent_at, :holder, 'intended', "
    ":estimate_microusd, 0, :prompt_tokens, 0, 0, '', 0) RETURNING call"
)
_SETTLE = (
    "UPDATE model_calls SET state = :state, prompt_tokens = :prompt_tokens, completion_tokens = :completion_tokens, "
    "cost_microusd = :cost_microusd, duration_ms = :duration_ms, sentence = :sentence, cached_tokens = :cached_tokens "
    "WHERE call = :which AND state = 'intended'"
)

_MOST_SENTENCE = 500
#: A server may count as it likes; a million calls of this size still have a sum that SQLite can hold.
_LARGEST = (2**63 - 1) // 1_000_000


class ModelCalls:
    """Implements ``gateway.ports.Ledger`` over the database; blocking, safe from any thread and several processes.

    Intents of processes that have died are put in doubt when it is made: ``in_doubt`` is how many these were, by deployment.
    """

    def __init__(self, database: Database, holder: Holder) -> None:
        self._database = database
        self._holder = holder
        self.in_doubt = self._doubt()

    def _doubt(self) -> dict[str, int]:
        said = "QVerify ended before the answer was recorded, so the call may have been charged."
        is_open = ModelCallRow.state == CallState.INTENDED.value
        with self._database.transaction() as session:
            names = session.scalars(select(ModelCallRow.holder).where(is_open).distinct())
            dead = [name for name in names if not self._holder.alive(name)]
            doubted: Counter[str] = Counter()
            for name in dead:
                found = update(ModelCallRow).where(is_open, ModelCallRow.holder == name)
                changed = found.values(state=CallState.IN_DOUBT.value, sentence=said).returning(
                    ModelCallRow.deployment
                )
                doubted.update(session.scalars(changed).all())
        return dict(doubted)

    def intend(self, intent: Intent) -> int:
        """Record a call before it is sent; answers its number. On disk when this returns."""
        row = {
            "run": intent.run,
            "source": intent.source,
            "request": intent.request,
            "purpose": str(intent.purpose),
            "deployment": intent.deployment,
            "provider": intent.provider,
            "model": intent.model,
            "sent_at": intent.sent_at,
            "holder": self._holder.name,
            "estimate_microusd": _whole(intent.estimate_microusd),
            "prompt_tokens": _whole(intent.prompt_tokens),
        }
        with self._database.statements() as connection:
            return int(connection.execute(_INTEND, row).fetchone()[0])

    def settle(self, call: int, settlement: Settlement) -> None:
        """Record what became of a call. A second settlement of one call changes nothing.

        A power cut right after it may leave the call in doubt, which errs to the safe side; only the intent waits for the disk.
        """
        values = {
            "which": call,
            "state": settlement.state.value,
            "prompt_tokens": _whole(settlement.prompt_tokens),
            "completion_tokens": _whole(settlement.completion_tokens),
            "cost_microusd": _whole(settlement.cost_microusd),
            "duration_ms": _whole(settlement.duration_ms),
            "sentence": settlement.sentence[:_MOST_SENTENCE],
            "cached_tokens": _whole(settlement.cached_tokens),
        }
        with self._database.statements(durable=False) as connection:
            connection.execute(_SETTLE, values)

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


def _whole(amount: int) -> int:
    """A number that the database takes. Money is never a float: that one is our own mistake, and loud."""
    if type(amount) is not int:
        raise TypeError(f"{type(amount).__name__} where a whole number belongs")
    return max(0, min(amount, _LARGEST))
