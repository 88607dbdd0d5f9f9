"""Stage judge, last look: what contradicts the repository's words five of five is run once more with nothing beside it.

Examples set things that outlive them (a replaced random source, a registered plug-in, a changed default), and what runs after them in one
process sees it. Such a failure says nothing of the code, and five orders do not always show it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from qverify_desktop.analysis.judge import Runs, Tried, run_batch
from qverify_desktop.analysis.steps import StepContext, Steps
from qverify_desktop.analysis.triage import why_no_defect
from qverify_desktop.domain.project import Project
from qverify_desktop.domain.testing import GeneratedTest
from qverify_desktop.languages.base import Language, RunVariation

#: Containers at most; of more tests several share one.
MOST_CONTAINERS = 40
#: Another year, day and weekday than today, and five hours and seventeen minutes more.
DAYS = 401
#: The variation that they run under: nothing that an example would mind but a seed of its own, for what is drawn at random, and
#: another day, for what is asked of the clock, and another folder, for what is asked of the disk.
PLAIN = RunVariation(
    hash_seed=31337, time_zone="UTC0", locale="C.UTF-8", clock_s=DAYS * 86_400 + 19_020, elsewhere=True
)


def disputed(runs: Runs, language: Language) -> list[GeneratedTest]:
    """The tests that would become suspected defects."""
    return [
        one.test
        for one in runs.tried
        if one.failed_alike and one.test.quote is not None and why_no_defect(one.outcomes[0], one, language) is None
    ]


def shares(tests: Sequence[GeneratedTest]) -> list[list[GeneratedTest]]:
    """One test each, or as few together as the number of containers allows, those of one file apart from each other."""
    ordered = sorted(tests, key=lambda test: test.path)
    return [list(ordered[start::MOST_CONTAINERS]) for start in range(min(MOST_CONTAINERS, len(ordered)))]


def settled(runs: Runs, again: Sequence[Tried]) -> Runs:
    """The runs with what was seen alone in the place of the last outcome where the two differ, so that it counts as unsteady."""
    alone = {one.test.id: one.outcomes[0] for one in again if one.outcomes}

    def seen(one: Tried) -> Tried:
        outcome = alone.get(one.test.id)
        last = one.outcomes[-1] if one.outcomes else None
        if outcome is None or last is None:
            return one
        same = (outcome.status, outcome.raised, outcome.observed) == (last.status, last.raised, last.observed)
        return one if same else replace(one, outcomes=(*one.outcomes[:-1], outcome))

    return replace(runs, tried=tuple(seen(one) for one in runs.tried))


async def confirm(steps: Steps, project: Project, runs: Runs, part: str) -> Runs:
    """Run what would be suspected once more, alone. ``part`` begins the name of the step."""
    language = steps.services.language(project.language)
    tests = await asyncio.to_thread(disputed, runs, language)
    if not tests:
        return runs

    async def once(context: StepContext) -> Runs:
        found = await asyncio.gather(
            *(run_batch(context, language, project, share, PLAIN, coverage=False) for share in shares(tests))
        )
        return Runs(tuple(one for run in found for one in run.tried))

    again = await steps.step(f"{part}.judge.alone", Runs, once)
    return settled(runs, again.tried)
