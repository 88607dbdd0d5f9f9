"""Stage report, last half: the parts of all languages become one result with one verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from qverify_desktop.analysis.baseline import Baseline
from qverify_desktop.analysis.earlier import RESULT_STEP
from qverify_desktop.analysis.steps import StepContext, Steps
from qverify_desktop.analysis.verdict import sentence_of, verdict_of
from qverify_desktop.domain.project import MissingDependency, SkippedPath, Snapshot
from qverify_desktop.domain.results import (
    BehaviourChange,
    EarlierRun,
    FixedDefect,
    Fraction,
    JudgedTest,
    Measure,
    RunResult,
    SuspectedDefect,
)

#: Said in reports of a run that took everything over.
NOTHING_CHANGED = (
    "Nothing has changed since an earlier run, so its findings were taken over; --fresh analyses all again."
)


@dataclass(frozen=True)
class Part:
    """What the analysis of one language's project in the snapshot came to."""

    language: str
    image_digest: str
    baseline: Baseline
    targets: int
    reused: int
    complete: bool
    tests: tuple[JudgedTest, ...]
    defects: tuple[SuspectedDefect, ...]
    fixed: tuple[FixedDefect, ...]
    changes: tuple[BehaviourChange, ...]
    before: Measure
    after: Measure
    missing: tuple[MissingDependency, ...]
    unreadable: tuple[SkippedPath, ...]
    notices: tuple[str, ...]
    files: Mapping[str, str]
    expected_failures: Mapping[str, str]


async def conclude(
    steps: Steps, snapshot: Snapshot, parts: Sequence[Part], notices: Sequence[str], started_at: str
) -> RunResult:
    tests = tuple(t for part in parts for t in part.tests)
    defects = tuple(sorted((d for part in parts for d in part.defects), key=lambda d: -d.confidence))
    targets = sum(part.targets for part in parts)
    before, after = _total([p.before for p in parts]), _total([p.after for p in parts])

    async def body(context: StepContext) -> RunResult:
        trustworthy = all(part.baseline.trustworthy for part in parts)
        verdict = verdict_of(tests, defects, targets, trustworthy)
        result = RunResult(
            run=steps.run,
            request=replace(steps.request, source=snapshot.origin),
            verdict=verdict,
            sentence=sentence_of(verdict, tests, defects, targets, before, after),
            origin=snapshot.origin,
            commit=snapshot.commit,
            tree=snapshot.tree,
            languages=tuple(part.language for part in parts),
            image_digest=parts[0].image_digest,
            baseline=" ".join(part.baseline.sentence for part in parts),
            targets=targets,
            tests=tests,
            defects=defects,
            fixed=tuple(f for part in parts for f in part.fixed),
            changes=tuple(c for part in parts for c in part.changes),
            reused_targets=sum(part.reused for part in parts),
            before=before,
            after=after,
            missing=tuple(m for part in parts for m in part.missing),
            skipped=snapshot.skipped + tuple(path for part in parts for path in part.unreadable),
            notices=(*notices, *(n for part in parts for n in part.notices)),
            cost_microusd=steps.spent.cost_microusd,
            duration_ms=steps.spent.elapsed_ms,
            sandbox_ms=steps.spent.sandbox_ms,
            model_ms=steps.spent.model_ms,
            started_at=started_at,
            files={path: text for part in parts for path, text in part.files.items()},
            expected_failures={p: text for part in parts for p, text in part.expected_failures.items()},
        )
        context.record("verdict", _verdict_data(result))
        return result

    return await steps.step(RESULT_STEP, RunResult, body)


def _verdict_data(result: RunResult) -> dict[str, object]:
    return {
        "verdict": result.verdict.value,
        "accepted": len(result.accepted),
        "tests": len(result.tests),
        "suspected": len(result.defects),
        "lines_before": [result.before.lines.part, result.before.lines.whole],
        "lines_after": [result.after.lines.part, result.after.lines.whole],
        "branches_before": [result.before.branches.part, result.before.branches.whole],
        "branches_after": [result.after.branches.part, result.after.branches.whole],
        "mutants_before": [result.before.mutants.part, result.before.mutants.whole],
        "mutants_after": [result.after.mutants.part, result.after.mutants.whole],
        "cost_microusd": result.cost_microusd,
    }


def _total(measures: Sequence[Measure]) -> Measure:
    def add(pick: str) -> Fraction:
        chosen = [getattr(m, pick) for m in measures]
        return Fraction(sum(f.part for f in chosen), sum(f.whole for f in chosen))

    return Measure(add("lines"), add("branches"), add("mutants"))


async def take_over(
    steps: Steps, snapshot: Snapshot, earlier: RunResult, source: EarlierRun, started_at: str
) -> RunResult:
    """All that a run over the same tree found, under the same request, in the same images."""

    async def body(context: StepContext) -> RunResult:
        result = replace(
            earlier,
            run=steps.run,
            request=replace(steps.request, source=snapshot.origin),
            fixed=(),
            reused=source,
            reused_targets=earlier.targets,
            cost_microusd=0,
            duration_ms=steps.spent.elapsed_ms,
            sandbox_ms=0,
            model_ms=0,
            started_at=started_at,
            notices=(*(n for n in earlier.notices if n != NOTHING_CHANGED), NOTHING_CHANGED),
        )
        context.record("verdict", _verdict_data(result))
        return result

    return await steps.step(RESULT_STEP, RunResult, body)
