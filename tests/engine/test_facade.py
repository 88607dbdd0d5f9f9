"""The engine's face: life of runs, going on, two doors; over real storage, evidence and durable steps."""

import asyncio
import json
from pathlib import Path

import pytest

from qverify_desktop.domain.errors import BadInput, MissingPrerequisite, QVerifyError
from qverify_desktop.domain.results import AnalysisRequest
from qverify_desktop.engine.events import EventKind, RunStatus
from qverify_desktop.engine.lock import HomeLock
from qverify_desktop.engine.remote import RemoteEngine
from tests.engine.house import Halt, NoMachine, ScriptedAnalysis, follow, house


async def test_a_run_from_start_to_end(home: Path, source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    async with house(home) as engine:
        run = await engine.start(AnalysisRequest(str(source), out=str(out)))
        events = await follow(engine, run)
        assert [e.status for e in events if e.kind is EventKind.STATUS] == [
            RunStatus.QUEUED,
            RunStatus.RUNNING,
            RunStatus.FINISHED,
        ]
        assert [e.sequence for e in events] == list(range(1, len(events) + 1))
        assert (await follow(engine, run))[-1].status is RunStatus.FINISHED
        document = await engine.show(run[:12])
        assert document["run"] == run and document["exit_code"] == 0
        assert Path(document["bundle"]).is_file() and Path(document["report"]).is_file()
        assert (out / "tests/test_generated.py").is_file()
        assert not (home / "workspace" / run).exists(), "the snapshot of a finished run is only ballast"
        report = await engine.verify(Path(document["bundle"]))
        assert report["valid"] and report["grade"] == document["grade"]
        copied = await engine.export(run, "evidence", tmp_path / "new" / "copy.zip")
        assert copied.read_bytes() == Path(document["bundle"]).read_bytes()
        for shown in ("redacted", "headers"):
            less = await engine.export(run, f"evidence-{shown}", tmp_path / "new" / f"{shown}.zip")
            report = await engine.verify(less)
            assert (report["grade"], report["disclosure"]) == (document["grade"], shown)
        for wrong in ("pdf", "", "../x"):
            with pytest.raises(BadInput):
                await engine.export(run, wrong, tmp_path / "x")
        with pytest.raises(BadInput, match="finished"):
            await engine.resume(run)
        with pytest.raises(BadInput, match="not running"):
            await engine.cancel(run)
        json.dumps(document)
    async with house(home) as engine:
        assert [e.status for e in await follow(engine, run)] == [RunStatus.FINISHED]
        assert (await engine.show(run)) == document


async def test_cancel_in_a_step_then_resume_without_repeating_what_was_finished(home: Path, source: Path) -> None:
    gate = Halt("work")
    analysis = ScriptedAnalysis(gate)
    async with house(home, analysis) as engine:
        run = await engine.start(AnalysisRequest(str(source)))
        await gate.reached.wait()
        watching = asyncio.ensure_future(follow(engine, run))
        await engine.cancel(run)
        events = await watching
        assert events[-1].status is RunStatus.CANCELLED and f"qverify resume {run}" in events[-1].text
        document = await engine.show(run)
        assert document["error"]["kind"] == "Cancelled" and document["exit_code"] == 4
        gate.open.set()
        await engine.resume(run)
        assert (await follow(engine, run))[-1].status is RunStatus.FINISHED
    assert analysis.began == ["intake", "work", "work", "result"]


async def test_two_runs_wait_for_each_other_and_drain_waits_for_both(home: Path, source: Path) -> None:
    analysis = ScriptedAnalysis()
    async with house(home, analysis) as engine:
        first = await engine.start(AnalysisRequest(str(source)))
        second = await RemoteEngine(home).start(AnalysisRequest(str(source), seed=2))
        await engine.drain()
        assert engine.live() == []
        assert {one.run: one.status for one in await engine.runs()} == {
            first: RunStatus.FINISHED,
            second: RunStatus.FINISHED,
        }
    assert analysis.began == ["intake", "work", "result"] * 2


async def test_a_person_may_lose_interest_twice(home: Path, source: Path) -> None:
    gate = Halt("work")
    async with house(home, ScriptedAnalysis(gate)) as engine:
        run = await engine.start(AnalysisRequest(str(source)))
        await gate.reached.wait()
        await asyncio.gather(engine.cancel(run), engine.cancel(run), RemoteEngine(home).cancel(run))
        assert (await engine.runs())[0].status is RunStatus.CANCELLED


async def test_cancel_while_waiting_for_another_run(home: Path, source: Path) -> None:
    gate = Halt("work")
    analysis = ScriptedAnalysis(gate)
    async with house(home, analysis) as engine:
        first = await engine.start(AnalysisRequest(str(source)))
        await gate.reached.wait()
        second = await engine.start(AnalysisRequest(str(source)))
        assert engine.live() == [first, second]
        assert (await engine.runs())[0].status is RunStatus.QUEUED
        await engine.cancel(second)
        assert (await follow(engine, second))[-1].status is RunStatus.CANCELLED
        gate.open.set()
        assert (await follow(engine, first))[-1].status is RunStatus.FINISHED
    assert analysis.began.count("intake") == 1


async def test_closing_interrupts_and_the_same_request_goes_on(home: Path, source: Path) -> None:
    gate = Halt("work")
    first = ScriptedAnalysis(gate)
    request = AnalysisRequest(str(source), seed=7)
    async with house(home, first) as engine:
        run = await engine.start(request)
        await gate.reached.wait()
    second = ScriptedAnalysis()
    async with house(home, second) as engine:
        (summary,) = await engine.runs()
        assert summary.status is RunStatus.INTERRUPTED and f"qverify resume {run}" in summary.sentence
        other = await engine.start(AnalysisRequest(str(source), seed=8))
        assert other != run
        await follow(engine, other)
        again = await engine.start(request)
        assert again == run
        events = await follow(engine, run)
        assert any(f"Going on with the run {run}" in e.text for e in events)
        assert events[-1].status is RunStatus.FINISHED
    assert first.began == ["intake", "work"]
    assert second.began == ["intake", "work", "result", "work", "result"]


async def test_a_source_that_changed_begins_anew(home: Path, source: Path) -> None:
    gate = Halt("work")
    request = AnalysisRequest(str(source))
    async with house(home, ScriptedAnalysis(gate)) as engine:
        run = await engine.start(request)
        await gate.reached.wait()
    (source / "a.py").write_text("x = 2\n")
    async with house(home) as engine:
        other = await engine.start(request)
        assert other != run
        assert (await follow(engine, other))[-1].status is RunStatus.FINISHED
    assert not list((home / "workspace").glob("compare-*"))


async def test_something_missing_interrupts_and_can_be_gone_on_with(home: Path, source: Path) -> None:
    missing = True

    async def hook(step: str) -> None:
        if step == "work" and missing:
            raise MissingPrerequisite("There is no Docker Engine.", "dockerd &")

    analysis = ScriptedAnalysis(hook)
    async with house(home, analysis) as engine:
        run = await engine.start(AnalysisRequest(str(source)))
        assert (await follow(engine, run))[-1].status is RunStatus.INTERRUPTED
        document = await engine.show(run)
        assert document["exit_code"] == 3 and document["error"]["remedy"] == "dockerd &"
        missing = False
        assert await engine.start(AnalysisRequest(str(source))) == run
        assert (await follow(engine, run))[-1].status is RunStatus.FINISHED
    assert analysis.began == ["intake", "work", "work", "result"]


async def test_bad_input_fails_for_good(home: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    async with house(home) as engine:
        run = await engine.start(AnalysisRequest(str(empty)))
        assert (await follow(engine, run))[-1].status is RunStatus.FAILED
        assert (await engine.show(run))["exit_code"] == 2
        with pytest.raises(BadInput):
            await engine.resume(run)
        assert await engine.start(AnalysisRequest(str(empty))) != run


async def test_a_bug_ends_in_a_sentence_and_a_file(home: Path, source: Path) -> None:
    async def hook(step: str) -> None:
        if step == "work":
            raise ZeroDivisionError("a bug")

    async with house(home, ScriptedAnalysis(hook)) as engine:
        run = await engine.start(AnalysisRequest(str(source)))
        last = (await follow(engine, run))[-1]
        assert last.status is RunStatus.FAILED
        (crash,) = (home / "crashes").iterdir()
        assert str(crash) in last.text and "ZeroDivisionError: a bug" in crash.read_text()
        assert "Traceback" not in last.text


async def test_addresses_with_secrets_are_refused_and_not_kept(home: Path) -> None:
    async with house(home) as engine:
        for source, base in (
            ("https://me:s3cret@example.org/x.git", ""),
            ("https://s3cret@example.org/x.git", ""),
            ("/x", "http://u:s3cret@127.0.0.1"),
        ):
            with pytest.raises(BadInput) as caught:
                await engine.start(AnalysisRequest(source, api_base=base))
            assert "s3cret" not in str(caught.value)
        assert await engine.runs() == []
    assert not any(b"s3cret" in path.read_bytes() for path in home.rglob("*") if path.is_file())


async def test_names_must_be_known_and_unique(home: Path, source: Path) -> None:
    async with house(home) as engine:
        first = await engine.start(AnalysisRequest(str(source)))
        second = await engine.start(AnalysisRequest(str(source), seed=1))
        for name in ("zzzz", "", "%", "../x", "r_", first + "0"):
            with pytest.raises(BadInput, match="no run"):
                await engine.show(name)
        common = first[:3]
        assert second.startswith(common)
        with pytest.raises(BadInput, match="2 runs begin"):
            await engine.show(common)
        with pytest.raises(BadInput):
            await follow(engine, "r000")
        await follow(engine, first)
        await follow(engine, second)


async def test_a_second_door_sees_and_steers_the_same_runs(home: Path, source: Path) -> None:
    gate = Halt("work")
    async with house(home, ScriptedAnalysis(gate)) as engine:
        assert not HomeLock(home).acquire()
        remote = RemoteEngine(home)
        run = await remote.start(AnalysisRequest(str(source)))
        watching = asyncio.ensure_future(follow(remote, run))
        await gate.reached.wait()
        assert (await remote.runs())[0].status is RunStatus.RUNNING
        await remote.cancel(run)
        assert (await watching)[-1].status is RunStatus.CANCELLED
        gate.open.set()
        await remote.resume(run)
        local, far = await asyncio.gather(follow(engine, run), follow(remote, run))
        assert local[-1] == far[-1] and far[-1].status is RunStatus.FINISHED
        assert await remote.show(run) == await engine.show(run)
        with pytest.raises(BadInput, match="no run"):
            await follow(remote, "rzzz")


async def test_containers_of_a_dead_owner_are_swept_before_the_first_run(home: Path, source: Path) -> None:
    gate = Halt("work")
    async with house(home, ScriptedAnalysis(gate)) as engine:
        run = await engine.start(AnalysisRequest(str(source)))
        await gate.reached.wait()
        engine._parts.records.set_status(run, RunStatus.RUNNING)
    idle = NoMachine()
    async with house(home, machine=idle):
        pass
    assert idle.sweeps == 0, "interrupted in order: nothing was left behind"
    busy = NoMachine()
    swept_at: list[int] = []

    async def hook(step: str) -> None:
        swept_at.append(busy.sweeps)

    async with house(home, ScriptedAnalysis(hook), busy) as engine:
        await engine.start(AnalysisRequest(str(source)))
        await engine.drain()
    assert swept_at and min(swept_at) == 1


async def test_closing_refuses_new_work_and_closes_once(home: Path, source: Path) -> None:
    async with house(home) as engine:
        await engine.close()
        with pytest.raises(QVerifyError, match="closing"):
            await engine.start(AnalysisRequest(str(source)))
        await engine.close()
    assert HomeLock(home).acquire()


async def test_an_unknown_question_and_wrong_parameters_are_bad_input_through_both_doors(home: Path) -> None:
    async def double(number: int, *, times: int = 2) -> int:
        return number * times

    async with house(home) as engine:
        engine._questions = {**engine._questions, "double": double}
        for door in (engine, RemoteEngine(home)):
            assert await door.ask("double", number=4) == 8
            with pytest.raises(BadInput, match="no question 'nobody_knows'"):
                await door.ask("nobody_knows")
            for wrong in ({}, {"number": 1, "self": 2}, {"count": 1}):
                with pytest.raises(BadInput, match="double"):
                    await door.ask("double", **wrong)
