"""A hundred and fifty thousand turns of the one loop, with the window open and a run talking all the time."""

from __future__ import annotations

import asyncio
import gc

import psutil
import pytest

from qverify_desktop.domain.progress import EventKind, RunEvent, Stage
from qverify_desktop.ui.assembly import Window
from qverify_desktop.ui.page import Place
from qverify_desktop.ui.preferences import Preferences
from tests.ui.samples import window as samples
from tests.ui.samples.results import RUN

pytestmark = pytest.mark.ui

TURNS = 150_000
PLACES = ("home", "runs", "evidence", "models", "usage", "hosted", "environment", "settings")
#: Growth after everything was built once, bytes.
MOST_GROWTH = 60_000_000


def test_the_loop_goes_on_and_nothing_is_left_behind(make, loop, qtbot):
    _, desk = make(samples.answers())
    window = Window(desk.theme, desk.bridge, Preferences(None))
    qtbot.addWidget(window)
    window.show()
    qtbot.waitUntil(lambda: bool(window.listed))
    for name in PLACES:
        window.go(Place(name))
    window.go(Place("progress", run=RUN))
    qtbot.wait(500)
    asyncio.events._set_running_loop(None)
    tasks = len(asyncio.all_tasks(loop))
    gc.collect()
    before = psutil.Process().memory_info().rss

    async def turn() -> None:
        page = window.page
        for number in range(TURNS):
            if number % 50 == 0:
                page.hear(RunEvent(RUN, number + 10, EventKind.PROGRESS, Stage.JUDGE, f"{number}", number, TURNS))
            if number % 5_000 == 0:
                window.go(Place(PLACES[number // 5_000 % len(PLACES)]))
                window.go(Place("progress", run=RUN))
                page = window.page
            await asyncio.sleep(0)
        await asyncio.sleep(0.5)

    loop.run_until_complete(turn())
    gc.collect()
    assert len(asyncio.all_tasks(loop)) <= tasks + 1
    assert psutil.Process().memory_info().rss - before < MOST_GROWTH
    asyncio.events._set_running_loop(loop)
