"""A run with a model, over real HTTP, and its replay out of the evidence: the same judgement, and nobody is asked."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from qverify_desktop.analysis.model_tests import write_model_tests
from qverify_desktop.analysis.services import Checkpoints, Services
from qverify_desktop.analysis.steps import StepContext, Steps
from qverify_desktop.analysis.threads import in_stoppable_thread
from qverify_desktop.analysis.workflow import RESULT_STEP
from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.project import Snapshot
from qverify_desktop.domain.results import AnalysisRequest, JudgedTest, Reason, RunResult, TestVerdict, Verdict
from qverify_desktop.languages.python.language import PythonLanguage
from tests.analysis.test_model_tests import HEADER, SOURCE, by_words, reports, test_of
from tests.engine.house import ScriptedAnalysis, follow, house
from tests.model_servers.answers import Say, Script
from tests.model_servers.server import MODEL, serving

LANGUAGE = PythonLanguage()


class ModelAnalysis(ScriptedAnalysis):
    """Snapshot, a model's tests for the one function, their judgement by a scripted sandbox. ``verdict`` may be exchanged."""

    verdict = staticmethod(by_words)

    async def __call__(
        self, run: str, request: AnalysisRequest, services: Services, checkpoints: Checkpoints, reporter: object
    ) -> RunResult:
        steps = Steps(run, request, services, checkpoints, reporter)  # type: ignore[arg-type]

        async def opening(context: StepContext) -> str:
            context.record("run_opened", {"application": "test"})
            return ""

        async def intake(context: StepContext) -> Snapshot:
            return await in_stoppable_thread(
                lambda stop: services.repositories.take_snapshot(request.source, steps.folder, stop)
            )

        await steps.step("open", str, opening)
        snapshot = await steps.step("intake", Snapshot, intake)

        async def write(context: StepContext) -> tuple[JudgedTest, ...]:
            project = LANGUAGE.detect(snapshot)
            assert project is not None
            outcome = await write_model_tests(
                LANGUAGE.targets(snapshot, project)[0],
                snapshot,
                project,
                LANGUAGE,
                services.gateway,
                reports(self.verdict),  # type: ignore[arg-type]
                request,
            )
            context.events.extend(outcome.evidence)
            context.cost_microusd += outcome.cost_microusd
            kept = tuple(JudgedTest(test, TestVerdict.ACCEPTED, Reason.GAIN) for test in outcome.tests)
            return (*kept, *outcome.refused)

        judged = await steps.step("write", tuple[JudgedTest, ...], write)  # type: ignore[arg-type]

        async def conclude(context: StepContext) -> RunResult:
            files = LANGUAGE.render([one.test for one in judged if one.verdict is TestVerdict.ACCEPTED])
            return RunResult(
                run, request, Verdict.NOTHING_SUSPECTED, "Nothing.", snapshot.origin, snapshot.commit, snapshot.tree,
                tests=judged, files=files,
            )  # fmt: skip

        result = await steps.step(RESULT_STEP, RunResult, conclude)

        async def closing(context: StepContext) -> bool:
            context.record("run_closed", {"outcome": result.verdict.value})
            return True

        await steps.step("close", bool, closing)
        await asyncio.to_thread(services.journal.checkpoint, run)
        return result


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "pkg").mkdir(parents=True)
    (folder / "pkg/__init__.py").touch()
    (folder / "pkg/text.py").write_text(SOURCE)
    return folder


def answers() -> Script:
    """A good test, one with an invented name, a wrong expectation; then a repair; then the server fails."""
    invented = f"from pkg.text import invented\n{test_of('c', 'invented(pages(1)) == 0')}"
    first = f"{HEADER}{test_of('a', 'pages(1) == 0')}{test_of('b', 'pages(2) == 99')}{invented}"
    mended = f"{HEADER}{test_of('pages_b', 'pages(2) == 0')}"
    return Script(
        [
            Say(f"Of course:\n```python\n{first}```"),
            Say("No words say so.", when="lawyer reads a contract"),
            Say(f"```python\n{mended}```"),
            Say(fault="401"),
        ]
    )


async def test_a_replay_gives_the_same_and_asks_nobody(tmp_path: Path, source: Path) -> None:
    async with house(tmp_path / "home", ModelAnalysis()) as engine:
        script = answers()
        with serving(script) as server:
            run = await engine.start(AnalysisRequest(str(source), model=MODEL, api_base=server.url))
            await follow(engine, run)
            asked = len(script.requests)
        before = (await engine.ask("evidence_log", run=run))["total"]
        # The server is gone: whoever asked it would fail.
        view = await engine.ask("run_replay", run=run)
        assert view["differences"] == []
        assert view["same"]
        assert view["unknown"] == 0
        assert view["asked"] == asked >= 4
        assert (await engine.ask("evidence_log", run=run))["total"] == before, "a replay adds nothing to the log"
        assert len(script.requests) == asked
        assert not list((tmp_path / "home" / "workspace").glob("replay-*"))


async def test_a_replay_that_judges_otherwise_says_where(tmp_path: Path, source: Path) -> None:
    analysis = ModelAnalysis()
    async with house(tmp_path / "home", analysis) as engine:
        with serving(Script([Say(f"```python\n{HEADER}{test_of('a', 'pages(1) == 0')}```")])) as server:
            run = await engine.start(AnalysisRequest(str(source), model=MODEL, api_base=server.url))
            await follow(engine, run)
        analysis.verdict = lambda source: {"status": "skipped"}  # type: ignore[method-assign,assignment,misc]
        view = await engine.ask("run_replay", run=run)
        assert not view["same"]
        assert view["differences"][0].endswith("accepted (gain) before, refused (trivial) now")
        analysis.verdict = lambda source: {"error": "ImportError: another image"}  # type: ignore[method-assign,assignment,misc]
        view = await engine.ask("run_replay", run=run)
        assert not view["same"]
        assert view["unknown"] >= 1
        assert "not in the recording" in view["sentence"]


async def test_a_repository_that_changed_is_not_replayed(tmp_path: Path, source: Path) -> None:
    async with house(tmp_path / "home", ModelAnalysis()) as engine:
        with serving(Script([Say(f"```python\n{HEADER}{test_of('a', 'pages(1) == 0')}```")])) as server:
            run = await engine.start(AnalysisRequest(str(source), model=MODEL, api_base=server.url))
            await follow(engine, run)
        (source / "pkg/text.py").write_text(SOURCE + "\n# changed\n")
        with pytest.raises(BadInput, match="files have changed"):
            await engine.ask("run_replay", run=run)


async def test_a_run_that_is_not_finished_is_not_replayed(tmp_path: Path, source: Path) -> None:
    async with house(tmp_path / "home") as engine:
        with pytest.raises(BadInput):
            await engine.ask("run_replay", run="20260101")
