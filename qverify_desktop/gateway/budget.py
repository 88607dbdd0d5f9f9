"""Whether one more call fits what a person allows: a pure decision over whole millionths of a US dollar."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from qverify_desktop.gateway.prices import dollars


class Verdict(StrEnum):
    """What is done with a call: make it, ask the person first, or don't make it. The last counts before the first."""

    ALLOW = "allow"
    ASK = "ask"
    STOP = "stop"


@dataclass(frozen=True)
class Budget:
    """What may be spent on something, in millionths of a US dollar (``limit_microusd`` 0: no limit).

    ``name`` is said to the person ("run", "month"), ``raise_it`` how the limit is raised. Above ``ask_percent`` of the limit
    the person is asked once; ``agreed`` says that this was answered with yes. The limit itself is passed by no answer.
    """

    name: str
    limit_microusd: int
    spent_microusd: int
    raise_it: str
    ask_percent: int = 80
    agreed: bool = False


@dataclass(frozen=True)
class Decision:
    """A verdict with its sentence and what to do, both empty for ``ALLOW``. ``budget`` names the one that decided."""

    verdict: Verdict
    sentence: str = ""
    remedy: str = ""
    budget: str = ""


def decide(estimate_microusd: int, *budgets: Budget) -> Decision:
    """The strictest verdict over all budgets for a call that costs ``estimate_microusd`` at most.

    A call that costs nothing is always allowed: a model on this machine goes on when the money is spent.
    """
    if estimate_microusd <= 0:
        return Decision(Verdict.ALLOW)
    decisions = [_one(estimate_microusd, budget) for budget in budgets]
    for verdict in (Verdict.STOP, Verdict.ASK):
        for decision in decisions:
            if decision.verdict is verdict:
                return decision
    return Decision(Verdict.ALLOW)


def _one(estimate: int, budget: Budget) -> Decision:
    limit, after = budget.limit_microusd, budget.spent_microusd + estimate
    if not limit:
        return Decision(Verdict.ALLOW)
    if after > limit:
        return Decision(
            Verdict.STOP,
            f"The budget of this {budget.name} is {dollars(limit)}, {dollars(budget.spent_microusd)} are spent, and the next call may "
            f"cost {dollars(estimate)}, so it was not made.",
            budget.raise_it,
            budget.name,
        )
    # Multiplied, not divided: 80 % of an odd limit stays exact.
    if after * 100 > limit * budget.ask_percent and not budget.agreed:
        return Decision(
            Verdict.ASK,
            f"With the next call, {dollars(after)} of this {budget.name}'s budget of {dollars(limit)} may be spent.",
            "Agree to spend it up to the limit, or go on without a model.",
            budget.name,
        )
    return Decision(Verdict.ALLOW)
