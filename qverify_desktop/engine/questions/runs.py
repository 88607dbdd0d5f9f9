"""Questions about one run as a whole: its overview, its log, and pausing it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.inquiries import Consent
from qverify_desktop.domain.log_views import LogHits, LogPage
from qverify_desktop.domain.progress import RunStatus, RunSummary
from qverify_desktop.domain.results import RunResult
from qverify_desktop.domain.usage_views import ReplayView
from qverify_desktop.domain.views import InquiryView, RunOverview
from qverify_desktop.engine import delivery, wire
from qverify_desktop.engine.questions.views import NOTHING, measure_view, run_view
from qverify_desktop.engine.replay import read_recording, replay

if TYPE_CHECKING:
    from qverify_desktop.engine.questions.catalogue import Context, Handler

#: Lines of a log in one answer.
MOST_LINES = 10_000
#: Changes of behaviour that an overview names; the report has all.
MOST_CHANGES = 20


class RunQuestions:
    """Blocking work goes to threads."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "run_overview": self.overview,
            "run_log": self.log,
            "run_log_search": self.search,
            "run_pause": self.pause,
            "run_replay": self.replay,
            "inquiries": self.inquiries,
            "inquiry_answer": self.answer,
        }

    async def inquiries(self) -> list[InquiryView]:
        """What runs ask the person now, the oldest first."""
        return [
            {"run": one.run, "name": one.name, "sentence": one.sentence, "facts": dict(one.facts)}
            for one in self._context.inquiries.open()
        ]

    async def answer(self, run: str, name: str, reply: str) -> None:
        """Raises ``BadInput`` where this is not asked (any more), or for an answer that is none."""
        if reply not in tuple(Consent):
            raise BadInput("The answer is neither go_on nor stop.")
        self._context.inquiries.answer(await self._context.find(run), str(name), Consent(reply))

    async def replay(self, run: str) -> ReplayView:
        """Takes as long as the run's containers did: nothing of it is taken over, but no model is asked."""
        run = await self._context.find(run)
        original = await asyncio.to_thread(self._context.result, run)
        services = self._context.services
        recorded = await asyncio.to_thread(read_recording, self._context.database, services.artefacts, run)
        return await replay(original, recorded, services, self._context.analyze, services.workspace)

    async def overview(self, run: str) -> RunOverview:
        run = await self._context.find(run)
        return await asyncio.to_thread(self._overview, run)

    def _overview(self, run: str) -> RunOverview:
        summary = self._context.runs.get(run)
        if summary is None:
            raise BadInput(f"There is no run {run}.", "See all runs with: qverify runs")
        request = json.loads(self._context.runs.request(run))
        view = self._bare(summary, request)
        if summary.status is RunStatus.FINISHED:
            return self._finished(view, self._context.result(run))
        failure = self._context.failure(run)
        if failure is not None:
            view["failure"] = wire.error_to_json(failure)
        stage = self._context.stage(run)
        if stage:
            view["run"]["stage"] = stage
        return view

    def _bare(self, summary: RunSummary, request: dict[str, Any]) -> RunOverview:
        return {
            "run": run_view(summary),
            "request": request,
            "commit": "",
            "tree": "",
            "languages": [],
            "image_digest": "",
            "baseline": "",
            "notices": [],
            "targets": 0,
            "lines": NOTHING,
            "branches": NOTHING,
            "mutants": NOTHING,
            "duration_ms": 0,
            "sandbox_ms": 0,
            "model_ms": 0,
            "cost_microusd": 0,
            "bundle": "",
            "report": "",
            "tests_folder": "",
            "grade": "",
            "failure": {},
        }

    def _finished(self, view: RunOverview, result: RunResult) -> RunOverview:
        left = delivery.delivered(self._context.home, result.run)
        missing = [f"{one.requirement or one.module} is missing in the sandbox." for one in result.missing]
        skipped = [f"{one.path}: {one.reason}" for one in result.skipped[:20]]
        fixed = [f"{one.defect.symbol} in {one.defect.file}: {one.sentence}" for one in result.fixed]
        changes = [f"{one.symbol} in {one.file}: {one.sentence}" for one in result.changes]
        view.update(
            {
                "commit": result.commit or "",
                "tree": result.tree,
                "languages": list(result.languages),
                "image_digest": result.image_digest,
                "baseline": result.baseline,
                "notices": [
                    *fixed,
                    *changes[:MOST_CHANGES],
                    *result.notices,
                    *missing,
                    *skipped,
                    *(left.notices if left else ()),
                ],
                "targets": result.targets,
                "lines": measure_view(result.before.lines, result.after.lines),
                "branches": measure_view(result.before.branches, result.after.branches),
                "mutants": measure_view(result.before.mutants, result.after.mutants),
                "duration_ms": result.duration_ms,
                "sandbox_ms": result.sandbox_ms,
                "model_ms": result.model_ms,
                "cost_microusd": result.cost_microusd,
            }
        )
        if left is not None:
            view.update(
                {"bundle": left.bundle, "report": left.report, "tests_folder": left.folder, "grade": left.grade}
            )
        return view

    async def log(self, run: str, start: int = 0, limit: int = 1000) -> LogPage:
        """Lines of the log from ``start``; a negative ``start`` counts from the end."""
        run = await self._context.find(run)
        return await asyncio.to_thread(self._context.logs.page, run, int(start), min(int(limit), MOST_LINES))

    async def search(self, run: str, words: str) -> LogHits:
        run = await self._context.find(run)
        return await asyncio.to_thread(self._context.logs.search, run, words)

    async def pause(self, run: str) -> None:
        await self._context.pause(run)
