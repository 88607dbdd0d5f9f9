"""Stage judge, second half: which small changes of the source do the tests notice?"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qverify_desktop.analysis.judge import Tried
from qverify_desktop.analysis.steps import StepContext, Steps
from qverify_desktop.domain.progress import Stage
from qverify_desktop.domain.project import Project, Snapshot, Target
from qverify_desktop.domain.testing import Mutant, MutantOutcome, MutantStatus, Status, SuiteResult

PER_TARGET = 10
MOST = 600
#: Mutants a container: its start is paid once, and a kill in mid-run costs this many.
CHUNK = 60
#: The fastest existing tests that reach a line stand for the suite.
EXISTING_TESTS = 15
DETECTED = (MutantStatus.KILLED, MutantStatus.TIMED_OUT)


@dataclass(frozen=True)
class Matrix:
    """Mutants that could be built, and for each the tests that noticed it."""

    mutants: tuple[Mutant, ...] = ()
    killed_by: Mapping[str, tuple[str, ...]] | None = None

    def killers(self, mutant: str) -> tuple[str, ...]:
        return (self.killed_by or {}).get(mutant, ())


async def run_mutants(
    steps: Steps,
    snapshot: Snapshot,
    project: Project,
    targets: Sequence[Target],
    baseline: SuiteResult,
    stable: Sequence[Tried],
) -> Matrix:
    """Run existing tests and candidates that passed five of five against mutants of the lines that they reach."""
    language = steps.services.language(project.language)
    existing = {
        o.id: baseline.footprints[o.id]
        for o in sorted(baseline.outcomes, key=lambda o: o.duration_ms)
        if o.status is Status.PASSED and o.id in baseline.footprints
    }
    reached: dict[str, frozenset[int]] = {}
    for footprint in [*existing.values(), *(t.footprint for t in stable)]:
        for file, lines in footprint.lines.items():
            reached[file] = reached.get(file, frozenset()) | lines
    mutants: list[Mutant] = []
    for target in targets:
        body_lines = frozenset(range(target.body_line, target.end_line + 1)) & reached.get(target.file, frozenset())
        if body_lines and len(mutants) < MOST:
            mutants += await asyncio.to_thread(
                language.mutants, snapshot, project, target, body_lines, min(PER_TARGET, MOST - len(mutants))
            )
    files = await asyncio.to_thread(language.render, [t.test for t in stable])

    def tests_for(mutant: Mutant) -> list[str]:
        old = [key for key, f in existing.items() if mutant.line in f.lines.get(mutant.file, frozenset())]
        new = [t.test.id for t in stable if mutant.line in t.footprint.lines.get(mutant.file, frozenset())]
        return old[:EXISTING_TESTS] + new

    chunks = [mutants[i : i + CHUNK] for i in range(0, len(mutants), CHUNK)]
    outcomes: list[MutantOutcome] = []
    for number in range(0, len(chunks), 2):

        async def body(
            context: StepContext, pair: Sequence[Sequence[Mutant]] = chunks[number : number + 2]
        ) -> list[MutantOutcome]:
            async def one(chunk: Sequence[Mutant]) -> list[MutantOutcome]:
                job = language.mutation_job(project, files, chunk, {m.id: tests_for(m) for m in chunk})
                return await asyncio.to_thread(language.read_mutation, chunk, await context.execute(job))

            found = [outcome for part in await asyncio.gather(*map(one, pair)) for outcome in part]
            context.record(
                "mutation",
                {
                    "mutants": len(found),
                    **{s.value: sum(o.status is s for o in found) for s in MutantStatus},
                },
            )
            return found

        done = min(number * CHUNK, len(mutants))
        steps.reporter.progress(Stage.JUDGE, done, len(mutants), f"{done} of {len(mutants)} mutants run")
        outcomes += await steps.step(f"{project.language}.mutants.{number // 2}", list[MutantOutcome], body)
    status = {outcome.mutant: outcome for outcome in outcomes}
    counted = tuple(
        m
        for m in mutants
        if m.id in status
        and status[m.id].status in (MutantStatus.KILLED, MutantStatus.TIMED_OUT, MutantStatus.SURVIVED)
    )
    return Matrix(counted, {m.id: _killers(status[m.id], tests_for(m)) for m in counted})


def _killers(outcome: MutantOutcome, tests: Sequence[str]) -> tuple[str, ...]:
    """A mutant that hangs is noticed by each test that reaches it, unless the run says which."""
    if outcome.status is MutantStatus.TIMED_OUT and not outcome.killed_by:
        return tuple(tests)
    return tuple(killer.partition("[")[0] for killer in outcome.killed_by) if outcome.status in DETECTED else ()
