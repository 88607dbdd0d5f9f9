"""Stage judge, first half: every candidate is run five times in fresh containers, and what it did is written down."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from qverify_desktop.analysis.steps import StepContext, Steps
from qverify_desktop.domain.progress import Stage
from qverify_desktop.domain.project import Project
from qverify_desktop.domain.results import JudgedTest, TestVerdict
from qverify_desktop.domain.testing import Footprint, GeneratedTest, Status, SuiteResult, TestOutcome
from qverify_desktop.languages.base import REVERSED, Language, RunVariation

REPETITIONS = 5
#: A batch is one container: large enough to pay for its start, small enough that one bad test costs little.
BATCH = 300
#: How often a batch is run again after one test ended the whole run.
RESCUES = 4
#: Processors' time of one of the five runs: a test that only passes on a fast machine is flaky.
THROTTLED = 0.4
#: The least where tests are built in the same container: a compiler that runs out of time says nothing of them.
TO_BUILD = 1.0
#: What is said to be raised where an example's set-up failed: of the example itself it says nothing.
SETUP_FAILED = "SetupFailed"
_BINDS = re.compile(r"\s*(?:const |let |var |val |final \S+ )?observed(?:\s*:\s*[^=]{1,200})?\s*:?=(?!=)")
#: What is different in each of the five runs. POSIX time zones need no data base in the image.
VARIATIONS = (
    RunVariation(0, 0, "UTC0", "C.UTF-8"),
    RunVariation(REVERSED, 1, "EST5EDT,M3.2.0,M11.1.0", "C.UTF-8"),
    RunVariation(23, 4242, "NPT-5:45", "C"),
    RunVariation(37, 77, "AEST-10AEDT,M10.1.0,M4.1.0/3", "C.UTF-8"),
    RunVariation(53, 100003, "HST10", "POSIX", cpus=THROTTLED),
)


@dataclass(frozen=True)
class Tried:
    """One candidate after its runs. ``outcomes`` has one entry a run; ``footprint`` is that of the first run."""

    test: GeneratedTest
    outcomes: tuple[TestOutcome, ...]
    footprint: Footprint = field(default_factory=Footprint)
    collection_error: str = ""

    @property
    def passed(self) -> bool:
        return len(self.outcomes) == REPETITIONS and all(o.status is Status.PASSED for o in self.outcomes)

    @property
    def failed_alike(self) -> bool:
        """It failed in each of the five runs, and each time in the same way."""
        return (
            len(self.outcomes) == REPETITIONS
            and all(o.status is Status.FAILED for o in self.outcomes)
            and len({(o.raised, o.observed) for o in self.outcomes}) == 1
        )


@dataclass(frozen=True)
class Runs:
    """Candidates after one or more runs; ``problems`` are sentences on runs that said nothing."""

    tried: tuple[Tried, ...]
    problems: tuple[str, ...] = ()


async def screen(language: Language, tests: Sequence[GeneratedTest]) -> tuple[list[GeneratedTest], list[JudgedTest]]:
    """Refuse before any run what is no valid source or asserts nothing."""
    kept, refused = [], []
    for test in tests:
        # One hop a test: a long row of them in one thread would keep the interpreter from the loop of a window.
        problem = await asyncio.to_thread(language.static_problem, test)
        if problem is None:
            kept.append(test)
        else:
            refused.append(JudgedTest(test, TestVerdict.REFUSED, problem.reason, problem.detail))
    return kept, refused


async def try_tests(steps: Steps, project: Project, tests: Sequence[GeneratedTest], part: str) -> Runs:
    """Run every candidate; those that passed, or failed against the repository's own words, four times more. ``part`` begins
    the names of the steps."""
    language = steps.services.language(project.language)

    async def once(context: StepContext) -> Runs:
        batches = [tests[i : i + BATCH] for i in range(0, len(tests), BATCH)]
        runs = await asyncio.gather(
            *(run_batch(context, language, project, batch, VARIATIONS[0]) for batch in batches)
        )
        return Runs(
            tuple(tried for run in runs for tried in run.tried), tuple(p for run in runs for p in run.problems)
        )

    steps.reporter.progress(Stage.JUDGE, 0, REPETITIONS, f"First run of {len(tests)} tests")
    first = await steps.step(f"{part}.judge.1", Runs, once)
    again = [t.test for t in first.tried if t.outcomes and _worth_repeating(t)]

    async def repeat(context: StepContext) -> Runs:
        batches = [again[i : i + BATCH] for i in range(0, len(again), BATCH)]
        runs = await asyncio.gather(
            *(
                run_batch(context, language, project, batch, variation, coverage=False)
                for variation in VARIATIONS[1:]
                for batch in batches
            )
        )
        return Runs(
            tuple(tried for run in runs for tried in run.tried), tuple(p for run in runs for p in run.problems)
        )

    steps.reporter.progress(
        Stage.JUDGE, 1, REPETITIONS, f"Four more runs of {len(again)} tests, each a little different"
    )
    more = await steps.step(f"{part}.judge.2-5", Runs, repeat)
    steps.reporter.progress(Stage.JUDGE, REPETITIONS, REPETITIONS, "Five of five runs are done")
    later: dict[str, list[TestOutcome]] = {}
    for tried in more.tried:
        later.setdefault(tried.test.id, []).extend(tried.outcomes)
    merged = tuple(
        Tried(t.test, t.outcomes + tuple(later.get(t.test.id, ())), t.footprint, t.collection_error)
        for t in first.tried
    )
    return Runs(merged, tuple(dict.fromkeys(first.problems + more.problems)))


def _worth_repeating(tried: Tried) -> bool:
    status = tried.outcomes[0].status
    return status is Status.PASSED or (status is Status.FAILED and tried.test.quote is not None)


async def run_batch(
    context: StepContext,
    language: Language,
    project: Project,
    tests: Sequence[GeneratedTest],
    variation: RunVariation,
    *,
    coverage: bool = True,
    source: Path | None = None,
) -> Runs:
    """One container for all tests, over ``source`` instead of the run's own files where it is given. A test that ends the whole
    run is set aside and the rest run again."""
    decided: dict[str, Tried] = {}
    problems: list[str] = []
    left = list(tests)
    for _ in range(RESCUES + 1):
        if not left:
            break
        files = await asyncio.to_thread(language.render, left)
        job = language.suite_job(project, files, variation=variation, coverage=coverage)
        if variation.cpus:
            cpus = max(variation.cpus, TO_BUILD) if language.compiled else variation.cpus
            job = replace(job, limits=replace(job.limits, cpus=min(cpus, job.limits.cpus)))
        suite = await asyncio.to_thread(language.read_suite, project, await context.execute(job, source=source))
        if suite.problem:
            problems.append(suite.problem)
        before = len(decided)
        decided.update(await asyncio.to_thread(read_tried, left, suite, files))
        left = [t for t in left if t.id not in decided]
        if len(decided) == before:
            break
    for test in left:
        decided[test.id] = Tried(test, (TestOutcome(test.id, Status.MISSING),))
    return Runs(tuple(decided[t.id] for t in tests), tuple(dict.fromkeys(problems)))


def read_tried(
    tests: Sequence[GeneratedTest], suite: SuiteResult, files: Mapping[str, str] = MappingProxyType({})
) -> dict[str, Tried]:
    """What became of each test; tests that never ran are left out unless their file could not be collected. ``files`` are the
    test files as they ran: with them a failure in what stands before an example is told from one of the example."""
    by_id: dict[str, list[TestOutcome]] = {}
    for outcome in suite.outcomes:
        by_id.setdefault(outcome.id.partition("[")[0], []).append(outcome)
    read = {}
    for test in tests:
        error = suite.collection_errors.get(test.id) or suite.collection_errors.get(test.path, "")
        outcomes = by_id.get(test.id, [])
        ran = any(o.status is not Status.MISSING for o in outcomes)
        if error and not ran:
            read[test.id] = Tried(test, (), collection_error=error)
        elif ran:
            worst = _worst(outcomes)
            if _in_setup(test, worst, files.get(test.path, "")):
                worst = replace(worst, raised=SETUP_FAILED, in_test=False, frames=())
            read[test.id] = Tried(test, (worst,), _footprint(test, suite))
    return read


def _in_setup(test: GeneratedTest, outcome: TestOutcome, text: str) -> bool:
    """Whether it failed before the statement of the test that binds ``observed``."""
    places = [frame.rpartition(":")[2] for frame in outcome.frames if frame.startswith(test.path)]
    lines = [int(place) for place in places if place.isdecimal() and len(place) < 9]
    if outcome.status is not Status.FAILED or not lines or test.code.strip() not in text:
        return False
    first = text[: text.index(test.code.strip())].count("\n") + 1
    own = test.code.strip().split("\n")
    binding = next((place for place, line in enumerate(own) if _BINDS.match(line)), None)
    return binding is not None and first <= lines[0] < first + binding


def _worst(outcomes: Sequence[TestOutcome]) -> TestOutcome:
    """A parametrised test counts as one: it is as bad as its worst case."""
    order = (Status.FAILED, Status.ERROR, Status.MISSING, Status.SKIPPED, Status.PASSED)
    return min(outcomes, key=lambda o: order.index(o.status))


def _footprint(test: GeneratedTest, suite: SuiteResult) -> Footprint:
    """Union over the cases of a parametrised test."""
    lines: dict[str, frozenset[int]] = {}
    branches: dict[str, frozenset[tuple[int, int]]] = {}
    for key, footprint in suite.footprints.items():
        if key.partition("[")[0] == test.id:
            for file, found in footprint.lines.items():
                lines[file] = lines.get(file, frozenset()) | found
            for file, arcs in footprint.branches.items():
                branches[file] = branches.get(file, frozenset()) | arcs
    return Footprint(lines, branches)
