"""The response cache over a real database: age, size, least recent use, damage."""

from __future__ import annotations

import random
import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from qverify_desktop.gateway.ports import ResponseCache
from qverify_desktop.storage.database import Database
from qverify_desktop.storage.model_answers import LARGEST, ModelAnswers

DAY = 86_400


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.s = 1_700_000_000.0

    def __call__(self) -> float:
        return self.s


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "qverify.db")
    yield opened
    opened.close()


def noise(seed: int, size: int = 1000) -> str:
    """Text that hardly gets smaller."""
    return random.Random(seed).randbytes(size // 2).hex()


def test_an_answer_comes_back_also_after_a_restart(database: Database) -> None:
    cache: ResponseCache = ModelAnswers(database)
    assert cache.get("k") is None
    text = '{"text": "naïve \U0001f600 \ud800"}'
    cache.put("k", text)
    cache.put("k", text + " ")
    database.close()
    again = Database(database.path)
    assert ModelAnswers(again).get("k") == text + " "
    again.close()


def test_the_least_recently_used_goes_first(database: Database) -> None:
    size = len(zlib.compress(noise(0).encode()))
    cache = ModelAnswers(database, most_bytes=size * 3 + 100)
    for key in "abc":
        cache.put(key, noise(ord(key)))
    assert cache.get("a") == noise(ord("a"))
    cache.put("d", noise(ord("d")))
    assert [key for key in "abcd" if cache.get(key) is not None] == ["a", "c", "d"]
    count, held = cache.held()
    assert count == 3
    assert held <= size * 3 + 100
    assert cache.clear() == 3
    assert cache.held() == (0, 0)


def test_an_old_answer_and_one_from_the_future_are_gone(database: Database) -> None:
    clock = Clock()
    cache = ModelAnswers(database, most_days=30, now_s=clock)
    cache.put("k", "v")
    clock.s += 30 * DAY
    assert cache.get("k") == "v"
    clock.s += 1
    assert cache.get("k") is None
    assert cache.held() == (0, 0)
    cache.put("k", "v")
    clock.s -= 3 * DAY
    assert cache.get("k") is None


def test_answers_are_compressed_and_one_over_the_limit_is_not_kept(database: Database) -> None:
    cache = ModelAnswers(database)
    cache.put("k", "x" * LARGEST)
    assert cache.held()[1] < LARGEST / 100
    assert cache.get("k") == "x" * LARGEST
    cache.put("large", "x" * (LARGEST + 1))
    assert cache.get("large") is None


@pytest.mark.parametrize(
    "damage", [b"", b"\0", zlib.compress(b"{}")[:-3], zlib.compress(b"\xff\xfe"), zlib.compress(b"x" * (LARGEST + 1))]
)
def test_a_damaged_row_is_no_answer_and_is_dropped(database: Database, damage: bytes) -> None:
    cache = ModelAnswers(database)
    cache.put("k", "{}")
    with sqlite3.connect(database.path) as connection:
        connection.execute("UPDATE model_answers SET answer = ?", (damage,))
    connection.close()
    assert cache.get("k") is None
    assert cache.held() == (0, 0)
    cache.put("k", "{}")
    assert cache.get("k") == "{}"
