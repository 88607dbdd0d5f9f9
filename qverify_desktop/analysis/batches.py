"""Stages generate and judge for one batch of targets after another, so that time and memory per target stay the same.

It stops after the batch in which the time is used up, and no longer tries hard where two batches in a row gained nothing; the repository's own
words are held to the code for every target all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qverify_desktop.analysis import following
from qverify_desktop.analysis.alone import confirm
from qverify_desktop.analysis.baseline import Baseline, uncovered_lines
from qverify_desktop.analysis.decide import decide
from qverify_desktop.analysis.generate import Allowance, Candidates, from_promises, from_survivors, write_tests
from qverify_desktop.analysis.judge import Runs, Tried, screen, try_tests
from qverify_desktop.analysis.kept import Kept
from qverify_desktop.analysis.mutation import Matrix, RunMutant, run_mutants
from qverify_desktop.analysis.steps import Steps
from qverify_desktop.domain.progress import Stage
from qverify_desktop.domain.project import Project, Snapshot, Target
from qverify_desktop.domain.results import JudgedTest, Reason, TestVerdict
from qverify_desktop.domain.testing import GeneratedTest, Origin

#: Targets a batch: enough to share the starts of containers; fewer where time is short, because it is looked at in between.
BATCH = 50
BATCH_IN_A_HURRY = 15
#: Batches in a row without gain after which only the repository's own words are tried.
DRY = 2


@dataclass(frozen=True)
class Trial:
    """All candidates after their runs; ``refused`` never got that far. ``whole`` are the targets that were analysed to their
    end, ``left`` those that nobody looked at because the time was used up, ``words_only`` those of which only the words were
    tried.
    """

    tried: tuple[Tried, ...]
    refused: tuple[JudgedTest, ...]
    mutants: Mapping[str, RunMutant]
    whole: frozenset[str]
    left: int = 0
    words_only: int = 0
    notices: tuple[str, ...] = ()

    @property
    def matrix(self) -> Matrix:
        return Matrix.of(self.mutants.values())


async def judge_in_batches(
    steps: Steps,
    snapshot: Snapshot,
    project: Project,
    targets: Sequence[Target],
    baseline: Baseline,
    unchanged: Kept,
) -> Trial:
    """Write and judge tests for these targets, but for those that are taken over from earlier runs."""
    language = steps.services.language(project.language)
    coverage = baseline.suite.coverage
    fresh = [t for t in targets if t.id not in unchanged.keys]
    tried, refused = list(unchanged.tried), list(unchanged.refused)
    mutants = {one.mutant.id: one for one in unchanged.mutants}
    whole: set[str] = set()
    mutated: set[str] = set()
    notices: list[str] = []
    allowance = Allowance(sum(bool(uncovered_lines(t, coverage)) for t in fresh))
    budget_ms = steps.request.time_budget_s * 1000
    size = BATCH_IN_A_HURRY if budget_ms else BATCH
    at = number = dry = 0
    words_only = 0
    words = await from_promises(steps, snapshot, project, targets)
    while at < len(fresh) and not (number and budget_ms and steps.spent.elapsed_ms > budget_ms):
        only = dry >= DRY
        batch = fresh[at : at + size * 4] if only else fresh[at : at + size]
        at, part = at + len(batch), f"{project.language}.{number}"
        number += 1
        promised = Candidates(tuple(test for t in batch if t.id in words for test in words[t.id].tests))
        candidates = await write_tests(
            steps, snapshot, project, batch, coverage, promised, allowance, part, words_only=only
        )
        following.written(steps.reporter, candidates.tests)
        steps.reporter.started(Stage.JUDGE)
        known = {one.test.id for one in tried}
        kept, not_run = await screen(language, [t for t in candidates.tests if t.id not in known])
        runs = await _run(steps, project, kept, part)
        tried += runs.tried
        refused += [*candidates.refused, *not_run]
        notices += [*candidates.notices, *(f"Some tests could not be run. {problem}" for problem in runs.problems)]
        if only:
            words_only += len(batch)
        else:
            stable = [t for t in tried if t.passed]
            mutated |= {t.id for t in batch}
            mutants |= await run_mutants(steps, snapshot, project, batch, baseline.suite, stable, mutants, part)
            more = await from_survivors(
                steps, snapshot, project, batch, mutants.values(), _by_model(runs.tried), allowance, part
            )
            if more != Candidates():
                again, late = await _judge_more(steps, project, more, tried, part)
                tried += again.tried
                refused += late
                notices += [*more.notices, *again.problems]
                stable += [t for t in again.tried if t.passed]
                further = f"{part}.survivors"
                mutants |= await run_mutants(
                    steps, snapshot, project, batch, baseline.suite, stable, mutants, further
                )
                runs = Runs((*runs.tried, *again.tried), (*runs.problems, *again.problems))
            if not candidates.notices and not runs.problems:
                whole |= {t.id for t in batch}
        judged, disputed = await asyncio.to_thread(decide, tried, coverage, Matrix.of(mutants.values()), language)
        new = {one.test.id for one in runs.tried}
        gained = any(one.verdict is TestVerdict.ACCEPTED and one.test.id in new for one in judged)
        dry = 0 if gained or any(one.test.id in new for one in disputed) else dry + 1
        stopped = {one.test.target for one in judged if one.reason is Reason.INFRASTRUCTURE}
        whole -= stopped
        steps.reporter.progress(Stage.JUDGE, at, len(fresh), f"{at} of {len(fresh)} functions judged")
    stable = [t for t in tried if t.passed]
    if unchanged.keys or number > 1:
        # Later tests may notice what survived those before them.
        looked_at = [t for t in targets if t.id in unchanged.keys or t.id in mutated]
        part = f"{project.language}.all"
        mutants = await run_mutants(steps, snapshot, project, looked_at, baseline.suite, stable, mutants, part)
    steps.reporter.finished(
        Stage.JUDGE, f"{len(stable)} of {len(tried) + len(refused)} passed five of five; {len(mutants)} mutants run"
    )
    # The order of the targets, whichever of them were taken over: who comes first gets the gain.
    order = {target.id: place for place, target in enumerate(targets)}
    tried.sort(key=lambda one: order.get(one.test.target, len(order)))
    refused.sort(key=lambda one: order.get(one.test.target, len(order)))
    return Trial(
        tuple(tried),
        tuple(refused),
        mutants,
        frozenset(whole),
        left=len(fresh) - at,
        words_only=words_only,
        notices=tuple(dict.fromkeys([*notices, *_stopped(len(fresh), len(fresh) - at, words_only)])),
    )


async def _run(steps: Steps, project: Project, tests: Sequence[GeneratedTest], part: str) -> Runs:
    if not tests:
        return Runs(())
    return await confirm(steps, project, await try_tests(steps, project, tests, part), part)


def _by_model(tried: Sequence[Tried]) -> set[str]:
    """Targets for which the model wrote a test that passed."""
    return {one.test.target for one in tried if one.passed and one.test.origin is Origin.MODEL}


async def _judge_more(
    steps: Steps, project: Project, more: Candidates, tried: Sequence[Tried], part: str
) -> tuple[Runs, list[JudgedTest]]:
    """Candidates that came after their batch was judged, run as all others are."""
    known = {one.test.id for one in tried}
    language = steps.services.language(project.language)
    kept, not_run = await screen(language, [t for t in more.tests if t.id not in known])
    runs = await _run(steps, project, kept, f"{part}.survivors")
    return runs, [*more.refused, *not_run]


def _stopped(fresh: int, left: int, words_only: int) -> list[str]:
    told = []
    if words_only:
        told.append(
            f"Two batches of functions in a row gained nothing, so of {words_only} further ones only the repository's own "
            "words were tried."
        )
    if left:
        told.append(f"The time budget was used up: {left} of {fresh} functions were not looked at.")
    return told
