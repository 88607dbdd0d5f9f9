"""Order, replay, coalescing: what a watcher may rely on."""

import asyncio
import threading

import pytest

from qverify_desktop.engine.bus import LOG_LINES, MOST_WRITING, BusReporter, EventBus, one_line, some_lines
from qverify_desktop.engine.events import EventKind, RunEvent, RunStatus, Stage


async def collect(bus: EventBus, run: str = "r1") -> list[RunEvent]:
    return [event async for event in bus.watch(run)]


def tell_a_whole_run(bus: EventBus) -> None:
    reporter = BusReporter(bus, "r1")
    bus.publish("r1", EventKind.STATUS, status=RunStatus.RUNNING)
    for stage in Stage:
        reporter.started(stage)
        for done in range(1, 101):
            reporter.progress(stage, done, 100)
        reporter.finished(stage, "done")
    bus.publish("r1", EventKind.STATUS, status=RunStatus.FINISHED)


async def test_a_late_watcher_sees_everything_that_matters_in_order() -> None:
    bus = EventBus()
    bus.begin("r1")
    tell_a_whole_run(bus)
    events = await asyncio.wait_for(collect(bus), 2)
    assert [e.sequence for e in events] == sorted({e.sequence for e in events})
    assert [e.stage for e in events if e.kind is EventKind.STAGE_STARTED] == list(Stage)
    assert [e.stage for e in events if e.kind is EventKind.STAGE_FINISHED] == list(Stage)
    progress = [e for e in events if e.kind is EventKind.PROGRESS]
    assert [e.done for e in progress] == [100] * len(Stage)
    assert events[-1].status is RunStatus.FINISHED and events[0].status is RunStatus.RUNNING


async def test_a_slow_watcher_loses_progress_but_never_a_stage_or_a_status() -> None:
    bus = EventBus()
    bus.begin("r1")
    watching = asyncio.ensure_future(collect(bus))
    await asyncio.sleep(0)
    tell_a_whole_run(bus)
    events = await asyncio.wait_for(watching, 2)
    assert sum(e.kind is EventKind.PROGRESS for e in events) == len(Stage)
    assert sum(e.kind is EventKind.STAGE_FINISHED for e in events) == len(Stage)


async def test_a_flood_of_log_lines_is_bounded_and_keeps_the_newest() -> None:
    bus = EventBus()
    bus.begin("r1")
    watching = asyncio.ensure_future(collect(bus))
    await asyncio.sleep(0)
    for number in range(LOG_LINES * 20):
        bus.publish("r1", EventKind.LOG, stage=Stage.JUDGE, text=str(number))
    bus.publish("r1", EventKind.STATUS, status=RunStatus.FAILED)
    for events in (await asyncio.wait_for(watching, 2), await asyncio.wait_for(collect(bus), 2)):
        assert len(events) == LOG_LINES + 1
        assert events[-2].text == str(LOG_LINES * 20 - 1)


async def test_nothing_comes_after_the_end_and_resuming_begins_anew() -> None:
    bus = EventBus()
    bus.begin("r1")
    bus.publish("r1", EventKind.STATUS, status=RunStatus.CANCELLED)
    bus.publish("r1", EventKind.LOG, text="too late")
    first = await collect(bus)
    assert [e.status for e in first] == [RunStatus.CANCELLED]
    bus.begin("r1")
    bus.publish("r1", EventKind.STATUS, status=RunStatus.FINISHED)
    second = await collect(bus)
    assert [e.status for e in second] == [RunStatus.FINISHED]
    assert second[0].sequence > first[-1].sequence


async def test_publishing_from_threads_loses_nothing() -> None:
    bus = EventBus()
    bus.begin("r1")
    watching = asyncio.ensure_future(collect(bus))

    def talk(stage: Stage) -> None:
        for _ in range(50):
            bus.publish("r1", EventKind.STAGE_STARTED, stage=stage)

    threads = [threading.Thread(target=talk, args=(stage,)) for stage in list(Stage)[:4]]
    for thread in threads:
        thread.start()
    await asyncio.to_thread(lambda: [thread.join() for thread in threads])
    await asyncio.sleep(0.05)
    bus.publish("r1", EventKind.STATUS, status=RunStatus.FINISHED)
    events = await asyncio.wait_for(watching, 2)
    assert len(events) == 201
    assert [e.sequence for e in events] == list(range(1, 202))


async def test_a_watcher_that_leaves_is_forgotten() -> None:
    bus = EventBus()
    bus.begin("r1")
    bus.publish("r1", EventKind.STATUS, status=RunStatus.RUNNING)
    events = bus.watch("r1")
    await anext(events)
    await events.aclose()  # type: ignore[attr-defined]
    assert not bus._channels["r1"].watchers


async def test_an_unknown_run_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        await anext(EventBus().watch("r404"))


def test_text_of_a_repository_can_not_steer_a_terminal() -> None:
    assert "\x1b" not in one_line("a\x1b[2J\r\nb") and one_line("a\udcffb") == "a b"
    assert len(one_line("x" * 10**6)) == 1000


async def test_of_what_a_model_writes_only_the_last_is_handed_on_and_nothing_else_is_lost() -> None:
    bus = EventBus()
    bus.begin("r1")
    watching = asyncio.ensure_future(collect(bus))
    await asyncio.sleep(0)
    reporter = BusReporter(bus, "r1")
    for number in range(1_000):
        reporter.writing(Stage.GENERATE, "a.py::f", f"line {number}\nmore", over=False)
        if number % 100 == 0:
            reporter.started(Stage.GENERATE)
    bus.publish("r1", EventKind.STATUS, status=RunStatus.FINISHED)
    for events in (await asyncio.wait_for(watching, 2), await asyncio.wait_for(collect(bus), 2)):
        assert [e.text for e in events if e.kind is EventKind.WRITING] == ["line 999\nmore"]
        assert sum(e.kind is EventKind.STAGE_STARTED for e in events) == 10


def test_lines_of_a_model_are_bounded_and_printable() -> None:
    assert some_lines("a\x1b[2J\n\tb\x00") == "a [2J\n\tb "
    told = some_lines("x" * 10**6 + "the end")
    assert told.endswith("the end") and len(told) == MOST_WRITING
