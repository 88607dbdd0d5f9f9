"""What a model writes, from its server over the engine to a window of another process, and nowhere else."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from qverify_desktop.analysis.live import Live
from qverify_desktop.analysis.ports import Evidence
from qverify_desktop.analysis.prompts import render
from qverify_desktop.analysis.questions import Account
from qverify_desktop.domain.model import Purpose
from qverify_desktop.domain.results import AnalysisRequest, RunResult
from qverify_desktop.engine.events import EventKind, RunEvent, RunStatus
from qverify_desktop.engine.remote import RemoteEngine
from qverify_desktop.gateway.gateway import ModelGateway
from qverify_desktop.gateway.litellm_provider import load
from tests.analysis.test_prompts import PASSAGES, VALUES
from tests.engine.house import ScriptedAnalysis, house
from tests.model_servers.answers import Say, Script
from tests.model_servers.server import ModelServer, serving

ANSWER = "".join(f"def test_{number}():\n    assert seen_by_the_window == {number}\n" for number in range(12))


class Writing(ScriptedAnalysis):
    """An analysis whose step ``work`` asks a model."""

    def __init__(self, server: ModelServer) -> None:
        super().__init__()
        self.server = server
        self.gateway = ModelGateway()
        self.hook = self.ask

    async def __call__(self, run: str, request: AnalysisRequest, *rooms: Any) -> RunResult:
        self.request, self.reporter = request, rooms[-1]
        return await super().__call__(run, request, *rooms)

    async def ask(self, step: str) -> None:
        if step != "work":
            return
        live = Live(self.reporter, "pkg/text.py::pages")
        account = Account("pkg/text.py::pages", self.request, self.gateway, live=live)
        await account.ask(render("generate", VALUES, PASSAGES), 0, Purpose.GENERATE)
        self.evidence = account.evidence


def asking(tmp_path: Path, server: ModelServer) -> AnalysisRequest:
    (tmp_path / "repository").mkdir()
    (tmp_path / "repository" / "a.py").write_text("def f(): pass\n")
    return AnalysisRequest(str(tmp_path / "repository"), model="scripted", api_base=server.url)


async def test_another_process_reads_along_and_neither_log_nor_evidence_has_the_steps(tmp_path: Path) -> None:
    home = tmp_path / "home"
    await asyncio.to_thread(load)
    with serving(Script([Say(ANSWER, piece=5, pause_s=0.01)])) as server:
        analysis = Writing(server)
        async with house(home, analysis) as engine:
            run = await engine.start(asking(tmp_path, server))
            told: list[tuple[float, RunEvent]] = []
            async with asyncio.timeout(60):
                async for event in RemoteEngine(home).watch(run):
                    told.append((time.monotonic(), event))
            page = await engine.ask("run_log", run=run, start=0, limit=1000)
        await analysis.gateway.close()
    writing = [(at, event) for at, event in told if event.kind is EventKind.WRITING]
    texts = [event.text for _, event in writing]
    assert len(texts) > 5 and texts[-1] == ANSWER
    assert [event.done for _, event in writing] == [0] * (len(texts) - 1) + [1]
    assert all(ANSWER.startswith(text) for text in texts), "each is the whole so far, with its lines"
    assert {event.target for _, event in writing} == {"pkg/text.py::pages"}
    took = writing[-1][0] - writing[0][0]
    assert len(texts) <= took / 0.1 + 3, "ten a second"
    assert "seen_by_the_window" not in str(page)
    answers = [one for one in analysis.evidence if isinstance(one, Evidence) and one.type == "model_answer"]
    assert [one.blobs["answer"].decode() for one in answers] == [ANSWER]
    assert {one.type for one in analysis.evidence} == {"model_prompt", "model_answer"}


async def test_cancelling_the_run_from_another_process_ends_the_writing_at_its_server(tmp_path: Path) -> None:
    home, script = tmp_path / "home", Script([Say(ANSWER * 50, piece=5, pause_s=0.02)])
    await asyncio.to_thread(load)
    with serving(script) as server:
        analysis = Writing(server)
        async with house(home, analysis) as engine:
            run = await engine.start(asking(tmp_path, server))
            window, last, cancelled = RemoteEngine(home), None, False
            async with asyncio.timeout(60):
                async for event in window.watch(run):
                    last = event
                    if event.kind is EventKind.WRITING and not cancelled:
                        cancelled = True
                        await window.cancel(run)
            assert last is not None and last.status is RunStatus.CANCELLED
            async with asyncio.timeout(5):
                while not script.disconnects:
                    await asyncio.sleep(0.02)
        await analysis.gateway.close()
    assert len(script.requests) == 1


@pytest.mark.parametrize("pieces", [3_000])
async def test_a_model_that_writes_as_fast_as_it_can_does_not_hold_the_engines_loop_up(
    tmp_path: Path, pieces: int
) -> None:
    home = tmp_path / "home"
    await asyncio.to_thread(load)
    worst = 0.0

    async def tick() -> None:
        nonlocal worst
        while True:
            before = time.thread_time()
            await asyncio.sleep(0)
            worst = max(worst, time.thread_time() - before)
            await asyncio.sleep(0.001)

    with serving(Script([Say("x = 1\n" * pieces, piece=6)])) as server:
        analysis = Writing(server)
        async with house(home, analysis) as engine:
            run = await engine.start(asking(tmp_path, server))
            ticking = asyncio.create_task(tick())
            async with asyncio.timeout(60):
                events = [event async for event in engine.watch(run)]
            ticking.cancel()
        await analysis.gateway.close()
    assert events[-1].status is RunStatus.FINISHED
    assert worst < 0.05
