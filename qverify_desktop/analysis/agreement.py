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
    """Calls that the code of the scope's revision answers otherwise. Functions that it did not have are left out."""
    scope = steps.request.scope
    stable = [one.test for one in judged if one.verdict is TestVerdict.ACCEPTED or one.reason is Reason.NO_GAIN]
    if scope.kind != "changed" or not stable:
        return ()
    language = steps.services.language(project.language)

    async def body(context: StepContext) -> tuple[BehaviourChange, ...]:
        folder = steps.folder / FOLDER / project.language
        try:
            async with files_of(context.services, snapshot, steps.folder, scope.ref, folder) as before:
                failed = await _failing(context, language, before, stable, folder)
        except BadInput:
            # The revision was read before, when the scope was: what can't be laid out now was not compared.
            return ()
        by_id = {target.id: target for target in targets}
        told = {
            (one.test.target, one.test.call or one.test.id): _change(one, by_id[one.test.target], scope.ref)
            for one in reversed(failed)
            if one.test.target in by_id
        }
        changes = tuple(reversed(told.values()))
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

    steps.reporter.progress(Stage.TRIAGE, 0, 1, f"Comparing with {scope.ref}")
    return await steps.step(f"{project.language}.agreement", tuple[BehaviourChange, ...], body)


async def _failing(
    context: StepContext, language: Language, before: Snapshot, stable: Sequence[GeneratedTest], folder: Path
) -> list[Tried]:
    project = await asyncio.to_thread(language.detect, before)
    if project is None:
        return []
    known = {target.id for target in await asyncio.to_thread(language.targets, before, project)}
    left = [test for test in stable if test.target in known][:MOST]
    failed: list[Tried] = []
    for variation in TIMES:
        runs = await run_batch(context, language, project, left, variation, coverage=False, source=folder)
        failed = [one for one in runs.tried if _tells(one, language)]
        left = [one.test for one in failed]
    return failed


def _tells(one: Tried, language: Language) -> bool:
    """Whether a failure speaks of the code and not of the test, which may name what was not there."""
    outcome = one.outcomes[0] if one.outcomes else None
    return outcome is not None and outcome.status is Status.FAILED and not why_no_defect(outcome, one, language)


def _change(one: Tried, target: Target, revision: str) -> BehaviourChange:
    outcome = one.outcomes[0]
    return BehaviourChange(
        file=target.file,
        symbol=target.symbol,
        line=target.line,
        call=one.test.call or one.test.name,
        now=one.test.expected,
        before=outcome.observed or outcome.message,
        revision=revision,
        test=one.test.id,
        quote=one.test.quote,
    )
