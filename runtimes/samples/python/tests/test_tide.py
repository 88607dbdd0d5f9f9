"""Uses every tool that the runtime promises: pytest, asyncio mode, time limits, Hypothesis, time zones, SQLite."""

import os
import socket
import sqlite3
from datetime import datetime, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tide import highest, next_high_water, settle


@given(st.lists(st.integers(), min_size=1))
def test_highest_is_an_element_that_none_exceeds(levels):
    top = highest(levels)
    assert top in levels
    assert all(level <= top for level in levels)


def test_highest_of_nothing_is_refused():
    with pytest.raises(ValueError):
        highest([])


def test_next_high_water_crosses_into_summer_time():
    last = datetime(2024, 3, 30, 18, 0, tzinfo=timezone.utc)
    assert next_high_water(last, "Europe/Amsterdam").isoformat() == "2024-03-31T08:25:00+02:00"


@pytest.mark.timeout(5)
async def test_settle_is_the_mean():
    assert await settle([1.0, 2.0, 3.0]) == 2.0


def test_sqlite_is_there():
    assert sqlite3.connect(":memory:").execute("select 6 * 7").fetchone() == (42,)


def test_nobody_special_and_nothing_writable_outside():
    assert os.getuid() == 10001
    with pytest.raises(OSError):
        Path("/opt/venv/planted").write_text("x")


def test_no_network():
    with pytest.raises(OSError):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
