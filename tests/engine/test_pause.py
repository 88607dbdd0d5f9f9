"""Pausing: after the running step, at once in the queue, taken back, survived, cancelled; over both doors."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.results import AnalysisRequest
from qverify_desktop.engine.events import RunStatus
from qverify_desktop.engine.remote import RemoteEngine
from tests.engine import pausing_worker
from tests.engine.house import Halt, NoMachine, ScriptedAnalysis, follow, house


async def status(engine: object, run: str) -> RunStatus:
    return next(one.status for one in await engine.runs() if one.run == run)  # type: ignore[attr-defined]


@pytest.mark.parametrize("far", [False, True])
async def test_the_running_step_ends_and_no_other_begins(home: Path, source: Path, far: bool) -> None:
    gate = Halt()
    analysis = ScriptedAnalysis(gate)
    async with house(home, analysis) as engine:
        door = RemoteEngine(home) if far else engine
        run = await engine.start(AnalysisRequest(str(source)))
        await gate.reached.wait()
        await door.ask("run_pause", run=run[:10])
        assert await status(door, run) is RunStatus.RUNNING, "not before the step has ended"
        gate.open.set()
        last = (await follow(door, run))[-1]
        assert last.status is RunStatus.PAUSED and f"qverify resume {run}" in last.text
        assert (await door.show(run))["status"] == "paused" and engine.live() == []
        await door.resume(run)
        assert (await follow(door, run))[-1].status is RunStatus.FINISHED
    assert analysis.began == ["intake", "work", "result"]


async def test_a_run_that_waits_for_its_turn_pauses_at_once(home: Path, source: Path) -> None:
    gate = Halt()
    analysis = ScriptedAnalysis(gate)
    async with house(home, analysis) as engine:
        first = await engine.start(AnalysisRequest(str(source)))
        await gate.reached.wait()
        second = await engine.start(AnalysisRequest(str(source), seed=1))
        await engine.ask("run_pause", run=second)
        assert (await follow(engine, second))[-1].status is RunStatus.PAUSED
        assert engine.live() == [first]
        gate.open.set()
        await follow(engine, first)
        assert await status(engine, second) is RunStatus.PAUSED, "its turn came and passed"
        await engine.resume(second)
        assert (await follow(engine, second))[-1].status is RunStatus.FINISHED
    assert analysis.began == ["intake", "work", "result"] * 2


async def test_a_run_that_waits_for_the_first_sweep_pauses_at_once(home: Path, source: Path) -> None:
    sweeping, swept = asyncio.Event(), asyncio.Event()

    class SlowMachine(NoMachine):
        async def sweep(self) -> int:
            sweeping.set()
            await swept.wait()
            return 0

    async with house(home, machine=SlowMachine()) as engine:
        run = await engine.start(AnalysisRequest(str(source)))
        await sweeping.wait()
        await engine.ask("run_pause", run=run)
        assert (await follow(engine, run))[-1].status is RunStatus.PAUSED
        swept.set()


async def test_a_pause_that_has_not_come_yet_can_be_taken_back(home: Path, source: Path) -> None:
    gate = Halt()
    analysis = ScriptedAnalysis(gate)
    async with house(home, analysis) as engine:
        run = await engine.start(AnalysisRequest(str(source)))
        await gate.reached.wait()
        await engine.ask("run_pause", run=run)
        await engine.resume(run)
        gate.open.set()
        statuses = [event.status for event in await follow(engine, run) if event.status]
        assert statuses == [RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.FINISHED]
    assert analysis.began == ["intake", "work", "result"]


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 5, 8, 13, 21, 34])
async def test_resuming_in_the_moment_of_the_pause_goes_on_once(home: Path, source: Path, turns: int) -> None:
    """However far the pause got: taken back, or gone on with after it; from two doors at once."""
    gate = Halt()
    analysis = ScriptedAnalysis(gate)
    async with house(home, analysis) as engine:
        run = await engine.start(AnalysisRequest(str(source)))
        await gate.reached.wait()
        await engine.ask("run_pause", run=run)
        gate.open.set()
        for _ in range(turns):
            await asyncio.sleep(0)
        await asyncio.gather(engine.resume(run), RemoteEngine(home).resume(run), engine.resume(run))
        assert (await follow(engine, run))[-1].status is RunStatus.FINISHED
    assert analysis.began == ["intake", "work", "result"]


async def test_cancelling_is_stronger_than_pausing(home: Path, source: Path) -> None:
    gate = Halt()
    async with house(home, ScriptedAnalysis(gate)) as engine:
        run = await engine.start(AnalysisRequest(str(source)))
        await gate.reached.wait()
        await engine.ask("run_pause", run=run)
        await engine.cancel(run)
        assert await status(engine, run) is RunStatus.CANCELLED


@pytest.mark.parametrize("far", [False, True])
async def test_a_paused_run_can_be_cancelled_and_lists_hear_of_it(home: Path, source: Path, far: bool) -> None:
    gate = Halt()
    async with house(home, ScriptedAnalysis(gate)) as engine:
        door = RemoteEngine(home) if far else engine
        run = await engine.start(AnalysisRequest(str(source)))
        await gate.reached.wait()
        await engine.ask("run_pause", run=run)
        gate.open.set()
        await follow(engine, run)
        changes = door.changes()
        assert await anext(changes) == ""
        await door.cancel(run)
        assert await asyncio.wait_for(anext(changes), 10) == run
        assert await status(door, run) is RunStatus.CANCELLED
        await changes.aclose()  # type: ignore[attr-defined]


async def test_what_does_not_go_on_can_not_be_paused(home: Path, source: Path) -> None:
    async with house(home) as engine:
        run = await engine.start(AnalysisRequest(str(source)))
        await follow(engine, run)
        for name in (run, "r0000000000000"):
            with pytest.raises(BadInput):
                await engine.ask("run_pause", run=name)


async def test_the_same_request_goes_on_with_a_paused_run(home: Path, source: Path) -> None:
    gate = Halt()
    async with house(home, ScriptedAnalysis(gate)) as engine:
        run = await engine.start(AnalysisRequest(str(source)))
        await gate.reached.wait()
        await engine.ask("run_pause", run=run)
        gate.open.set()
        await follow(engine, run)
        assert await engine.start(AnalysisRequest(str(source))) == run
        assert (await follow(engine, run))[-1].status is RunStatus.FINISHED


def killed(home: Path, source: Path, state: str) -> str:
    """A process that was killed in that state; answers the run's name."""
    arguments = [sys.executable, "-m", pausing_worker.__name__, str(home), str(source), state]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        run = worker.stdout.readline().strip()
        worker.kill()
    return run


@pytest.mark.parametrize(
    ("state", "left", "began"),
    [("paused", RunStatus.PAUSED, ["result"]), ("pausing", RunStatus.INTERRUPTED, ["work", "result"])],
)
async def test_a_paused_run_stays_paused_when_its_process_is_killed(
    home: Path, source: Path, state: str, left: RunStatus, began: list[str]
) -> None:
    run = killed(home, source, state)
    analysis = ScriptedAnalysis()
    async with house(home, analysis) as engine:
        assert await status(engine, run) is left
        await engine.resume(run)
        assert (await follow(engine, run))[-1].status is RunStatus.FINISHED
    assert analysis.began == began


def test_the_command_line_lists_and_cancels_a_paused_run(home: Path, source: Path) -> None:
    run = killed(home, source, "paused")

    def qverify(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "qverify_desktop.cli", *arguments]
        environment = {**os.environ, "QVERIFY_HOME": str(home)}
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)

    assert "paused" in qverify("runs").stdout
    listed = json.loads(qverify("runs", "--json").stdout)["runs"]
    assert [(one["run"], one["status"]) for one in listed] == [(run, "paused")]
    shown = qverify("show", run)
    assert "paused" in shown.stdout and f"qverify resume {run}" in shown.stdout + shown.stderr
    cancelled = qverify("cancel", run)
    assert cancelled.returncode == 0 and "cancelled" in cancelled.stdout, cancelled.stderr
    assert json.loads(qverify("show", run, "--json").stdout)["status"] == "cancelled"
