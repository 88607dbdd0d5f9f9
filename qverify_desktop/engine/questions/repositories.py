"""Questions about repositories: the list, pins, a first look, remembered choices, history, and two runs side by side."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from qverify_desktop.domain.errors import BadInput, QVerifyError
from qverify_desktop.domain.progress import RunStatus, RunSummary
from qverify_desktop.domain.views import (
    ComparedTest,
    ComparisonView,
    DefectView,
    HistoryEntry,
    RepositoryLook,
    RepositoryView,
    RuntimeChoice,
    RunView,
)
from qverify_desktop.engine.questions import defects
from qverify_desktop.engine.questions.views import history_entry, name_of, run_view, thousandths

if TYPE_CHECKING:
    from qverify_desktop.engine.questions.catalogue import Context, Handler

#: Finished runs in a trend.
TREND = 7
#: Files that are listed by name.
MOST_FILES = 5_000
#: What a file's name says of its language, for the languages that can be analysed.
SUFFIXES: Mapping[str, tuple[str, ...]] = {"python": (".py",)}
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
            "repository_history": self.history,
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
        by_source: dict[str, list[RunSummary]] = {}
        for run in self._context.runs.list():
            by_source.setdefault(run.source, []).append(run)
        views = []
        for source in {**by_source, **{s: [] for s, one in kept.items() if one.pinned and s not in by_source}}:
            one = kept.get(source)
            runs = by_source.get(source, [])
            if one and one.forgotten_at and not one.pinned and (not runs or runs[0].started_at <= one.forgotten_at):
                continue
            views.append(self._repository(source, runs, bool(one and one.pinned)))
        newest = sorted(views, key=lambda view: view["last"]["started_at"] if view["last"] else "", reverse=True)
        return sorted(newest, key=lambda view: not view["pinned"])

    def _repository(self, source: str, runs: list[RunSummary], pinned: bool) -> RepositoryView:
        finished = [run for run in runs if run.status is RunStatus.FINISHED][:TREND]
        measures = self._context.runs.measures([run.run for run in finished])
        trend: list[Any] = []
        for run in reversed(finished):
            lines = measures.get(run.run, {}).get("lines")
            value = thousandths(lines[2], lines[3]) if lines else None
            trend.append({"run": run.run, "started_at": run.started_at, "lines": value})
        return {
            "source": source,
            "name": name_of(source),
            "pinned": pinned,
            "last": run_view(runs[0]) if runs else None,
            "trend": trend,
        }

    async def pin(self, source: str, pinned: bool) -> None:
        await asyncio.to_thread(self._context.repositories.pin, source, bool(pinned))
        self._context.changed("")

    async def forget(self, source: str) -> None:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        await asyncio.to_thread(self._context.repositories.forget, source, now)
        self._context.changed("")

    async def remember(self, source: str, choices: dict[str, Any]) -> None:
        if not isinstance(choices, dict):
            raise BadInput("The choices are no table of names and values.")
        for name, value in choices.items():
            if name not in CHOICES or type(value) is not CHOICES[name]:
                raise BadInput(f"The choice {name!r} can't be kept.")
        await asyncio.to_thread(self._context.repositories.remember, source, choices)

    async def look(self, source: str) -> RepositoryLook:
        """A first look that copies nothing; what can't be analysed says so in ``problem``."""
        kept = await asyncio.to_thread(self._context.repositories.get, source)
        view: RepositoryLook = {
            "source": source,
            "name": name_of(source),
            "git": False,
            "branch": "",
            "refs": [],
            "files": 0,
            "source_files": [],
            "test_files": 0,
            "runtimes": [],
            "remembered": kept.choices,  # type: ignore[typeddict-item]
            "problem": "",
        }
        try:
            found = await asyncio.to_thread(self._context.look, source)
        except QVerifyError as error:
            view["problem"] = f"{error.sentence} {error.remedy}".strip()
            return view
        by_language = {name: [path for path in found.paths if path.endswith(ends)] for name, ends in SUFFIXES.items()}
        source_files = [path for paths in by_language.values() for path in paths]
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
        }
        counts = {name: len(paths) for name, paths in by_language.items()}
        view["runtimes"] = await self._runtimes(counts, remote=found.remote)
        if not found.remote and not view["runtimes"]:
            view["problem"] = "There is no source in a language that can be analysed. Python is known."
        return view

    async def _runtimes(self, languages: Mapping[str, int], *, remote: bool) -> list[RuntimeChoice]:
        """Runtimes that fit; of an address all of them, because nothing is known before it is fetched."""
        known: list[dict[str, Any]] = []
        reason = ""
        try:
            known = await self._context.machine.runtimes("list", [])
        except QVerifyError as error:
            reason = f"{error.sentence} {error.remedy}".strip()
        choices: list[RuntimeChoice] = []
        for runtime in known or [{"runtime": "python", "languages": ["python"], "ready": False, "sentence": reason}]:
            spoken = list(runtime["languages"]) or [runtime["runtime"]]
            files = sum(languages.get(language, 0) for language in spoken)
            if files or remote:
                choices.append(
                    {
                        "runtime": runtime["runtime"],
                        "languages": spoken,
                        "files": files,
                        "ready": bool(runtime["ready"]),
                        "sentence": runtime["sentence"],
                    }
                )
        return sorted(choices, key=lambda choice: -choice["files"])

    async def history(self, source: str) -> list[HistoryEntry]:
        return await asyncio.to_thread(self._history, source)

    def _history(self, source: str) -> list[HistoryEntry]:
        runs = [run for run in self._context.runs.of_source(source) if run.status is RunStatus.FINISHED]
        measures = self._context.runs.measures([run.run for run in runs])
        return [history_entry(run, measures.get(run.run)) for run in runs]

    async def compare(self, a: str, b: str) -> ComparisonView:
        """Two finished runs, whichever is older first. Raises ``BadInput`` when one has not finished."""
        first, second = await self._context.find(a), await self._context.find(b)
        return await asyncio.to_thread(self._compare, first, second)

    def _compare(self, first: str, second: str) -> ComparisonView:
        runs = [self._context.runs.get(run) for run in (first, second)]
        old, new = sorted((run for run in runs if run is not None), key=lambda run: (run.started_at, run.run))
        results = [self._context.result(run.run) for run in (old, new)]
        measures = self._context.runs.measures([old.run, new.run])
        before = {test.test.id: test.verdict.value for test in results[0].tests}
        after = {test.test.id: test.verdict.value for test in results[1].tests}
        tests: list[ComparedTest] = [
            {"test": test, "before": before.get(test, ""), "after": after.get(test, "")}
            for test in sorted({*before, *after})
            if before.get(test) != after.get(test)
        ]
        there = [{defects.identity(view): view for view in defects.views(result, {})} for result in results]
        gone, fresh, same = _three_ways(*there)
        return {
            "a": history_entry(old, measures.get(old.run)),
            "b": history_entry(new, measures.get(new.run)),
            "sentence": _sentence(len(gone), len(fresh), before, after),
            "tests": tests,
            "defects_gone": gone,
            "defects_new": fresh,
            "defects_same": same,
        }


def _is_test(path: str) -> bool:
    """By its name alone; the analysis looks closer."""
    folders, _, name = path.rpartition("/")
    return name.startswith("test_") or name.endswith("_test.py") or "tests" in folders.split("/")


Found = Mapping[tuple[str, str, str], DefectView]


def _three_ways(old: Found, new: Found) -> tuple[list[DefectView], list[DefectView], list[DefectView]]:
    """Defects that are gone, new, and in both."""
    gone = [view for key, view in old.items() if key not in new]
    fresh = [view for key, view in new.items() if key not in old]
    return gone, fresh, [view for key, view in new.items() if key in old]


def _sentence(gone: int, fresh: int, before: Mapping[str, str], after: Mapping[str, str]) -> str:
    kept = [sum(verdict == "accepted" for verdict in side.values()) for side in (before, after)]
    tests = (
        f"{kept[1]} tests are kept instead of {kept[0]}"
        if kept[0] != kept[1]
        else f"{kept[1]} tests are kept in both"
    )
    if not gone and not fresh:
        return f"The suspected defects are the same; {tests}."
    parts = [f"{gone} suspected {'defect is' if gone == 1 else 'defects are'} gone"] if gone else []
    parts += [f"{fresh} {'is' if fresh == 1 else 'are'} new"] if fresh else []
    with contextlib.suppress(IndexError):
        parts[0] = parts[0] if gone else f"{fresh} suspected {'defect is' if fresh == 1 else 'defects are'} new"
    return f"{' and '.join(parts)}; {tests}."
