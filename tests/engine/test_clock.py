"""The clock of the machine is set while a run goes on: an hour back, a year ahead, another time zone. The run doesn't mind."""

from __future__ import annotations

import datetime as datetime_module
import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from qverify_desktop.domain.results import AnalysisRequest
from qverify_desktop.engine.events import RunStatus
from qverify_desktop.evidence.verify import verify_bundle
from tests.engine.house import Halt, ScriptedAnalysis, follow, house

HOUR, YEAR = 3600.0, 365 * 86400.0
#: Real time and date, before anybody sets them.
now, Date = time.time, datetime_module.datetime


class Clock:
    """The wall clock of this process, set by ``hook`` before each step. The monotonic one is nobody's to set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, shifts: list[float]) -> None:
        self.shift = 0.0
        self._shifts = iter(shifts)
        self._zones: Iterator[str] = itertools.cycle(("Europe/Berlin", "America/St_Johns", "Pacific/Kiritimati"))
        self._monkeypatch = monkeypatch
        clock = self

        class Shifted(Date):
            @classmethod
            def now(cls, tz: datetime_module.tzinfo | None = None) -> datetime_module.datetime:
                return Date.fromtimestamp(now() + clock.shift, tz)

        monkeypatch.setattr(time, "time", lambda: now() + self.shift)
        monkeypatch.setattr(time, "time_ns", lambda: int((now() + self.shift) * 1e9))
        for module in (
            "qverify_desktop.evidence.journal.datetime",
            "qverify_desktop.engine.runner.datetime",
            "qverify_desktop.engine.reproductions.datetime",
        ):
            monkeypatch.setattr(module, Shifted)

    async def hook(self, _step: str) -> None:
        self.shift += next(self._shifts, 0.0)
        self._monkeypatch.setenv("TZ", next(self._zones))
        time.tzset()


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("zone")
@pytest.mark.parametrize(
    ("shifts", "set_back"), [([-HOUR, -HOUR], True), ([YEAR], False), ([YEAR, -YEAR, -HOUR], True)]
)
async def test_a_run_over_a_clock_that_is_set(
    home: Path, source: Path, monkeypatch: pytest.MonkeyPatch, shifts: list[float], set_back: bool
) -> None:
    clock = Clock(monkeypatch, shifts)
    async with house(home, ScriptedAnalysis(clock.hook)) as engine:
        run = await engine.start(AnalysisRequest(str(source)))
        events = await follow(engine, run)
        assert events[-1].status is RunStatus.FINISHED, events[-1].text
        assert 0 <= events[-1].at_ms < 60_000, "since the run began, by the monotonic clock"
        assert [event.at_ms for event in events] == sorted(event.at_ms for event in events)
        document = await engine.show(run)
        target = await engine.export(run, "evidence", home.parent / "run.zip")
        again = await engine.start(AnalysisRequest(str(source)))
        await follow(engine, again)
        listed = {one.run for one in await engine.runs()}
        assert listed == {run, again}
        with engine._parts.database.question() as connection:
            told = connection.execute('SELECT leaf FROM entries WHERE run = ? ORDER BY "index"', (run,)).fetchall()
    assert document["grade"] == "UNANCHORED"
    answer = verify_bundle(target)
    assert answer["valid"], answer["problems"]
    assert any("clock" in notice for notice in answer["notices"]) is set_back
    times = [str(json.loads(leaf)["at"]) for (leaf,) in told]
    assert all(one.endswith("Z") for one in times), "UTC, whatever the zone"
    assert (times != sorted(times)) is set_back


async def test_a_run_that_was_interrupted_before_the_clock_was_set_goes_on(
    home: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    halt = Halt("work")
    async with house(home, ScriptedAnalysis(halt)) as engine:
        run = await engine.start(AnalysisRequest(str(source)))
        await halt.reached.wait()
    clock = Clock(monkeypatch, [])
    clock.shift = -YEAR
    later = ScriptedAnalysis()
    async with house(home, later) as engine:
        assert await engine.start(AnalysisRequest(str(source))) == run, "the same request goes on with it"
        events = await follow(engine, run)
        assert events[-1].status is RunStatus.FINISHED, events[-1].text
    assert later.began == ["work", "result"], "what was recorded is not done again"
