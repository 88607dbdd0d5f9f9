"""Stage judge, second half: which small changes of the source do the tests notice?"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import cached_property

from qverify_desktop.analysis.judge import Tried
from qverify_desktop.analysis.steps import StepContext, Steps
from qverify_desktop.domain.progress import Stage
from qverify_desktop.domain.project import Project, Snapshot, Target
from qverify_desktop.domain.testing import Footprint, Mutant, MutantOutcome, MutantStatus, Status, SuiteResult
from qverify_desktop.languages.base import Language

PER_TARGET = 10
#: Mutants a container: its start is paid once, and a kill in mid-run costs this many.
CHUNK = 60
#: The fastest existing tests that reach a line stand for the suite.
EXISTING_TESTS = 15
DETECTED = (MutantStatus.KILLED, MutantStatus.TIMED_OUT)
COUNTED = (*DETECTED, MutantStatus.SURVIVED)


@dataclass(frozen=True)
class RunMutant:
    """A mutant with the tests that it was run against, and what came of it over all those runs."""

    mutant: Mutant
    tests: tuple[str, ...]
    outcome: MutantOutcome

    def killers(self) -> tuple[str, ...]:
        """A mutant that hangs is noticed by each test that reaches it, unless the run says which."""
        if self.outcome.status is MutantStatus.TIMED_OUT and not self.outcome.killed_by:
            return self.tests
        if self.outcome.status not in DETECTED:
            return ()
        return tuple(killer.partition("[")[0] for killer in self.outcome.killed_by)

    def among(self, tests: Sequence[str]) -> RunMutant | None:
        """The same where only some of its tests are left; ``None`` where nothing is known then."""
        left = tuple(test for test in self.tests if test in frozenset(tests))
        if self.outcome.status not in DETECTED:
            return replace(self, tests=left) if left else None
        killers = tuple(killer for killer in self.killers() if killer in left)
        return RunMutant(self.mutant, left, replace(self.outcome, killed_by=killers)) if killers else None

    def and_then(self, tests: Sequence[str], outcome: MutantOutcome) -> RunMutant:
        """A survivor was run again, against further tests."""
        if outcome.status not in COUNTED:
            return self
        return RunMutant(self.mutant, (*self.tests, *tests), outcome)


@dataclass(frozen=True)
class Matrix:
    """Mutants that could be built, and for each the tests that noticed it."""

    mutants: tuple[Mutant, ...] = ()
    killed_by: Mapping[str, tuple[str, ...]] | None = None

    @classmethod
    def of(cls, known: Iterable[RunMutant]) -> Matrix:
        """Those that count: killed, hung or survived."""
        counted = [one for one in known if one.outcome.status in COUNTED]
        return cls(tuple(one.mutant for one in counted), {one.mutant.id: one.killers() for one in counted})

    def killers(self, mutant: str) -> tuple[str, ...]:
        return (self.killed_by or {}).get(mutant, ())

    @cached_property
    def noticed(self) -> Mapping[str, frozenset[str]]:
        """The mutants that each test noticed."""
        found: dict[str, set[str]] = {}
        for mutant in self.mutants:
            for test in self.killers(mutant.id):
                found.setdefault(test, set()).add(mutant.id)
        return {test: frozenset(mutants) for test, mutants in found.items()}


async def run_mutants(
    steps: Steps,
    snapshot: Snapshot,
    project: Project,
    targets: Sequence[Target],
    baseline: SuiteResult,
    stable: Sequence[Tried],
    known: Mapping[str, RunMutant],
    part: str,
) -> dict[str, RunMutant]:
    """Run existing tests and candidates that passed five of five against mutants of the lines that they reach.

    What is ``known`` of a mutant is not run again: only survivors are, against tests that are new to them. ``part`` begins the
    names of the steps. Answers all mutants of these targets by id.
    """
    language = steps.services.language(project.language)
    existing = {
        o.id: baseline.footprints[o.id]
        for o in sorted(baseline.outcomes, key=lambda o: o.duration_ms)
        if o.status is Status.PASSED and o.id in baseline.footprints
    }
    tests = _Reaching({target.file for target in targets}, existing, {t.test.id: t.footprint for t in stable})
    by_target: dict[str, list[Mutant]] = {}
    for one in known.values():
        by_target.setdefault(one.mutant.target, []).append(one.mutant)
    found: dict[str, RunMutant] = {}
    waiting: list[tuple[Mutant, list[str]]] = []
    for target in targets:
        body_lines = frozenset(range(target.body_line, target.end_line + 1)) & tests.lines(target.file)
        if not body_lines:
            continue
        made = by_target.get(target.id, [])
        if not made:
            made = await asyncio.to_thread(language.mutants, snapshot, project, target, body_lines, PER_TARGET)
        for mutant in made:
            earlier = known.get(mutant.id)
            wanted = tests.of(mutant, earlier.tests if earlier else ())
            before = earlier.among(wanted) if earlier else None
            more = [test for test in wanted if before is None or test not in frozenset(before.tests)]
            if before is not None:
                found[mutant.id] = before
            if more and (before is None or before.outcome.status is MutantStatus.SURVIVED):
                waiting.append((mutant, more))
    needed = {test for _, more in waiting for test in more}
    rendered = await asyncio.to_thread(language.render, [t.test for t in stable if t.test.id in needed])
    chunks = [waiting[i : i + CHUNK] for i in range(0, len(waiting), CHUNK)]
    for number in range(0, len(chunks), 2):
        pair = chunks[number : number + 2]
        done = min(number * CHUNK, len(waiting))
        steps.reporter.progress(Stage.JUDGE, done, len(waiting), f"{done} of {len(waiting)} mutants run")
        step = f"{part}.mutants.{number // 2}"
        outcomes = {o.mutant: o for o in await _run_chunks(steps, language, project, rendered, pair, step)}
        for mutant, more in (one for chunk in pair for one in chunk):
            outcome, standing = outcomes.get(mutant.id), found.get(mutant.id)
            if outcome is not None:
                fresh = RunMutant(mutant, tuple(more), outcome)
                found[mutant.id] = fresh if standing is None else standing.and_then(more, outcome)
    return found


#: Mutants with the tests that each is to be run against.
_Chunk = Sequence[tuple[Mutant, list[str]]]


async def _run_chunks(
    steps: Steps, language: Language, project: Project, files: Mapping[str, str], chunks: Sequence[_Chunk], step: str
) -> list[MutantOutcome]:
    """Each chunk in a container of its own, side by side, as one step."""

    async def body(context: StepContext) -> list[MutantOutcome]:
        async def one(chunk: _Chunk) -> list[MutantOutcome]:
            mutants = [mutant for mutant, _ in chunk]
            job = language.mutation_job(project, files, mutants, {mutant.id: tests for mutant, tests in chunk})
            return await asyncio.to_thread(language.read_mutation, mutants, await context.execute(job))

        came = [outcome for some in await asyncio.gather(*map(one, chunks)) for outcome in some]
        counts = {status.value: sum(o.status is status for o in came) for status in MutantStatus}
        context.record("mutation", {"mutants": len(came), **counts})
        return came

    return await steps.step(step, list[MutantOutcome], body)


class _Reaching:
    """Which tests reach a line of some files. The project's own tests come first, the fastest of them only."""

    def __init__(
        self, files: AbstractSet[str], existing: Mapping[str, Footprint], new: Mapping[str, Footprint]
    ) -> None:
        self._own = self._index(files, existing)
        self._new = self._index(files, new)
        lines: dict[str, set[int]] = {}
        for file, line in (*self._own, *self._new):
            lines.setdefault(file, set()).add(line)
        self._lines = {file: frozenset(found) for file, found in lines.items()}

    @staticmethod
    def _index(files: AbstractSet[str], footprints: Mapping[str, Footprint]) -> dict[tuple[str, int], list[str]]:
        found: dict[tuple[str, int], list[str]] = {}
        for test, footprint in footprints.items():
            for file in files & footprint.lines.keys():
                for line in footprint.lines[file]:
                    found.setdefault((file, line), []).append(test)
        return found

    def lines(self, file: str) -> frozenset[int]:
        return self._lines.get(file, frozenset())

    def of(self, mutant: Mutant, asked: Collection[str]) -> list[str]:
        """Of the project's own tests those that were ``asked`` before rather than others: the fastest are never quite the same."""
        place = (mutant.file, mutant.line)
        own = sorted(self._own.get(place, []), key=lambda test: test not in asked)
        return own[:EXISTING_TESTS] + self._new.get(place, [])
