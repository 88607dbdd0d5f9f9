"""Durable steps under kill -9, cancellation, failures; with the real DBOS on a real SQLite file."""

import asyncio
import contextlib
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from qverify_desktop.domain.errors import BadInput, MissingPrerequisite, SandboxFailure
from qverify_desktop.engine import durable
from qverify_desktop.engine.durable import Body, Checkpointed, DurableRuns, Interrupted
from tests.engine import durable_worker

WORKER = str(Path(durable_worker.__file__))


def checkpointed(folder: Path) -> set[str]:
    """Names of the steps that the database holds, read past the application."""
    if not (folder / durable.DATABASE_NAME).exists():
        return set()
    with contextlib.closing(sqlite3.connect(folder / durable.DATABASE_NAME)) as connection:
        try:
            rows = connection.execute("SELECT function_name FROM operation_outputs").fetchall()
        except sqlite3.OperationalError:
            return set()
        return {name for (name,) in rows if name.startswith("step-")}


def notes(folder: Path) -> list[str]:
    path = folder / "notes"
    return path.read_text().splitlines() if path.exists() else []


def test_killed_at_random_moments_no_checkpointed_step_runs_twice(tmp_path: Path) -> None:
    chance = random.Random(20240607)
    kills = 0
    for _ in range(40):
        done_before = checkpointed(tmp_path)
        told_before = len(notes(tmp_path))
        worker = subprocess.Popen([sys.executable, "-m", "tests.engine.durable_worker", str(tmp_path), "0.12"])
        deadline = time.monotonic() + 60
        while worker.poll() is None and len(notes(tmp_path)) == told_before and time.monotonic() < deadline:
            time.sleep(0.01)
        with contextlib.suppress(subprocess.TimeoutExpired):
            worker.wait(chance.uniform(0.0, 0.6))
        if worker.poll() is None:
            worker.send_signal(signal.SIGKILL)
            kills += 1
        worker.wait()
        again = {line.replace("start ", "step-") for line in notes(tmp_path)[told_before:]}
        assert not again & done_before, "a step that was checkpointed ran again"
        if notes(tmp_path)[-1].startswith("answer"):
            break
    assert notes(tmp_path)[-1] == f"answer {sum(n * n for n in range(durable_worker.STEPS))}"
    assert kills >= 3


@asynccontextmanager
async def opened(folder: Path, body: Body, **more: Callable[[str, str], None]) -> AsyncIterator[DurableRuns]:
    runs = DurableRuns(folder, body, **more)
    try:
        yield runs
    finally:
        await runs.close()


def steps_of(*bodies: Callable[[], Awaitable[str]]) -> Body:
    async def body(run: str, checkpoints: Checkpointed) -> str:
        return ",".join([await checkpoints.step(f"step-{i}", work) for i, work in enumerate(bodies)])

    return body


async def test_a_cancelled_step_is_cancelled_at_once_cleans_up_and_goes_on_later(tmp_path: Path) -> None:
    told: list[str] = []
    inside = asyncio.Event()

    async def first() -> str:
        told.append("first")
        return "1"

    async def second() -> str:
        told.append("second")
        inside.set()
        try:
            if told.count("second") == 1:
                await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(0.1)
            told.append("container killed")
            raise
        return "2"

    async with opened(tmp_path, steps_of(first, second)) as runs:
        running = asyncio.ensure_future(runs.execute("r1"))
        await asyncio.wait_for(inside.wait(), 20)
        began = time.monotonic()
        assert runs.stop("r1")
        with pytest.raises(Interrupted):
            await running
        assert time.monotonic() - began < 1
        assert told == ["first", "second", "container killed"]
        assert checkpointed(tmp_path) == {"step-0"}
        assert await runs.execute("r1") == "1,2"
        assert told == ["first", "second", "container killed", "second"]
        assert await runs.execute("r1") == "1,2"
        assert not runs.stop("r1")


async def test_cancelling_whoever_waits_stops_the_run_too(tmp_path: Path) -> None:
    inside, ended = asyncio.Event(), asyncio.Event()

    async def endless() -> str:
        inside.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()
        return ""

    async with opened(tmp_path, steps_of(endless)) as runs:
        running = asyncio.ensure_future(runs.execute("r1"))
        await asyncio.wait_for(inside.wait(), 20)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert ended.is_set()


async def test_stopping_before_the_first_step_runs_nothing(tmp_path: Path) -> None:
    async def never() -> str:
        raise AssertionError("a stopped run must not begin a step")

    async with opened(tmp_path, steps_of(never)) as runs:
        await runs.open()
        running = asyncio.ensure_future(runs.execute("r1"))
        await asyncio.sleep(0)
        runs.stop("r1")
        with pytest.raises(Interrupted):
            await asyncio.wait_for(running, 20)


async def test_an_error_is_not_recorded_so_going_on_tries_again(tmp_path: Path) -> None:
    calls: list[str] = []

    async def first() -> str:
        calls.append("first")
        return "1"

    async def second() -> str:
        calls.append("second")
        if len(calls) == 2:
            raise MissingPrerequisite("There is no Docker.", "dockerd &")
        return "2"

    async with opened(tmp_path, steps_of(first, second)) as runs:
        with pytest.raises(MissingPrerequisite) as caught:
            await runs.execute("r1")
        assert caught.value.remedy == "dockerd &"
        assert calls == ["first", "second"], "only a failing sandbox engine is tried again by itself"
    async with opened(tmp_path, steps_of(first, second)) as runs:
        assert await runs.execute("r1") == "1,2"
    assert calls == ["first", "second", "second"]


async def test_a_failing_sandbox_engine_is_tried_again_a_few_times_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durable, "RETRY_AFTER", (0.01, 0.02, 0.03))
    calls: list[int] = []
    told: list[str] = []
    heals_after = 3

    async def flaky() -> str:
        calls.append(1)
        if len(calls) < heals_after:
            raise SandboxFailure("Docker stopped.")
        return "well"

    async with opened(tmp_path, steps_of(flaky), on_retry=lambda run, text: told.append(text)) as runs:
        assert await runs.execute("r1") == "well"
        assert len(calls) == 3 and len(told) == 2 and told[0].startswith("Docker stopped.")
        heals_after = 100
        calls.clear()
        with pytest.raises(SandboxFailure):
            await runs.execute("r2")
        assert len(calls) == 4


async def test_a_hung_step_ends_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable, "STEP_SECONDS", 0.2)

    async def hangs() -> str:
        await asyncio.sleep(60)
        return ""

    async with opened(tmp_path, steps_of(hangs)) as runs:
        with pytest.raises(SandboxFailure, match="did not end"):
            await asyncio.wait_for(runs.execute("r1"), 20)


async def test_an_error_a_workflow_raises_between_steps_reaches_the_caller(tmp_path: Path) -> None:
    async def body(run: str, checkpoints: Checkpointed) -> str:
        raise BadInput("Nothing to analyse.")

    async with opened(tmp_path, body) as runs:
        for _ in range(2):
            with pytest.raises(BadInput):
                await runs.execute("r1")


async def test_closing_interrupts_and_leaves_a_living_loop(tmp_path: Path) -> None:
    inside = asyncio.Event()

    async def endless() -> str:
        inside.set()
        await asyncio.sleep(60)
        return ""

    runs = DurableRuns(tmp_path, steps_of(endless))
    running = asyncio.ensure_future(runs.execute("r1"))
    await asyncio.wait_for(inside.wait(), 20)
    await runs.close()
    with pytest.raises(Interrupted):
        await running
    assert await asyncio.to_thread(lambda: "threads still work") == "threads still work"
    assert not [t.name for t in threading.enumerate() if "dbos" in t.name.lower() or "queue-worker" in t.name]


async def test_the_database_is_private_in_wal_and_holds_no_pickle(tmp_path: Path) -> None:
    async def one() -> str:
        return "digest"

    async with opened(tmp_path, steps_of(one)) as runs:
        await runs.execute("r1")
        with contextlib.closing(sqlite3.connect(tmp_path / durable.DATABASE_NAME)) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            (serialization, output) = connection.execute(
                "SELECT serialization, output FROM operation_outputs WHERE function_name = 'step-0'"
            ).fetchone()
        assert (serialization, output) == ("portable_json", '"digest"')
        assert (tmp_path / durable.DATABASE_NAME).stat().st_mode & 0o777 == 0o600


async def test_nothing_is_logged_to_the_terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    async def fails() -> str:
        raise MissingPrerequisite("x")

    async with opened(tmp_path, steps_of(fails)) as runs:
        with pytest.raises(MissingPrerequisite):
            await runs.execute("r1")
    assert capfd.readouterr() == ("", "")
