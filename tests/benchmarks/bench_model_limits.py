"""Rate limits in real time: two processes on one database send 60 calls, or ``--calls``, under 600 a minute (goal: within 2 %).

Also what one reservation and one ledger entry cost; of these only the intent waits for the disk.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing.queues import Queue
from pathlib import Path

from qverify_desktop.domain.model import CallState, Intent, RateLimit, Settlement
from qverify_desktop.storage.database import Database
from qverify_desktop.storage.holders import Holder
from qverify_desktop.storage.model_calls import ModelCalls
from qverify_desktop.storage.model_limits import ModelLimits

PROCESSES, A_MINUTE = 2, 600
LIMIT = RateLimit(requests_per_minute=A_MINUTE)
GOAL = 0.02


def send(path: str, calls: int, times: Queue[float]) -> None:
    """Reserve, wait, and tell when each call would have been sent."""
    database = Database(Path(path))
    limits = ModelLimits(database, Holder(database))
    for _ in range(calls):
        time.sleep(limits.reserve("bench", 100, LIMIT))
        times.put(time.time())
    database.close()


def median_ms(work: Callable[[], object], rounds: int = 100) -> float:
    """Milliseconds at the median."""
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)


def main() -> int:
    """1 where the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=60)
    calls = parser.parse_args().calls // PROCESSES
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "qverify.db"
        database = Database(path)
        times: Queue[float] = spawn.Queue()
        senders = [spawn.Process(target=send, args=(str(path), calls, times)) for _ in range(PROCESSES)]
        for sender in senders:
            sender.start()
        sent = sorted(times.get(timeout=60) for _ in range(calls * PROCESSES))
        for sender in senders:
            sender.join()
        took, due = sent[-1] - sent[0], (len(sent) - 1) * 60 / A_MINUTE
        off = took / due - 1
        print(
            f"{len(sent)} calls of {PROCESSES} processes under {A_MINUTE} a minute: {took:.3f} s, due {due:.3f} s ({off:+.2%})"
        )
        holder = Holder(database)
        limits, ledger = ModelLimits(database, holder), ModelCalls(database, holder)
        intent = Intent("r", "/r", "r/1", "generate", "d", "azure", "m", 1, 1, "2026-11-05T10:00:00Z")
        done = Settlement(CallState.ANSWERED, 1, 1, 1, 1)
        print(f"reserve: {median_ms(lambda: limits.reserve('other', 1, LIMIT)):.2f} ms at the median")
        print(
            f"intend and settle: {median_ms(lambda: ledger.settle(ledger.intend(intent), done)):.2f} ms at the median"
        )
        holder.close()
        database.close()
    return 0 if abs(off) <= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
