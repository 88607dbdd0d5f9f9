"""Stage triage under ``changed:REF``: do the code as it was and the code as it is agree? Two versions of one function are two
implementations: a test of what the new one does that fails on the old one is a change of behaviour, meant or not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from qverify_desktop.analysis.judge import VARIATIONS, Tried, run_batch
from qverify_desktop.analysis.replay import files_of
from qverify_desktop.analysis.steps import StepContext, Steps
from qverify_desktop.analysis.triage import why_no_defect
from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.progress import Stage
from qverify_desktop.domain.project import Project, Snapshot, Target
from qverify_desktop.domain.results import BehaviourChange, JudgedTest, Reason, TestVerdict
from qverify_desktop.domain.testing import GeneratedTest, Status
from qverify_desktop.languages.base import Language

#: Tests that are run over the old code, and folder below the run's own in which it lies meanwhile.
MOST = 400
FOLDER = "before"
#: Runs that have to fail alike.
TIMES = VARIATIONS[:2]


async def find_changes(
    steps: Steps, snapshot: Snapshot, project: Project, targets: Sequence[Target], judged: Sequence[JudgedTest]
) -> Sequence[BehaviourChange]:
    """Calls that the code of the scope's revision answers otherwise: what holds now is run over the code as it was, and what the
    code as it was does is observed and run over the code as it is. Functions that it did not have are left out.
    """
    revision = steps.request.scope.ref
    if steps.request.scope.kind != "changed" or not targets:
        return ()
    language = steps.services.language(project.language)
    stable = [one.test for one in judged if one.verdict is TestVerdict.ACCEPTED or one.reason is Reason.NO_GAIN]

    async def body(context: StepContext) -> tuple[BehaviourChange, ...]:
        folder = steps.folder / FOLDER / project.language
        found: list[BehaviourChange] = []
        try:
            async with files_of(context.services, snapshot, steps.folder, revision, folder) as before:
                old = await asyncio.to_thread(language.detect, before)
                known = await asyncio.to_thread(language.targets, before, old) if old is not None else []
                both = _in_both(targets, known)
                if old is not None and both:
                    now = [test for test in stable if test.target in both][:MOST]
                    failed = await _failing(context, language, old, now, folder)
                    found += [
                        _change(one, both[one.test.target], revision, _answer(one), one.test.expected)
                        for one in failed
                    ]
                    then = await _observed(
                        context, language, before, old, [t for t in known if t.id in both], folder, steps.request.seed
                    )
                    failed = await _failing(context, language, project, then, None)
                    found += [
                        _change(one, both[one.test.target], revision, one.test.expected, _answer(one))
                        for one in failed
                    ]
        except BadInput:
            # The revision was read when the scope was; what can't be laid out now is not compared.
            pass
        changes = tuple({(one.file, one.symbol, one.call): one for one in reversed(found)}.values())[::-1]
        for change in changes:
            context.record(
                "behaviour_changed",
                {"file": change.file, "symbol": change.symbol, "test": change.test, "repetitions": len(TIMES)},
                {
                    key: getattr(change, key).encode("utf-8", "replace")
                    for key in ("call", "now", "before", "revision")
                },
            )
        return changes

    steps.reporter.progress(Stage.TRIAGE, 0, 1, f"Comparing with {revision}")
    return await steps.step(f"{project.language}.agreement", tuple[BehaviourChange, ...], body)


def _in_both(targets: Sequence[Target], known: Sequence[Target]) -> dict[str, Target]:
    then = {target.id for target in known}
    return {target.id: target for target in targets if target.id in then}


async def _observed(
    context: StepContext,
    language: Language,
    before: Snapshot,
    project: Project,
    targets: Sequence[Target],
    folder: Path,
    seed: int,
) -> list[GeneratedTest]:
    """Tests of what the code as it was does."""
    jobs = await asyncio.to_thread(language.observation_jobs, before, project, targets, seed)
    results = await asyncio.gather(*(context.execute(job, source=folder) for job in jobs))
    return (await asyncio.to_thread(language.read_observations, project, targets, results))[:MOST]


async def _failing(
    context: StepContext, language: Language, project: Project, tests: Sequence[GeneratedTest], source: Path | None
) -> list[Tried]:
    """Tests that fail each time by the code's own answer."""
    left, failed = list(tests), list[Tried]()
    for variation in TIMES:
        runs = await run_batch(context, language, project, left, variation, coverage=False, source=source)
        failed = [one for one in runs.tried if _tells(one, language)]
        left = [one.test for one in failed]
    return failed


def _tells(one: Tried, language: Language) -> bool:
    """Whether a failure speaks of the code and not of the test, which may name what is not there."""
    outcome = one.outcomes[0] if one.outcomes else None
    return outcome is not None and outcome.status is Status.FAILED and not why_no_defect(outcome, one, language)


def _answer(one: Tried) -> str:
    return one.outcomes[0].observed or one.outcomes[0].message


def _change(one: Tried, target: Target, revision: str, before: str, now: str) -> BehaviourChange:
    return BehaviourChange(
        file=target.file,
        symbol=target.symbol,
        line=target.line,
        call=one.test.call or one.test.name,
        now=now,
        before=before,
        revision=revision,
        test=one.test.id,
        quote=one.test.quote,
    )
