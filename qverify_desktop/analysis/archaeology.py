"""Stage triage, second half: since when does the code contradict its words? A defect's test is replayed through the history.

The commits along first parents are bisected, first those that changed the target's file, then all between the last one that
held and the first broken one, because what a function calls may have changed elsewhere.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from qverify_desktop.analysis.judge import read_tried
from qverify_desktop.analysis.replay import files_of
from qverify_desktop.analysis.steps import StepContext, Steps
from qverify_desktop.analysis.threads import in_stoppable_thread
from qverify_desktop.analysis.triage import why_no_defect
from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.progress import Stage
from qverify_desktop.domain.project import Commit, Project, Snapshot
from qverify_desktop.domain.results import DefectHistory, JudgedTest, Past, SuspectedDefect
from qverify_desktop.domain.testing import GeneratedTest, Status
from qverify_desktop.languages.base import Language

#: Folder below the run's own in which earlier commits are laid out.
FOLDER = "history"
#: Defects that are looked into, most confident first; runs for each; seconds after which no further run begins.
MOST_DEFECTS = 5
MOST_RUNS = 12
PATIENCE_S = 240
#: Commits that are looked back at.
MOST_COMMITS = 2_000
#: Seconds one replay may take, and one that is built first.
REPLAY_S = 60
BUILD_AND_REPLAY_S = 180
#: Defects whose history is replayed side by side, each with one copy of the repository's files.
SIDE_BY_SIDE = 2


class Seen(Enum):
    """What a commit says to the test. ``ABSENT``: nothing, because the test can't be run there."""

    HOLDS = "holds"
    BROKEN = "broken"
    ABSENT = "absent"


Look = Callable[[int], Awaitable[Seen]]


class _Enough(Exception):
    """No further run may begin."""


class Search:
    """One bisection. Commits are known by number, 0 is the newest; ``look`` runs the test in one of them.

    ``changed`` are the numbers of those that changed the target's file, ascending.
    """

    def __init__(self, look: Look, changed: Sequence[int], most: int, until: float) -> None:
        self._look = look
        self._changed = changed
        self._most = most
        self._until = until
        self.known: dict[int, Seen] = {}

    async def run(self) -> None:
        """Fill ``known`` until the first broken commit is found, or no run is left."""
        try:
            if await self._at(0) is not Seen.BROKEN:
                return
            places = sorted({0, *self._changed})
            last, before = await self._bisect(places)
            if before is None or self.known[before] is not Seen.HOLDS:
                held = await self._search_held(places, last, before)
                if held is None:
                    return
                last, before = await self._bisect([self._newest_broken(held), *_between(places, last, held), held])
            if before is not None and self.known[before] is Seen.HOLDS:
                await self._narrow(last, before)
        except _Enough:
            return

    def borders(self) -> tuple[int | None, int | None]:
        """The newest commit that held and the oldest broken one that is newer, each ``None`` where there is none."""
        held = min((n for n, seen in self.known.items() if seen is Seen.HOLDS), default=None)
        broken = [n for n, seen in self.known.items() if seen is Seen.BROKEN and (held is None or n < held)]
        return held, max(broken, default=None)

    async def _at(self, number: int) -> Seen:
        if number not in self.known:
            if len(self.known) >= self._most or time.monotonic() > self._until:
                raise _Enough
            self.known[number] = await self._look(number)
        return self.known[number]

    async def _bisect(self, places: Sequence[int]) -> tuple[int, int | None]:
        """The oldest broken one of ``places``, whose first is broken, and the place after it (``None`` at the end)."""
        broken, other = 0, len(places)
        while other - broken > 1:
            middle = (broken + other) // 2
            if await self._at(places[middle]) is Seen.BROKEN:
                broken = middle
            else:
                other = middle
        return places[broken], places[other] if other < len(places) else None

    async def _search_held(self, places: Sequence[int], last: int, before: int | None) -> int | None:
        """One that held: further back, in growing steps, then among the newer ones that were jumped over."""
        older = [n for n in places if before is not None and n > before]
        steps = (n - 1 for n in (1, 2, 4, 8, 16, 32, 64) if n <= len(older))
        newer = [n for n in places if n < last]
        for number in (*(older[step] for step in steps), *newer):
            if await self._at(number) is Seen.HOLDS:
                return number
        return None

    def _newest_broken(self, held: int) -> int:
        return max(n for n, seen in self.known.items() if seen is Seen.BROKEN and n < held)

    async def _narrow(self, broken: int, held: int) -> None:
        """Between two that changed the file others may lie; mostly the one right before the broken one held."""
        if broken + 1 < held and await self._at(broken + 1) is not Seen.HOLDS:
            await self._bisect(
                [broken + 1 if self.known[broken + 1] is Seen.BROKEN else broken, *range(broken + 2, held)]
            )


def _between(places: Sequence[int], newer: int, older: int) -> list[int]:
    return [n for n in places if newer < n < older]


@dataclass(frozen=True)
class _Case:
    """A defect, its test and its target's file."""

    defect: SuspectedDefect
    test: GeneratedTest


async def trace_defects(
    steps: Steps,
    snapshot: Snapshot,
    project: Project,
    judged: Sequence[JudgedTest],
    defects: Sequence[SuspectedDefect],
) -> list[SuspectedDefect]:
    """The same defects, the most confident ones with their history. A step of its own."""
    if not defects:
        return []
    tests = {one.test.id: one.test for one in judged}
    language = steps.services.language(project.language)
    cases = [_Case(d, tests[d.test]) for d in defects if d.test in tests][:MOST_DEFECTS]

    async def body(context: StepContext) -> dict[str, DefectHistory]:
        until = time.monotonic() + PATIENCE_S
        free = asyncio.Semaphore(SIDE_BY_SIDE)

        async def one(number: int, case: _Case) -> DefectHistory:
            async with free:
                return await _trace(context, language, snapshot, case, steps.folder, number, until)

        try:
            found = await asyncio.gather(*(one(number, case) for number, case in enumerate(cases)))
        finally:
            shutil.rmtree(steps.folder / FOLDER, ignore_errors=True)
        for case, history in zip(cases, found, strict=True):
            commit = history.commit
            context.record(
                "defect_history",
                {
                    "file": case.defect.file,
                    "symbol": case.defect.symbol,
                    "test": case.test.id,
                    "state": history.state.value,
                    "commit": commit.id if commit else "",
                    "held": history.held.id if history.held else "",
                    "between": history.between,
                    "tried": history.tried,
                },
                {"subject": commit.subject.encode()} if commit and commit.subject else {},
            )
        return {case.test.id: history for case, history in zip(cases, found, strict=True)}

    steps.reporter.progress(Stage.TRIAGE, 0, len(cases), "Looking in the history for when it broke")
    histories = await steps.step(f"{project.language}.history", dict[str, DefectHistory], body)
    return [replace(defect, history=histories.get(defect.test)) for defect in defects]


async def _trace(
    context: StepContext,
    language: Language,
    snapshot: Snapshot,
    case: _Case,
    workspace: Path,
    number: int,
    until: float,
) -> DefectHistory:
    repositories = context.services.repositories
    commits = await in_stoppable_thread(
        lambda stop: repositories.history(workspace, "", MOST_COMMITS, stop) if snapshot.commit else []
    )
    touching = await in_stoppable_thread(
        lambda stop: repositories.history(workspace, case.defect.file, MOST_COMMITS, stop) if commits else []
    )
    numbers = {commit.id: number for number, commit in enumerate(commits)}
    changed = sorted(numbers[commit.id] for commit in touching if commit.id in numbers)
    if not changed:
        return DefectHistory(Past.NO_HISTORY)

    async def look(place: int) -> Seen:
        return await _replay(context, language, snapshot, case, workspace, commits[place], folder)

    folder = workspace / FOLDER / str(number)

    search = Search(look, changed, MOST_RUNS, until)
    if not snapshot.dirty_patch:
        # The files that were just judged are those of the newest commit.
        search.known[0] = Seen.BROKEN
    await search.run()
    return _history(search, commits)


def _history(search: Search, commits: Sequence[Commit]) -> DefectHistory:
    held, broken = search.borders()
    tried = sum(seen is not Seen.ABSENT for seen in search.known.values())
    if held == 0:
        return DefectHistory(Past.UNCOMMITTED, held=commits[0], tried=tried)
    if broken is None:
        return DefectHistory(Past.UNKNOWN, tried=tried)
    if held is None:
        return DefectHistory(Past.NEVER_HELD, commit=commits[broken], tried=tried)
    return DefectHistory(Past.BROKEN_SINCE, commits[broken], commits[held], held - broken - 1, tried)


async def _replay(
    context: StepContext,
    language: Language,
    snapshot: Snapshot,
    case: _Case,
    workspace: Path,
    commit: Commit,
    folder: Path,
) -> Seen:
    """Run the test over the files of a commit, with the packages that the run has now."""
    try:
        async with files_of(context.services, snapshot, workspace, commit.id, folder) as then:
            project = await asyncio.to_thread(language.detect, then)
            if project is None or case.defect.file not in then.files:
                return Seen.ABSENT
            job = language.suite_job(project, language.render([case.test]), only=(case.test.id,), coverage=False)
            most_s = BUILD_AND_REPLAY_S if language.compiled else REPLAY_S
            limits = replace(job.limits, timeout_s=min(most_s, job.limits.timeout_s))
            result = await context.execute(replace(job, purpose="history", limits=limits), source=folder)
            suite = await asyncio.to_thread(language.read_suite, project, result)
    except BadInput:
        return Seen.ABSENT
    tried = read_tried([case.test], suite).get(case.test.id)
    if tried is None or not tried.outcomes:
        return Seen.ABSENT
    outcome = tried.outcomes[0]
    if outcome.status is Status.PASSED:
        return Seen.HOLDS
    broken = outcome.status is Status.FAILED and not why_no_defect(outcome, tried, language)
    return Seen.BROKEN if broken else Seen.ABSENT
