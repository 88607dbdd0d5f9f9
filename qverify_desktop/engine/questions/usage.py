"""Questions about what models took: every call, sums over them, and both as a table to keep."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.usage_views import CallsInDoubtView, ModelCallView, ModelSumView, ModelUsageView
from qverify_desktop.engine.questions.views import name_of
from qverify_desktop.export.usage_table import calls_table, sums_table
from qverify_desktop.storage.model_usage import GROUPS, Call, ModelUsage, Sum

if TYPE_CHECKING:
    from qverify_desktop.engine.questions.catalogue import Context, Handler

#: Calls in one answer.
MOST_CALLS = 10_000
BY_CALL = "call"


class UsageQuestions:
    """Blocking work goes to threads."""

    def __init__(self, context: Context) -> None:
        self._find = context.find
        self._usage = ModelUsage(context.database)
        self._in_doubt = dict(context.in_doubt)

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "model_usage": self.usage,
            "model_calls": self.calls,
            "model_usage_csv": self.csv,
            "calls_in_doubt": self.in_doubt,
        }

    async def usage(self, by: str = "month") -> ModelUsageView:
        """Sums by call, run, repository, provider or month, what was used last first. Raises ``BadInput``."""
        rows = [_sum(by, one) for one in await self._sums(by)]
        months = [_sum("month", one) for one in await self._sums("month")]
        now = time.strftime("%Y-%m", time.gmtime())
        this_month = sum(one["cost_microusd"] for one in months if one["name"] == now)
        return {"by": by, "rows": rows, "months": months, "total": _total(months), "this_month_microusd": this_month}

    async def calls(self, run: str = "", limit: int = 1_000) -> list[ModelCallView]:
        """The newest calls first, of one run or of all."""
        name = await self._find(run) if run else ""
        found = await asyncio.to_thread(self._usage.calls, name, max(1, min(int(limit), MOST_CALLS)))
        return [_call(one) for one in found]

    async def in_doubt(self) -> CallsInDoubtView:
        """Calls that this process found open at its start. Whoever asks first tells the person; afterwards there are none."""
        where, self._in_doubt = self._in_doubt, {}
        return {"calls": sum(where.values()), "where": where}

    async def csv(self, by: str = "month") -> str:
        """The same as a table in the form of RFC 4180; by ``call`` is every call."""
        if by == BY_CALL:
            return calls_table(await self.calls(limit=MOST_CALLS))
        return sums_table(by, [_sum(by, one) for one in await self._sums(by)])

    async def _sums(self, by: str) -> list[Sum]:
        if by not in GROUPS:
            raise BadInput(f"Usage can't be shown by {by[:40]!r}.", f"Choose {', '.join(GROUPS)}.")
        return await asyncio.to_thread(self._usage.sums, by)


def _sum(by: str, one: Sum) -> ModelSumView:
    return {
        "group": list(one.group),
        "name": _name(by, one.group),
        "first_at": one.first_at,
        "calls": one.calls,
        "failed": one.failed,
        "cached": one.cached,
        "doubtful": one.doubtful,
        "prompt_tokens": one.prompt_tokens,
        "completion_tokens": one.completion_tokens,
        "cost_microusd": one.cost_microusd,
        "doubtful_microusd": one.doubtful_microusd,
        "model_ms": one.duration_ms,
    }


def _name(by: str, group: tuple[str, ...]) -> str:
    """What a person knows the group by; the run is known by its repository and its own name."""
    if by == BY_CALL:
        return f"{group[4]} · {group[5]}"
    if by == "run":
        return f"{name_of(group[1])} · {group[0]}"
    if by == "repository":
        return name_of(group[0])
    return "/".join(group)


_SUMMED = (
    *("calls", "failed", "cached", "doubtful", "prompt_tokens", "completion_tokens"),
    *("cost_microusd", "doubtful_microusd", "model_ms"),
)


def _total(rows: list[ModelSumView]) -> ModelSumView:
    sums = {name: sum(row[name] for row in rows) for name in _SUMMED}  # type: ignore[literal-required]
    first = min((row["first_at"] for row in rows), default="")
    return {"group": [], "name": "", "first_at": first, **sums}  # type: ignore[typeddict-item]


def _call(one: Call) -> ModelCallView:
    return {
        "call": one.call,
        "run": one.run,
        "repository": one.source,
        "purpose": one.purpose,
        "deployment": one.deployment,
        "provider": one.provider,
        "model": one.model,
        "sent_at": one.sent_at,
        "state": one.state.value,
        "estimate_microusd": one.estimate_microusd,
        "cost_microusd": one.cost_microusd,
        "prompt_tokens": one.prompt_tokens,
        "completion_tokens": one.completion_tokens,
        "model_ms": one.duration_ms,
        "sentence": one.sentence,
    }
