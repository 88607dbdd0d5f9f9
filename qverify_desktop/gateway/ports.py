"""What the gateway asks of the rooms that keep things. Implementations lie in ``storage``; ``composition`` joins them.

Calls block briefly and are made from worker threads, but for the person's, which are awaited.
"""

from __future__ import annotations

from typing import Protocol

from qverify_desktop.domain.inquiries import Consent, Inquiry
from qverify_desktop.domain.model import Intent, RateLimit, Settlement


class Ledger(Protocol):
    """Every call to a model, with what it cost, in integer millionths of a US dollar."""

    def intend(self, intent: Intent) -> int:
        """Record a call before it is sent; answers its number. On disk when this returns."""

    def settle(self, call: int, settlement: Settlement) -> None:
        """Record what became of a call. A second settlement of one call changes nothing."""

    def spent_by_run(self, run: str) -> int:
        """What a run cost so far; a call that is open or in doubt counts with its estimate."""

    def spent_in_month(self, month: str) -> int:
        """What all calls of a month (``2026-11``, UTC) cost so far, counted the same."""


class Person(Protocol):
    """Whoever started the run, or looks at it now."""

    async def ask(self, inquiry: Inquiry) -> Consent:
        """Waits for the answer, however long; ``NOBODY`` where nobody is there who could give one."""


class Limiter(Protocol):
    """A smooth queue for each end point, shared by every run and every process on one database."""

    def reserve(self, deployment: str, tokens: int, limit: RateLimit) -> float:
        """Take the next free place in the queue; answers the seconds to wait until it has come (0: now)."""

    def enter(self, deployment: str, limit: RateLimit) -> str:
        """A ticket for one of the calls at once, or an empty text where all places are taken."""

    def leave(self, ticket: str) -> None:
        """Give a place back. One whose holder died is free again by itself."""

    def pause(self, deployment: str, seconds: float) -> None:
        """Nobody may call the end point for so long (``Retry-After``, a cool-down)."""


class ResponseCache(Protocol):
    """Answers that were given before, by the digest of everything that shapes an answer."""

    def get(self, key: str) -> str | None:
        """The JSON of a stored answer; ``None`` where there is none or it is too old."""

    def put(self, key: str, value: str) -> None:
        """Keep an answer, and drop the ones used least recently beyond the size limit."""
