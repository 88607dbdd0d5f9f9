"""A smooth queue and a number of places for each model end point, shared by every process on one database.

The queue is the virtual scheduling form of the generic cell rate algorithm (ITU-T I.371, annex A) without a burst: calls are
spread evenly, so that a limit a minute holds in every minute, and nobody waits at the end of one.
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Callable
from sqlite3 import Connection

from qverify_desktop.domain.model import RateLimit
from qverify_desktop.storage.database import Database
from qverify_desktop.storage.holders import Holder

MINUTE_US = 60_000_000
#: A server may ask for any pause; longer than this is looked at again.
LONGEST_PAUSE_S = 86_400.0

_QUEUE = "SELECT free_at_us, seen_at_us FROM model_queues WHERE deployment = ?"
_SET_QUEUE = "INSERT OR REPLACE INTO model_queues (deployment, free_at_us, seen_at_us) VALUES (?, ?, ?)"
_TAKEN = "SELECT count(*) FROM model_tickets WHERE deployment = ?"
_ENTER = "INSERT INTO model_tickets (ticket, deployment, holder) VALUES (?, ?, ?)"
_LEAVE = "DELETE FROM model_tickets WHERE ticket = ?"
_HOLDERS = "SELECT DISTINCT holder FROM model_tickets WHERE deployment = ?"
_FREE = "DELETE FROM model_tickets WHERE holder = ?"


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
        with self._database.statements(durable=False) as connection:
            free, now = self._queue(connection, deployment)
            begins = max(now, free)
            self._set(connection, deployment, begins + _room_us(tokens, limit), now)
        return (begins - now) / 1_000_000

    def pause(self, deployment: str, seconds: float) -> None:
        """Nobody may call the end point for so long (``Retry-After``, a cool-down)."""
        if math.isnan(seconds) or seconds <= 0:
            return
        with self._database.statements(durable=False) as connection:
            free, now = self._queue(connection, deployment)
            until = now + int(min(seconds, LONGEST_PAUSE_S) * 1_000_000)
            self._set(connection, deployment, max(free, until), now)

    def _queue(self, connection: Connection, deployment: str) -> tuple[int, int]:
        """When the queue is free and the time, which is read under the write lock so that it never runs backwards between
        processes."""
        row = connection.execute(_QUEUE, (deployment,)).fetchone()
        now = self._now_us()
        if row is None:
            return now, now
        # Where the clock was set back, what is waited for moves with it, or everybody would wait for that long.
        free, seen = row
        return free - max(0, seen - now), now

    def _set(self, connection: Connection, deployment: str, free: int, now: int) -> None:
        connection.execute(_SET_QUEUE, (deployment, free, now))

    def enter(self, deployment: str, limit: RateLimit) -> str:
        """A ticket for one of the calls at once, or an empty text where all places are taken."""
        ticket = secrets.token_hex(16)
        with self._database.statements(durable=False) as connection:
            if limit.at_once and self._taken(connection, deployment) >= limit.at_once:
                self._free_the_dead(connection, deployment)
                if self._taken(connection, deployment) >= limit.at_once:
                    return ""
            connection.execute(_ENTER, (ticket, deployment, self._holder.name))
        return ticket

    def leave(self, ticket: str) -> None:
        """Give a place back. One whose holder died is free again by itself."""
        with self._database.statements(durable=False) as connection:
            connection.execute(_LEAVE, (ticket,))

    def _taken(self, connection: Connection, deployment: str) -> int:
        return int(connection.execute(_TAKEN, (deployment,)).fetchone()[0])

    def _free_the_dead(self, connection: Connection, deployment: str) -> None:
        for (name,) in connection.execute(_HOLDERS, (deployment,)).fetchall():
            if not self._holder.alive(name):
                connection.execute(_FREE, (name,))


def _room_us(tokens: int, limit: RateLimit) -> int:
    """Microseconds that a call keeps the queue to itself: the longer of its share of requests and of tokens, rounded up."""
    requests = -(-MINUTE_US // limit.requests_per_minute) if limit.requests_per_minute > 0 else 0
    share = -(-max(0, tokens) * MINUTE_US // limit.tokens_per_minute) if limit.tokens_per_minute > 0 else 0
    return max(requests, share)
