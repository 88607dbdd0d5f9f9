"""What is asked of the person before a budget is nearly spent, and the clock that stands still while they think."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from contextvars import ContextVar, Token
from datetime import UTC, datetime

from qverify_desktop.domain.inquiries import Inquiry
from qverify_desktop.gateway.budget import Budget


class Patience:
    """What a question may take in all, while it is entered. The time for which a person thinks about it does not count."""

    def __init__(self, deadline: asyncio.Timeout) -> None:
        self._deadline = deadline
        self._token: Token[Patience | None] | None = None
        self.held_s = 0.0

    def __enter__(self) -> Patience:
        self._token = _PATIENCE.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._token is not None
        _PATIENCE.reset(self._token)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """The clock stands still inside."""
        loop, until = asyncio.get_running_loop(), self._deadline.when()
        began = loop.time()
        self._deadline.reschedule(None)
        try:
            yield
        finally:
            passed = loop.time() - began
            self.held_s += passed
            if until is not None:
                self._deadline.reschedule(until + passed)


#: The patience of the question that is being asked in this task.
_PATIENCE: ContextVar[Patience | None] = ContextVar("patience", default=None)


def clock_stopped() -> AbstractContextManager[None]:
    """Inside, no time of the question passes that is being asked in this task."""
    patience = _PATIENCE.get()
    return patience.held() if patience is not None else contextlib.nullcontext()


def inquiry_of(run: str, budget: Budget, estimate: int, sentence: str) -> Inquiry:
    """The question whether a budget may be spent up to its limit. A run's limit is asked about once in the run, a month's once in
    the month, until somebody agrees to it, for all runs."""
    month = datetime.now(UTC).strftime(".%Y-%m") if budget.name == "month" else ""
    return Inquiry(
        run,
        f"budget.{budget.name}{month}.{budget.limit_microusd}",
        sentence,
        {
            "budget": budget.name,
            "spent_microusd": budget.spent_microusd,
            "estimate_microusd": estimate,
            "limit_microusd": budget.limit_microusd,
        },
        shared=bool(month),
    )
