"""The whole order of an analysis on one screen. Plain code: the engine makes its steps durable."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from qverify_desktop import __version__
from qverify_desktop.analysis import following
from qverify_desktop.analysis.agreement import find_changes
from qverify_desktop.analysis.archaeology import trace_defects
from qverify_desktop.analysis.baseline import Baseline, choose_targets, run_baseline
from qverify_desktop.analysis.batches import Trial, judge_in_batches
from qverify_desktop.analysis.cases import case_blob
from qverify_desktop.analysis.conclude import Part, conclude, take_over
from qverify_desktop.analysis.decide import decide, measure
from qverify_desktop.analysis.dependencies import check_dependencies
from qverify_desktop.analysis.details import keep_details
from qverify_desktop.analysis.earlier import RESULT_STEP as RESULT_STEP
from qverify_desktop.analysis.fixed import find_fixed
from qverify_desktop.analysis.intake import detect, prepare_images, take_snapshot
from qverify_desktop.analysis.judge import REPETITIONS
from qverify_desktop.analysis.mutation import Matrix
from qverify_desktop.analysis.ports import Reporter
from qverify_desktop.analysis.reuse import keep, note_complete, run_key, unchanged_targets
from qverify_desktop.analysis.services import Checkpoints, Services
from qverify_desktop.analysis.steps import StepContext, Steps
from qverify_desktop.analysis.triage import triage, withhold
from qverify_desktop.analysis.unread import unread_notice
from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.execution import RuntimeImage, isolation_of
from qverify_desktop.domain.progress import Stage
from qverify_desktop.domain.project import Project, Promise, Snapshot, Target
from qverify_desktop.domain.results import (
    AnalysisRequest,
    JudgedTest,
    Measure,
    RunResult,
    SuspectedDefect,
    TestVerdict,
)
from qverify_desktop.domain.testing import FileCoverage


async def analyze(
    run: str, request: AnalysisRequest, services: Services, checkpoints: Checkpoints, reporter: Reporter
) -> RunResult:
    """Take a snapshot, find what is untested, write tests, judge them, look into failures, and say what is proven.

    Raises ``BadInput`` (the run is closed in the evidence), ``MissingPrerequisite`` or ``SandboxFailure`` (it stays open
    and can be resumed).
    """
    steps = Steps(run, request, services.under(request.sandbox), checkpoints, reporter)
    started_at = await _open(steps)
    try:
        snapshot = await take_snapshot(steps)
        projects = await detect(steps, snapshot)
        prepared, notices = await prepare_images(steps, projects)
        key, same = await run_key(steps, snapshot, *zip(*prepared, strict=True))
        if same is not None and key.of is not None:
            result = await take_over(steps, snapshot, same, key.of, started_at)
        else:
            parts = [await _analyze_project(steps, snapshot, project, image) for project, image in prepared]
            result = await conclude(steps, snapshot, parts, notices, started_at)
    except BadInput as error:
        await _close(steps, "refused", str(error))
        raise
    await note_complete(steps, key, same is not None or all(part.complete for part in parts))
    steps.reporter.started(Stage.SEAL)
    await _close(steps, result.verdict.value, result.sentence)
    steps.reporter.finished(Stage.SEAL, "The evidence is signed")
    return result


async def _analyze_project(steps: Steps, snapshot: Snapshot, project: Project, image: RuntimeImage) -> Part:
    steps.image, steps.dependencies = image, None
    await _plan(steps, snapshot, project, image.digest)
    dependencies = await check_dependencies(steps, snapshot, project)
    baseline = await run_baseline(steps, project)
    coverage = baseline.suite.coverage
    targets = await choose_targets(steps, snapshot, project, coverage)
    following.chosen(steps.reporter, targets, coverage)
    keys, unchanged = await unchanged_targets(steps, snapshot, project, image, dependencies, targets)
    trial = await judge_in_batches(steps, snapshot, project, targets, baseline, unchanged)
    await keep(steps, snapshot, project, keys, unchanged, trial, targets)
    tried, matrix = trial.tried, trial.matrix
    judged, defects = await _decide(steps, snapshot, project, targets, trial, coverage)
    defects = await trace_defects(steps, snapshot, project, judged, defects)
    fixed = await find_fixed(steps, snapshot, project, defects)
    changes = await find_changes(steps, snapshot, project, targets, judged)
    steps.reporter.finished(Stage.TRIAGE, _counted(len(defects)))
    following.judged(steps.reporter, judged)
    files, after, covered = await _measure(steps, project, judged, baseline, matrix)
    await keep_details(steps, project, tried, matrix, coverage, covered)
    before = measure(coverage, matrix, (), (t.test.id for t in tried))
    unread = await unread_notice(steps, snapshot, project, targets)
    notices = (dependencies.notice, *trial.notices, unread, *image.differences)
    return Part(
        language=project.language,
        image_digest=image.digest,
        baseline=baseline,
        targets=len(targets),
        reused=len(unchanged.keys),
        complete=not dependencies.failed and all(target.id in {*unchanged.keys, *trial.whole} for target in targets),
        tests=tuple(judged),
        defects=tuple(defects),
        fixed=tuple(fixed),
        changes=tuple(changes),
        before=before,
        after=after,
        missing=dependencies.missing,
        unreadable=project.unreadable,
        notices=tuple(notice for notice in notices if notice),
        files=files,
        expected_failures=await _expected_failures(steps, project, judged, defects),
    )


async def _expected_failures(
    steps: Steps, project: Project, judged: Sequence[JudgedTest], defects: Sequence[SuspectedDefect]
) -> Mapping[str, str]:
    """The tests of suspected defects for a suite that shall stay green until somebody mends the code."""
    language = steps.services.language(project.language)
    tests = {one.test.id: one.test for one in judged}
    reasons = {d.test: f"{d.evidence.file}:{d.evidence.line} promises {d.expected}" for d in defects}
    marked = [language.expected_to_fail(tests[test], why) for test, why in reasons.items() if test in tests]
    return await asyncio.to_thread(language.render, [test for test in marked if test is not None])


async def _open(steps: Steps) -> str:
    """The first entry of every run, written before anything is looked at, so that no run can be left out unseen."""

    async def body(context: StepContext) -> str:
        request = steps.request
        context.record(
            "run_opened",
            {
                "application": __version__,
                "scope": str(request.scope),
                "model": request.model,
                "max_targets": request.max_targets,
                "seed": request.seed,
                "allow_install": request.allow_install,
                "offline_packages": bool(request.packages),
                "budget_microusd": request.budget_microusd,
                "isolation": isolation_of(request.sandbox).value,
                "time_budget_s": request.time_budget_s,
                "fresh": request.fresh,
                "cloud": request.cloud,
            },
        )
        return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    started_at = await steps.step("open", str, body)
    await _checkpoint(steps)
    return started_at


async def _plan(steps: Steps, snapshot: Snapshot, project: Project, image_digest: str) -> None:
    """What will be done to what, before any result."""

    async def body(context: StepContext) -> bool:
        context.record(
            "plan",
            {
                "language": project.language,
                "commit": snapshot.commit or "",
                "tree": snapshot.tree,
                "image_digest": image_digest,
                "isolation": isolation_of(steps.request.sandbox).value,
                "repetitions": REPETITIONS,
            },
        )
        return True

    await steps.step(f"{project.language}.plan", bool, body)


@dataclass(frozen=True)
class Decision:
    """Result of the step ``decide``."""

    tests: tuple[JudgedTest, ...]
    defects: tuple[SuspectedDefect, ...]


async def _decide(
    steps: Steps,
    snapshot: Snapshot,
    project: Project,
    targets: Sequence[Target],
    trial: Trial,
    coverage: Mapping[str, FileCoverage],
) -> tuple[Sequence[JudgedTest], Sequence[SuspectedDefect]]:
    language = steps.services.language(project.language)

    async def body(context: StepContext) -> Decision:
        judged, disputed = await asyncio.to_thread(decide, trial.tried, coverage, trial.matrix, language)
        found: list[Promise] = await asyncio.to_thread(language.promises, snapshot, project, targets)
        if trial.left or trial.words_only:
            context.record("stopped_early", {"left": trial.left, "words_only": trial.words_only})
        looked_into, defects = triage(disputed, targets, {p.words: p for p in found}, language)
        tests = (*withhold(judged, defects), *looked_into, *trial.refused)
        outcomes = {one.test.id: one.outcomes[0] for one in trial.tried if one.outcomes}
        for one in tests:
            context.record(
                "judgement",
                {
                    "test": one.test.id,
                    "target": one.test.target,
                    "label": one.test.label.value,
                    "origin": one.test.origin.value,
                    "verdict": one.verdict.value,
                    "reason": one.reason.value,
                    "gain": {"lines": one.gain.lines, "branches": one.gain.branches, "mutants": one.gain.mutants},
                },
                {"code": one.test.code.encode("utf-8", "replace"), **case_blob(one, outcomes)},
            )
        for defect in defects:
            words = f"{defect.evidence.file}:{defect.evidence.line}\n{defect.evidence.text}"
            context.record(
                "suspected_defect",
                {
                    "file": defect.file,
                    "symbol": defect.symbol,
                    "test": defect.test,
                    "reproductions": defect.reproductions,
                    "confidence_permille": defect.confidence,
                },
                {
                    "call": defect.call.encode("utf-8", "replace"),
                    "expected": defect.expected.encode("utf-8", "replace"),
                    "observed": defect.observed.encode("utf-8", "replace"),
                    "words": words.encode("utf-8", "replace"),
                },
            )
        return Decision(tests, tuple(defects))

    steps.reporter.started(Stage.TRIAGE)
    decision = await steps.step(f"{project.language}.decide", Decision, body)
    return decision.tests, decision.defects


def _counted(defects: int) -> str:
    return "1 suspected defect" if defects == 1 else f"{defects or 'No'} suspected defects"


@dataclass(frozen=True)
class After:
    """Accepted test files and the coverage of everything run together."""

    files: Mapping[str, str]
    coverage: Mapping[str, FileCoverage]


async def _measure(
    steps: Steps, project: Project, judged: Sequence[JudgedTest], baseline: Baseline, matrix: Matrix
) -> tuple[Mapping[str, str], Measure, Mapping[str, FileCoverage]]:
    """Run the existing and the accepted tests together: the figures after are measured, not added up."""
    language = steps.services.language(project.language)
    accepted = [one.test for one in judged if one.verdict is TestVerdict.ACCEPTED]

    async def body(context: StepContext) -> After:
        files = await asyncio.to_thread(language.render, accepted)
        if not accepted:
            return After({}, baseline.suite.coverage)
        result = await context.execute(language.suite_job(project, files, existing=True))
        suite = await asyncio.to_thread(language.read_suite, project, result)
        coverage = suite.coverage if not suite.problem else baseline.suite.coverage
        context.record("accepted", {"tests": len(accepted), "files": sorted(files)})
        return After(files, coverage)

    steps.reporter.started(Stage.REPORT)
    after = await steps.step(f"{project.language}.after", After, body)
    steps.reporter.finished(Stage.REPORT, f"{len(accepted)} tests accepted")
    generated = [one.test.id for one in judged]
    figures = measure(after.coverage, matrix, (t.id for t in accepted), generated)
    return after.files, figures, after.coverage


async def _close(steps: Steps, outcome: str, sentence: str) -> None:
    """The last entry of a run and a signed checkpoint over the whole log."""

    async def body(context: StepContext) -> bool:
        context.record("run_closed", {"outcome": outcome}, {"sentence": sentence.encode("utf-8", "replace")})
        return True

    await steps.step("close", bool, body)
    await _checkpoint(steps)


async def _checkpoint(steps: Steps) -> None:
    """Sign a checkpoint. Signing twice after a crash is harmless: the log has only grown."""
    await asyncio.to_thread(steps.services.journal.checkpoint, steps.run)
