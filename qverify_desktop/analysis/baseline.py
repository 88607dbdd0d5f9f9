"""Stages baseline and targets: what the existing tests reach, and which code is worth a test."""

from __future__ import annotations

import asyncio
import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass

from qverify_desktop.analysis.callers import callers_of
from qverify_desktop.analysis.steps import StepContext, Steps
from qverify_desktop.analysis.threads import in_stoppable_thread
from qverify_desktop.domain.progress import Stage
from qverify_desktop.domain.project import Project, Snapshot, Target
from qverify_desktop.domain.testing import FileCoverage, Status, SuiteResult

#: Commits in which a file's changes are counted, and how many of them may weigh.
RECENT = 500
MOST_CHANGES = 20


@dataclass(frozen=True)
class Baseline:
    """The existing suite's run and one sentence on its state."""

    suite: SuiteResult
    sentence: str
    trustworthy: bool


async def run_baseline(steps: Steps, project: Project) -> Baseline:
    """Run the project's own tests with coverage. A red or missing suite degrades the run, it does not stop it."""
    language = steps.services.language(project.language)

    async def body(context: StepContext) -> Baseline:
        result = await context.execute(language.suite_job(project, {}, existing=True))
        suite = await asyncio.to_thread(language.read_suite, project, result)
        sentence, trustworthy = _sentence(project, suite)
        context.record(
            "baseline",
            {
                "tests": len(suite.outcomes),
                "passed": sum(o.status is Status.PASSED for o in suite.outcomes),
                "sentence": sentence,
            },
        )
        return Baseline(suite, sentence, trustworthy)

    steps.reporter.started(Stage.BASELINE)
    baseline = await steps.step(f"{project.language}.baseline", Baseline, body)
    steps.reporter.finished(Stage.BASELINE, baseline.sentence)
    return baseline


def _sentence(project: Project, suite: SuiteResult) -> tuple[str, bool]:
    passed = sum(o.status is Status.PASSED for o in suite.outcomes)
    failed = sum(o.status in (Status.FAILED, Status.ERROR) for o in suite.outcomes) + len(suite.collection_errors)
    if suite.problem:
        return f"The existing tests say nothing: {suite.problem}", False
    if not suite.outcomes and not suite.collection_errors:
        return "The project has no tests that could be run.", not project.test_files
    if failed:
        return f"The existing suite is red: {passed} passed, {failed} failed or could not be collected.", True
    return f"The existing suite is green: {passed} passed.", True


async def choose_targets(
    steps: Steps, snapshot: Snapshot, project: Project, coverage: Mapping[str, FileCoverage]
) -> list[Target]:
    """The functions inside the scope, most worth a test first, at most ``max_targets``."""
    language = steps.services.language(project.language)
    scope = steps.request.scope

    async def body(context: StepContext) -> list[Target]:
        found = await asyncio.to_thread(language.targets, snapshot, project)
        total = len(found)
        callers: list[Target] = []
        if scope.kind == "files":
            found = [t for t in found if fnmatch.fnmatch(t.file, scope.glob)]
        elif scope.kind == "changed":
            repositories = context.services.repositories
            changed = await in_stoppable_thread(
                lambda stop: repositories.changed_lines(snapshot, steps.folder, scope.ref, stop)
            )
            touched = [t for t in found if changed.get(t.file, frozenset()) & _lines_of(t)]
            needed = await asyncio.to_thread(
                language.depends_on, snapshot, project, {t.file for t in found} if touched else ()
            )
            callers = await asyncio.to_thread(callers_of, touched, found, snapshot, needed)
            found = [*touched, *callers]
        changes = await in_stoppable_thread(
            lambda stop: context.services.repositories.change_counts(steps.folder, RECENT, stop)
        )
        ranked = sorted(found, key=lambda t: _rank(t, coverage, changes.get(t.file, 0)))[: steps.request.max_targets]
        counts = {"found": total, "in_scope": len(found), "callers": len(callers), "chosen": len(ranked)}
        context.record("targets", {**counts, "scope": str(scope)})
        return ranked

    steps.reporter.started(Stage.TARGETS)
    targets = await steps.step(f"{project.language}.targets", list[Target], body)
    untested = sum(bool(uncovered_lines(t, coverage)) for t in targets)
    steps.reporter.finished(Stage.TARGETS, f"{len(targets)} functions, {untested} of them not fully tested")
    return targets


def _lines_of(target: Target) -> frozenset[int]:
    return frozenset(range(target.line, target.end_line + 1))


def uncovered_lines(target: Target, coverage: Mapping[str, FileCoverage]) -> frozenset[int]:
    """Executable lines of the target that no test reached."""
    seen = coverage.get(target.file)
    if seen is None:
        return _lines_of(target)
    return (seen.lines - seen.covered_lines) & _lines_of(target)


def _rank(
    target: Target, coverage: Mapping[str, FileCoverage], changes: int
) -> tuple[bool, bool, bool, int, str, int]:
    """Untested first, then public, then documented; then by the size of the gap, complexity and how often its file changed
    lately, added up; ties by place."""
    gap = len(uncovered_lines(target, coverage))
    weight = gap + target.complexity + min(changes, MOST_CHANGES)
    return (gap == 0, not target.public, not target.docstring, -weight, target.file, target.line)
