"""Stage triage, last part: what earlier runs suspected and this one does not. Is it fixed, or only not looked at?"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from qverify_desktop.analysis.earlier import RESULT_STEP, earlier_runs, value_of
from qverify_desktop.analysis.judge import REPETITIONS, VARIATIONS, Tried, run_batch
from qverify_desktop.analysis.services import Services
from qverify_desktop.analysis.steps import StepContext, Steps
from qverify_desktop.domain.progress import Stage
from qverify_desktop.domain.project import Project, Snapshot
from qverify_desktop.domain.results import EarlierRun, FixedBy, FixedDefect, RunResult, SuspectedDefect
from qverify_desktop.domain.testing import GeneratedTest, Quote, Status
from qverify_desktop.languages.base import Language

#: Earlier defects that are looked at again, newest run first.
MOST = 20


@dataclass(frozen=True)
class _Case:
    """An earlier defect, its test, and the newest run that suspected it."""

    defect: SuspectedDefect
    test: GeneratedTest
    run: EarlierRun


async def find_fixed(
    steps: Steps, snapshot: Snapshot, project: Project, defects: Sequence[SuspectedDefect]
) -> Sequence[FixedDefect]:
    """Run the tests of earlier suspected defects again; those that pass five of five are fixed."""
    language = steps.services.language(project.language)

    async def body(context: StepContext) -> tuple[FixedDefect, ...]:
        cases = await asyncio.to_thread(_cases, context.services, steps.request.source, project, defects)
        if not cases:
            return ()
        passed = await _passing(context, language, project, [case.test for case in cases])
        found = []
        for case in cases:
            by = FixedBy.CODE if case.test.id in passed else FixedBy.WORDS
            if by is FixedBy.WORDS and await asyncio.to_thread(_stand, snapshot, case.defect.evidence):
                continue
            found.append(FixedDefect(case.defect, case.run, by))
            context.record(
                "defect_fixed",
                {
                    "file": case.defect.file,
                    "symbol": case.defect.symbol,
                    "test": case.test.id,
                    "by": by.value,
                    "repetitions": REPETITIONS,
                    "relies_on": asdict(case.run),
                },
                {"code": case.test.code.encode("utf-8", "replace")},
            )
        return tuple(found)

    steps.reporter.progress(Stage.TRIAGE, 0, 1, "Looking again at what earlier runs suspected")
    return await steps.step(f"{project.language}.fixed", tuple[FixedDefect, ...], body)


def _cases(services: Services, source: str, project: Project, defects: Sequence[SuspectedDefect]) -> list[_Case]:
    """What earlier runs suspected in this project's files, each once, without what this run suspects or a later one saw
    fixed."""
    done = {(one.file, one.symbol, one.call) for one in defects}
    files = frozenset(project.source_files)
    cases: list[_Case] = []
    for run in earlier_runs(services, source):
        result = value_of(services, run.run, RESULT_STEP, RunResult)
        if result is None:
            continue
        done |= {_identity(one.defect) for one in result.fixed}
        tests = {judged.test.id: judged.test for judged in result.tests}
        for defect in result.defects:
            test = tests.get(defect.test)
            if _identity(defect) not in done and test is not None and defect.file in files:
                cases.append(_Case(defect, test, run))
            done.add(_identity(defect))
    return cases[:MOST]


def _identity(defect: SuspectedDefect) -> tuple[str, str, str]:
    return defect.file, defect.symbol, defect.call


async def _passing(
    context: StepContext, language: Language, project: Project, tests: Sequence[GeneratedTest]
) -> frozenset[str]:
    """Ids of the tests that pass in each of the five variations. A test whose file can't be loaded is run by itself once
    more, because another in the same file may be the reason."""
    together = await _outcomes(context, language, project, tests)
    alone = [test for test in tests if len(tests) > 1 and any(t.collection_error for t in together[test.id])]
    for test in alone:
        together |= await _outcomes(context, language, project, [test])
    return frozenset(
        id_
        for id_, runs in together.items()
        if all(t.outcomes and _passed(t) for t in runs) and len(runs) == REPETITIONS
    )


def _passed(tried: Tried) -> bool:
    return all(outcome.status is Status.PASSED for outcome in tried.outcomes)


async def _outcomes(
    context: StepContext, language: Language, project: Project, tests: Sequence[GeneratedTest]
) -> dict[str, list[Tried]]:
    runs = await asyncio.gather(
        *(run_batch(context, language, project, tests, variation, coverage=False) for variation in VARIATIONS)
    )
    found: dict[str, list[Tried]] = {test.id: [] for test in tests}
    for run in runs:
        for tried in run.tried:
            found[tried.test.id].append(tried)
    return found


def _stand(snapshot: Snapshot, quote: Quote) -> bool:
    """Whether the quoted words still stand in their file, white space aside."""
    if quote.file not in snapshot.files:
        return False
    try:
        content = Path(snapshot.root).joinpath(*quote.file.split("/")).read_bytes()
    except OSError:
        return True
    return "".join(quote.text.split()) in "".join(content.decode("utf-8", "replace").split())
