"""Questions about repositories: the list, pins, a first look, remembered choices, history, and two runs side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from qverify_desktop.domain import trend
from qverify_desktop.domain.errors import BadInput, QVerifyError
from qverify_desktop.domain.model import CloudPolicy
from qverify_desktop.domain.progress import RunStatus, RunSummary
from qverify_desktop.domain.result_views import ComparedTest, ComparisonView, DefectView, HistoryEntry, TrendView
from qverify_desktop.domain.results import RunResult, TestVerdict
from qverify_desktop.domain.views import (
    Choices,
    CloudView,
    PreviewView,
    RepositoryLook,
    RepositoryView,
    RunView,
    TrendPoint,
)
from qverify_desktop.engine import policy, wire
from qverify_desktop.engine.history import history_of
from qverify_desktop.engine.preview import model_preview
from qverify_desktop.engine.questions import defects
from qverify_desktop.engine.questions.detected import nothing_to_analyse, runtime_choices, sources
from qverify_desktop.engine.questions.views import canonical, history_entry, name_of, run_view, thousandths
from qverify_desktop.export.trend_table import trend_table
from qverify_desktop.storage.decisions import DEFECT
from qverify_desktop.storage.repositories import CLOUD, KeptRepository

if TYPE_CHECKING:
    from qverify_desktop.engine.questions.catalogue import Context, Handler

#: Finished runs in a trend.
TREND = 7
#: Runs of a repository in one answer about its trend.
MOST_RUNS = 1_000
#: Files that are listed by name.
MOST_FILES = 5_000
#: Fields of ``Choices`` with the type of each.
CHOICES: Mapping[str, type] = {
    "scope": str,
    "model": str,
    "api_base": str,
    "max_targets": int,
    "seed": int,
    "allow_install": bool,
    "runtime": str,
    "budget_microusd": int,
    "packages": str,
    "time_budget_s": int,
}


class RepositoryQuestions:
    """Blocking work goes to threads; nothing of a repository runs."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "run_list": self.run_list,
            "repositories": self.repositories,
            "repository_pin": self.pin,
            "repository_forget": self.forget,
            "repository_look": self.look,
            "repository_remember": self.remember,
            "repository_cloud": self.cloud,
            "repository_decide": self.decide,
            "model_preview": self.preview,
            "repository_history": self.history,
            "repository_trend": self.trends,
            "repository_trend_csv": self.trend_csv,
            "runs_compare": self.compare,
        }

    async def run_list(self) -> list[RunView]:
        runs = await asyncio.to_thread(self._context.runs.list)
        return [run_view(run) for run in runs]

    async def repositories(self) -> list[RepositoryView]:
        return await asyncio.to_thread(self._repositories)

    def _repositories(self) -> list[RepositoryView]:
        """Pinned ones first, then by their newest run."""
        kept = self._context.repositories.list()
        by_source: dict[str, list[RunSummary]] = {one.source: [] for one in kept.values() if one.pinned}
        for run in self._context.runs.list():
            by_source.setdefault(canonical(run.source), []).append(run)
        shown = {source: runs for source, runs in by_source.items() if _is_listed(kept.get(source), runs)}
        trends = {source: _trend(runs) for source, runs in shown.items()}
        measures = self._context.runs.measures([run.run for trend in trends.values() for run in trend])
        views: list[RepositoryView] = [
            {
                "source": source,
                "name": name_of(source),
                "pinned": source in kept and kept[source].pinned,
                "last": run_view(runs[0]) if runs else None,
                "trend": [_point(run, measures.get(run.run)) for run in trends[source]],
            }
            for source, runs in shown.items()
        ]
        newest = sorted(views, key=lambda view: view["last"]["started_at"] if view["last"] else "", reverse=True)
        return sorted(newest, key=lambda view: not view["pinned"])

    async def pin(self, source: str, pinned: bool) -> None:
        await asyncio.to_thread(self._context.repositories.pin, canonical(source), bool(pinned))
        self._context.changed("")

    async def forget(self, source: str) -> None:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        await asyncio.to_thread(self._context.repositories.forget, canonical(source), now)
        self._context.changed("")

    async def remember(self, source: str, choices: dict[str, Any]) -> None:
        if not isinstance(choices, dict):
            raise BadInput("The choices are no table of names and values.")
        for name, value in choices.items():
            if name not in CHOICES or type(value) is not CHOICES[name]:
                raise BadInput(f"The choice {name!r} can't be kept.")
        await asyncio.to_thread(self._context.repositories.remember, canonical(source), choices)

    async def cloud(self, source: str, model: str, api_base: str) -> CloudView:
        """What was decided about prompts of a repository, and where those for this model would go. Raises ``BadInput``."""
        context = self._context
        return {
            "cloud": (await asyncio.to_thread(policy.kept, source, context.repositories)).value,
            "hosts": list(await asyncio.to_thread(policy.hosts_elsewhere, model, api_base, context.home)),
            "order": list(await asyncio.to_thread(policy.order, model, context.home)),
        }

    async def preview(self, request: dict[str, Any], target: str = "") -> PreviewView:
        """``request`` is an ``AnalysisRequest`` in JSON; nothing is sent, started or kept. Takes seconds. Raises ``BadInput``."""
        asked = wire.request_from_json(request)
        await asyncio.to_thread(self._context.check, asked)
        now = await asyncio.to_thread(policy.kept, asked.source, self._context.repositories)
        return await model_preview(asked, str(target), self._context.services, now)

    async def decide(self, source: str, cloud: str) -> None:
        """What is decided holds from the next run on; empty asks the person again. Raises ``BadInput``."""
        if cloud not in tuple(CloudPolicy):
            raise BadInput("Prompts are allowed elsewhere (allowed) or stay on this machine (local_only).")
        await asyncio.to_thread(self._context.repositories.decide, canonical(source), cloud)
        self._context.changed("")

    async def look(self, source: str) -> RepositoryLook:
        """A first look that copies nothing; what can't be analysed says so in ``problem``."""
        view: RepositoryLook = {
            "source": canonical(source),
            "name": name_of(canonical(source)),
            "git": False,
            "branch": "",
            "refs": [],
            "files": 0,
            "source_files": [],
            "test_files": 0,
            "runtimes": [],
            "remembered": {},
            "problem": "",
        }
        try:
            found = await asyncio.to_thread(self._context.look, source)
        except QVerifyError as error:
            view["problem"] = f"{error.sentence} {error.remedy}".strip()
            return view
        kept = await asyncio.to_thread(self._context.repositories.get, canonical(found.source))
        languages = {room.name: room.runtime for room in self._context.services.languages}
        source_files = await asyncio.to_thread(sources, found, languages)
        view = {
            **view,
            "source": found.source,
            "name": found.name or view["name"],
            "git": found.git,
            "branch": found.branch,
            "refs": list(found.refs),
            "files": len(found.paths),
            "source_files": sorted(source_files)[:MOST_FILES],
            "test_files": sum(_is_test(path) for path in source_files),
            "remembered": cast(Choices, {name: value for name, value in kept.choices.items() if name != CLOUD}),
        }
        known, reason = await self._known_runtimes()
        view["runtimes"] = await asyncio.to_thread(runtime_choices, found, source_files, languages, known, reason)
        if not any(choice["analysable"] for choice in view["runtimes"]):
            view["problem"] = nothing_to_analyse(view["runtimes"], languages)
        return view

    async def _known_runtimes(self) -> tuple[list[dict[str, Any]], str]:
        """Runtimes of this machine, and why they can't be had where they can't."""
        try:
            return await self._context.machine.runtimes("list", []), ""
        except QVerifyError as error:
            return [], f"{error.sentence} {error.remedy}".strip()

    async def history(self, source: str) -> list[HistoryEntry]:
        return await asyncio.to_thread(history_of, self._context.runs, source)

    async def trends(self, source: str = "") -> list[TrendView]:
        """One repository, or all that were analysed, the newest run first. Raises ``BadInput`` for one that has no finished run."""
        return await asyncio.to_thread(self._trends, source)

    def _trends(self, source: str) -> list[TrendView]:
        runs = self._context.runs
        wanted = [canonical(source)] if source else [*dict.fromkeys(canonical(name) for name in runs.sources())]
        found = [(one, entries) for one in wanted if (entries := history_of(runs, one))]
        if source and not found:
            raise BadInput(
                f"There is no finished run of {canonical(source)}.", "See what was analysed with: qverify trend"
            )
        views: list[TrendView] = [
            {
                "source": one,
                "name": name_of(one),
                "sentence": trend.sentence(entries),
                "total": len(entries),
                "runs": entries[:MOST_RUNS],
            }
            for one, entries in found
        ]
        return sorted(views, key=lambda view: view["runs"][0]["run"]["started_at"], reverse=True)

    async def trend_csv(self, source: str = "") -> str:
        """The same as a table in the form of RFC 4180."""
        return trend_table(await self.trends(source))

    async def compare(self, a: str, b: str) -> ComparisonView:
        """Two finished runs, whichever is older first. Raises ``BadInput`` when one has not finished."""
        first, second = await self._context.find(a), await self._context.find(b)
        return await asyncio.to_thread(self._compare, first, second)

    def _compare(self, first: str, second: str) -> ComparisonView:
        runs = [run for run in map(self._context.runs.get, (first, second)) if run is not None]
        old, new = sorted(runs, key=lambda run: (run.started_at, run.run))
        before, after = self._context.result(old.run), self._context.result(new.run)
        measures = self._context.runs.measures([old.run, new.run])
        gone, fresh, same = _three_ways(self._defects(before), self._defects(after))
        return {
            "a": history_entry(old, measures.get(old.run)),
            "b": history_entry(new, measures.get(new.run)),
            "sentence": _sentence(len(gone), len(fresh), len(same), _kept(before), _kept(after)),
            "tests": _changed(before, after),
            "defects_gone": gone,
            "defects_new": fresh,
            "defects_same": same,
        }

    def _defects(self, result: RunResult) -> list[DefectView]:
        return defects.views(result, self._context.decisions.of(result.run, DEFECT), self._context.services.languages)


def _is_listed(kept: KeptRepository | None, runs: Sequence[RunSummary]) -> bool:
    """Not when it was taken off the list and no run began since."""
    if kept is None or kept.pinned or not kept.forgotten_at:
        return True
    return bool(runs) and runs[0].started_at > kept.forgotten_at


def _trend(runs: Sequence[RunSummary]) -> list[RunSummary]:
    """The last finished runs, oldest first; ``runs`` are newest first."""
    return [run for run in runs if run.status is RunStatus.FINISHED][:TREND][::-1]


def _point(run: RunSummary, measures: Mapping[str, Any] | None) -> TrendPoint:
    lines = (measures or {}).get("lines")
    value = thousandths(lines[2], lines[3]) if lines else None
    return {"run": run.run, "started_at": run.started_at, "lines": value}


def _is_test(path: str) -> bool:
    """By its name alone; the analysis looks closer."""
    folders, _, name = path.rpartition("/")
    return name.startswith("test_") or name.endswith("_test.py") or "tests" in folders.split("/")


def _changed(before: RunResult, after: RunResult) -> list[ComparedTest]:
    """Tests that were judged otherwise, or are in one of the runs only."""
    verdicts = [{judged.test.id: judged.verdict.value for judged in result.tests} for result in (before, after)]
    old, new = verdicts
    return [
        {"test": test, "before": old.get(test, ""), "after": new.get(test, "")}
        for test in sorted({*old, *new})
        if old.get(test) != new.get(test)
    ]


def _kept(result: RunResult) -> int:
    return sum(judged.verdict is TestVerdict.ACCEPTED for judged in result.tests)


def _three_ways(
    old: Sequence[DefectView], new: Sequence[DefectView]
) -> tuple[list[DefectView], list[DefectView], list[DefectView]]:
    """Defects that are gone, new, and in both (as the newer run has them)."""
    before, after = {defects.identity(one) for one in old}, {defects.identity(one) for one in new}
    gone = [one for one in old if defects.identity(one) not in after]
    fresh = [one for one in new if defects.identity(one) not in before]
    return gone, fresh, [one for one in new if defects.identity(one) in before]


def _sentence(gone: int, fresh: int, same: int, kept_before: int, kept_after: int) -> str:
    """The verdict of a comparison, with its numbers."""
    if gone or fresh:
        parts = [f"{_counted(gone, 'suspected defect')} gone"] if gone else []
        parts += [f"{_counted(fresh, 'new one' if gone else 'new suspected defect')}"] if fresh else []
        found = " and ".join(parts)
    elif same:
        found = f"The same {_counted(same, 'suspected defect')}"
    else:
        found = "No suspected defect in either run"
    if kept_before == kept_after:
        return f"{found}; {_counted(kept_after, 'test')} kept in both."
    return f"{found}; {_counted(kept_after, 'test')} kept, {kept_before} before."


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
