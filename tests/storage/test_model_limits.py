"""Rate limits that several real processes share, with a simulated clock and with the real one."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from qverify_desktop.domain.model import RateLimit
from qverify_desktop.gateway.ports import Limiter
from qverify_desktop.storage.database import Database
from qverify_desktop.storage.holders import Holder
from qverify_desktop.storage.model_limits import ModelLimits
from tests.storage.test_model_calls import killed, started

#: Reserves places at a standing clock and prints the waits.
RESERVING = """
import sys
from pathlib import Path
from qverify_desktop.domain.model import RateLimit
from qverify_desktop.storage.database import Database
from qverify_desktop.storage.holders import Holder
from qverify_desktop.storage.model_limits import ModelLimits
database = Database(Path(sys.argv[1]))
limits = ModelLimits(database, Holder(database), lambda: 1_000_000_000)
for _ in range(int(sys.argv[2])):
    print(limits.reserve("azure", 10, RateLimit(requests_per_minute=600)))
"""


class Clock:
    """Microseconds that pass when a test says so."""

    def __init__(self) -> None:
        self.us = 1_700_000_000_000_000

    def __call__(self) -> int:
        return self.us


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "qverify.db")
    yield opened
    opened.close()


def test_a_thousand_reservations_obey_600_a_minute_in_every_minute(database: Database) -> None:
    clock = Clock()
    limiter: Limiter = ModelLimits(database, Holder(database), clock)
    begins = []
    for _ in range(1000):
        begins.append(clock.us / 1e6 + limiter.reserve("azure", 10, RateLimit(requests_per_minute=600)))
        clock.us += 20_000
    taken = begins[-1] - begins[0]
    assert abs(taken - 99.9) <= 0.02 * 99.9
    for at, begin in enumerate(begins):
        assert sum(begin <= other < begin + 59.99 for other in begins[at : at + 700]) <= 600


def test_two_processes_share_one_limit(database: Database) -> None:
    command = [sys.executable, "-c", RESERVING, str(database.path), "100"]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    waits = sorted(float(line) for process in processes for line in process.communicate()[0].split())
    assert waits == pytest.approx([0.1 * n for n in range(200)], abs=1e-6)


def test_threads_never_get_one_place_twice(database: Database) -> None:
    limits = ModelLimits(database, Holder(database), Clock())
    waits: list[float] = []

    def reserve() -> None:
        for _ in range(25):
            waits.append(limits.reserve("azure", 0, RateLimit(requests_per_minute=60)))

    threads = [threading.Thread(target=reserve) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(waits) == [float(n) for n in range(100)]


def test_tokens_and_requests_are_both_kept_and_end_points_are_apart(database: Database) -> None:
    limits = ModelLimits(database, Holder(database), Clock())
    limit = RateLimit(requests_per_minute=60, tokens_per_minute=6_000)
    assert limits.reserve("azure", 600, limit) == 0
    assert limits.reserve("azure", 10, limit) == 6
    assert limits.reserve("azure", 10, limit) == 7
    assert limits.reserve("anthropic", 10, limit) == 0
    assert limits.reserve("ollama", 10**9, RateLimit()) == limits.reserve("ollama", 10**9, RateLimit()) == 0


def test_time_that_nobody_used_is_not_saved_up(database: Database) -> None:
    clock = Clock()
    limits = ModelLimits(database, Holder(database), clock)
    limits.reserve("azure", 0, RateLimit(requests_per_minute=60))
    clock.us += 3_600_000_000
    assert [limits.reserve("azure", 0, RateLimit(requests_per_minute=60)) for _ in range(3)] == [0, 1, 2]


def test_a_pause_holds_everybody_and_only_the_longest_counts(database: Database) -> None:
    clock = Clock()
    limits = ModelLimits(database, Holder(database), clock)
    limits.pause("azure", 20)
    limits.pause("azure", 5)
    limits.pause("azure", float("nan"))
    limits.pause("azure", -5)
    other = ModelLimits(database, Holder(database), clock)
    assert other.reserve("azure", 0, RateLimit()) == 20
    limits.pause("anthropic", float("inf"))
    assert limits.reserve("anthropic", 0, RateLimit()) == 86_400


def test_a_clock_that_is_set_back_makes_nobody_wait_for_it(database: Database) -> None:
    clock = Clock()
    limits = ModelLimits(database, Holder(database), clock)
    for _ in range(3):
        limits.reserve("azure", 0, RateLimit(requests_per_minute=60))
    clock.us -= 7_200_000_000
    assert limits.reserve("azure", 0, RateLimit(requests_per_minute=60)) == 3


def test_places_at_once_are_given_back(database: Database) -> None:
    limits = ModelLimits(database, Holder(database))
    two = RateLimit(at_once=2)
    first, second = limits.enter("ollama", two), limits.enter("ollama", two)
    assert first and second and first != second
    assert limits.enter("ollama", two) == ""
    assert limits.enter("other", two)
    limits.leave(first)
    limits.leave(first)
    assert limits.enter("ollama", two)
    assert limits.enter("ollama", two) == ""


def test_a_place_of_a_killed_process_is_free_again(database: Database) -> None:
    process = started(database.path)
    limits = ModelLimits(database, Holder(database))
    try:
        assert limits.enter("ollama", RateLimit(at_once=1)) == ""
    finally:
        killed(process)
    assert limits.enter("ollama", RateLimit(at_once=1))
    assert limits.enter("ollama", RateLimit(at_once=1)) == ""
