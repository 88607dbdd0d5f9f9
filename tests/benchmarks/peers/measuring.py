"""What tests reach and notice, by one measure for every tool: our coverage run and our mutants of every target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from qverify_desktop.domain.execution import RuntimeImage
from qverify_desktop.domain.results import Fraction
from qverify_desktop.domain.testing import MutantOutcome, MutantStatus, Status, SuiteResult
from qverify_desktop.languages.python.language import PythonLanguage
from qverify_desktop.sandbox.docker import DockerSandbox
from tests.benchmarks.peers.plantings import Planting
from tests.benchmarks.peers.subjects import Tree, lines_of

PER_TARGET = 10
CHUNK = 60
_BAD = (Status.FAILED, Status.ERROR)
_COUNTED = (MutantStatus.KILLED, MutantStatus.TIMED_OUT, MutantStatus.SURVIVED, MutantStatus.NOT_RUN)


@dataclass(frozen=True)
class Figures:
    """Shares of lines, branches and mutants; tests that passed, and the ids of those that failed."""

    lines: Fraction
    branches: Fraction
    mutants: Fraction
    passed: int
    failed: tuple[str, ...]


class Measure:
    """Runs suites and mutants in the sandbox."""

    def __init__(self, sandbox: DockerSandbox, image: RuntimeImage) -> None:
        self._sandbox = sandbox
        self._image = image
        self._language = PythonLanguage()

    async def suite(self, tree: Tree, files: Mapping[str, str]) -> SuiteResult:
        """One run of test files on a tree, with coverage of every source file that counts."""
        job = self._language.suite_job(tree.project, files, existing=True)
        result = await self._sandbox.run(job, self._image, Path(tree.root), run="r-peers")
        return self._language.read_suite(tree.project, result)

    async def figures(self, tree: Tree, files: Mapping[str, str], *, mutants: bool) -> Figures:
        """Coverage of the tests, and how many of the mutants of all targets they notice."""
        suite = await self.suite(tree, files)
        coverage = [seen for path, seen in suite.coverage.items() if path in tree.files]
        killed = await self._mutants(tree, files, suite) if mutants else Fraction(0, 0)
        return Figures(
            Fraction(sum(len(c.covered_lines) for c in coverage), sum(len(c.lines) for c in coverage)),
            Fraction(sum(len(c.covered_branches) for c in coverage), sum(len(c.branches) for c in coverage)),
            killed,
            sum(outcome.status is Status.PASSED for outcome in suite.outcomes),
            tuple(outcome.id for outcome in suite.outcomes if outcome.status in _BAD),
        )

    async def _mutants(self, tree: Tree, files: Mapping[str, str], suite: SuiteResult) -> Fraction:
        """A mutant that no test reaches is not noticed; one that can't be built counts neither way.

        A line that runs while its module is imported is reached by every test.
        """
        language = self._language
        mutants = [
            mutant
            for target in tree.targets
            for mutant in language.mutants(
                tree.snapshot,
                tree.project,
                target,
                frozenset(range(target.body_line, target.end_line + 1)),
                PER_TARGET,
            )
        ]
        bad = {outcome.id for outcome in suite.outcomes if outcome.status in _BAD}
        within = {
            (path, line)
            for footprint in suite.footprints.values()
            for path, lines in footprint.lines.items()
            for line in lines
        }
        imported = {(path, line) for path, seen in suite.coverage.items() for line in seen.covered_lines} - within
        reaching = {
            mutant.id: [
                test
                for test, footprint in suite.footprints.items()
                if test not in bad
                and (
                    mutant.line in footprint.lines.get(mutant.file, frozenset())
                    or (mutant.file, mutant.line) in imported
                )
            ]
            for mutant in mutants
        }
        outcomes: list[MutantOutcome] = []
        reached = [mutant for mutant in mutants if reaching[mutant.id]]
        for start in range(0, len(reached), CHUNK):
            chunk = reached[start : start + CHUNK]
            job = language.mutation_job(tree.project, files, chunk, reaching)
            result = await self._sandbox.run(job, self._image, Path(tree.root), run="r-peers")
            outcomes += language.read_mutation(chunk, result)
        counted = sum(outcome.status in _COUNTED for outcome in outcomes)
        noticed = sum(outcome.status in (MutantStatus.KILLED, MutantStatus.TIMED_OUT) for outcome in outcomes)
        return Fraction(noticed, counted + len(mutants) - len(reached))


@dataclass(frozen=True)
class Replay:
    """Tests that were written for planted code, on both codes. Planted places by what a test at them does.

    ``caught``: a test fails on the planted code and passes on the untouched one. ``frozen``: the other way round, so the
    suite would defend the bug. Values are ids of tests.
    """

    caught: Mapping[Planting, tuple[str, ...]]
    frozen: Mapping[Planting, tuple[str, ...]]


async def replay(
    measure: Measure, planted: Tree, untouched: Tree, files: Mapping[str, str], plantings: tuple[Planting, ...]
) -> Replay:
    """Run the files on both trees; a test stands for the plantings whose lines it reaches on either."""
    if not files:
        return Replay({}, {})
    bad = await measure.suite(planted, files)
    good = await measure.suite(untouched, files)
    before = {outcome.id: outcome.status for outcome in bad.outcomes}
    after = {outcome.id: outcome.status for outcome in good.outcomes}
    turned = {
        "caught": [i for i, s in before.items() if s in _BAD and after.get(i) is Status.PASSED],
        "frozen": [i for i, s in before.items() if s is Status.PASSED and after.get(i) in _BAD],
    }
    found: dict[str, dict[Planting, tuple[str, ...]]] = {"caught": {}, "frozen": {}}
    for planting in plantings:
        lines = lines_of(planted, planting)
        for kind, tests in turned.items():
            at = [
                test
                for test in tests
                for suite in (bad, good)
                if test in suite.footprints and lines & suite.footprints[test].lines.get(planting.file, frozenset())
            ]
            if at:
                found[kind][planting] = tuple(dict.fromkeys(at))
    return Replay(found["caught"], found["frozen"])
