"""A smooth queue and a number of places for each model end point, shared by every process on one database.

The queue is the virtual scheduling form of the generic cell rate algorithm (ITU-T I.371, annex A) without a burst: calls are
spread evenly, so that a limit a minute holds in every minute, and nobody waits at the end of one.
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Callable

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from qverify_desktop.domain.model import RateLimit
from qverify_desktop.storage.database import Database
from qverify_desktop.storage.holders import Holder
from qverify_desktop.storage.schema import ModelQueueRow, ModelTicketRow

MINUTE_US = 60_000_000
#: A server may ask for any pause; longer than this is looked at again.
LONGEST_PAUSE_S = 86_400.0


def _now_us() -> int:
    return time.time_ns() // 1000


class ModelLimits:
    """Implements ``gateway.ports.Limiter``; blocking, safe from any thread and several processes.

    A queue that a power cut has set back a little does no harm, so nothing here waits for the disk. ``now_us`` is the clock that all of them share, in microseconds since 1970.
    """

    def __init__(self, database: Database, holder: Holder, now_us: Callable[[], int] = _now_us) -> None:
        self._database = database
        self._holder = holder
        self._now_us = now_us

    def reserve(self, deployment: str, tokens: int, limit: RateLimit) -> float:
        """Take the next free place in the queue; answers the seconds to wait until it has come (0: now)."""
        with self._database.transaction(durable=False) as session:
            queue, now = self._queue(session, deployment)
            begins = max(now, queue.free_at_us)
            queue.free_at_us = begins + _room_us(tokens, limit)
        return (begins - now) / 1_000_000

    def pause(self, deployment: str, seconds: float) -> None:
        """Nobody may call the end point for so long (``Retry-After``, a cool-down)."""
        if math.isnan(seconds) or seconds <= 0:
            return
        with self._database.transaction(durable=False) as session:
            queue, now = self._queue(session, deployment)
            queue.free_at_us = max(queue.free_at_us, now + int(min(seconds, LONGEST_PAUSE_S) * 1_000_000))

    def _queue(self, session: Session, deployment: str) -> tuple[ModelQueueRow, int]:
        """The queue and the time, which is read under the write lock so that it never runs backwards between processes."""
        queue = session.get(ModelQueueRow, deployment)
        now = self._now_us()
        if queue is None:
            queue = ModelQueueRow(deployment, now, now)
            session.add(queue)
        elif now < queue.seen_at_us:
            # The clock was set back: what is waited for moves with it, or everybody would wait for that long.
            queue.free_at_us -= queue.seen_at_us - now
        queue.seen_at_us = now
        return queue, now

    def enter(self, deployment: str, limit: RateLimit) -> str:
        """A ticket for one of the calls at once, or an empty text where all places are taken."""
        ticket = secrets.token_hex(16)
        with self._database.transaction(durable=False) as session:
            if limit.at_once and self._taken(session, deployment) >= limit.at_once:
                self._free_the_dead(session, deployment)
                if self._taken(session, deployment) >= limit.at_once:
                    return ""
            session.add(ModelTicketRow(ticket, deployment, self._holder.name))
        return ticket

    def leave(self, ticket: str) -> None:
        """Give a place back. One whose holder died is free again by itself."""
        with self._database.transaction(durable=False) as session:
            session.execute(delete(ModelTicketRow).where(ModelTicketRow.ticket == ticket))

    def _taken(self, session: Session, deployment: str) -> int:
        rows = select(func.count()).select_from(ModelTicketRow).where(ModelTicketRow.deployment == deployment)
        return session.scalar(rows) or 0

    def _free_the_dead(self, session: Session, deployment: str) -> None:
        of_this = ModelTicketRow.deployment == deployment
        for name in session.scalars(select(ModelTicketRow.holder).where(of_this).distinct()).all():
            if not self._holder.alive(name):
                session.execute(delete(ModelTicketRow).where(ModelTicketRow.holder == name))


def _room_us(tokens: int, limit: RateLimit) -> int:
    """Microseconds that a call keeps the queue to itself: the longer of its share of requests and of tokens, rounded up."""
    requests = -(-MINUTE_US // limit.requests_per_minute) if limit.requests_per_minute > 0 else 0
    share = -(-max(0, tokens) * MINUTE_US // limit.tokens_per_minute) if limit.tokens_per_minute > 0 else 0
    return max(requests, share)
