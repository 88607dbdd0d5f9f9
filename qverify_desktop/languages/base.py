"""What the analysis needs to know of a language. Adding a language is adding one implementation of ``Language``.

An implementation is pure: it reads files of a snapshot, makes ``Job`` values, and reads ``JobResult`` values. It never
runs repository code itself and knows nothing of Docker. Hostile input (odd encodings, broken syntax, deep nesting) is
answered with ``SkippedPath`` or an empty list, never with an exception.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from qverify_desktop.domain.execution import Job, JobResult
from qverify_desktop.domain.project import InstalledPackage, MissingDependency, Project, Promise, Snapshot, Target
from qverify_desktop.domain.results import Reason
from qverify_desktop.domain.testing import (
    GeneratedTest,
    Mutant,
    MutantOutcome,
    SuiteResult,
)

#: The order seed that turns the written order round: after both, every two tests were seen in either order. (Go's own runner
#: takes it for one seed more.)
REVERSED = 1


@dataclass(frozen=True)
class RunVariation:
    """What is varied between repetitions: order seed (0: as written; ``REVERSED``; any other shuffles), hash seed, time zone,
    locale; ``cpus`` (processors' time, 0 for all of the job's own), which whoever runs the job puts into its limits; and, in
    languages whose driver can do that, ``clock_s``, seconds by which the clock is fast, and ``elsewhere``, whether each test runs in
    an empty folder of its own."""

    order_seed: int = 0
    hash_seed: int = 0
    time_zone: str = "UTC"
    locale: str = "C.UTF-8"
    cpus: float = 0.0
    clock_s: int = 0
    elsewhere: bool = False


@dataclass(frozen=True)
class StaticProblem:
    """Why a generated test is refused before it is run; ``detail`` is the particular, in a sentence."""

    reason: Reason
    detail: str = ""


@dataclass(frozen=True)
class Idiom:
    """How a prompt asks for tests of one target. ``framework`` as people write it, ``fence`` the tag of a block of code,
    ``reach`` the statements that a test file needs to name the target (empty where nothing outside its file can), ``rules``
    sentences on how such tests are written.
    """

    framework: str
    fence: str
    reach: str
    rules: tuple[str, ...] = ()


class Language(Protocol):
    """One programming language."""

    name: str
    runtime: str
    #: Fence tags under which a model may hand in code of this language.
    fence_tags: tuple[str, ...]
    #: Whether tests must be built before they run, so that a test that can't be loaded is one that does not compile.
    compiled: bool
    #: Endings of its source files, with the dot.
    endings: tuple[str, ...]
    #: Types of errors (``TestOutcome.raised``) which say that something that a test names is not there.
    unknown_name_errors: frozenset[str]
    #: Types of errors which say that a call does not fit the code, where they come from the test itself.
    mismatch_errors: frozenset[str]

    def set_patience(self, patience_s: int) -> None:
        """Seconds after which a test or an import counts as hung, for jobs that are made from now on."""

    def detect(self, snapshot: Snapshot) -> Project | None:
        """How this language sees the snapshot, or ``None`` where it holds no source of this language."""

    def targets(self, snapshot: Snapshot, project: Project) -> list[Target]:
        """Every function and method of the source files (not of tests, generated or vendored code)."""

    def missing_modules_job(self, snapshot: Snapshot, project: Project) -> Job:
        """A job that tries the project's imports in the runtime, answered by ``read_missing``."""

    def read_missing(self, project: Project, result: JobResult) -> list[MissingDependency]:
        """Packages that the project imports and the runtime lacks."""

    def install_job(
        self, project: Project, missing: Sequence[MissingDependency], lock: bytes, *, offline: bool = False
    ) -> Job:
        """A job whose artefact ``deps.tar`` holds the installed packages: fetched with network, or with ``offline`` and no
        network taken from a folder of packages that the sandbox shows as its dependencies."""

    def exact_install_job(
        self,
        project: Project,
        missing: Sequence[MissingDependency],
        installed: Sequence[InstalledPackage],
        lock: bytes,
        *,
        offline: bool = False,
    ) -> Job:
        """As ``install_job``, where another run had ``installed`` for the same. Most languages install what the lock file names with
        its digests, which is the same again; what comes is compared in any case."""
        return self.install_job(project, missing, lock, offline=offline)

    def depends_on(
        self, snapshot: Snapshot, project: Project, files: Collection[str]
    ) -> Mapping[str, frozenset[str]]:
        """For each of ``files`` the source files of the project whose change may change what its functions do, itself among
        them. All of them is always right, and what a language says that does not know better.
        """
        every = frozenset(project.source_files)
        return {file: every if file in every else every | {file} for file in files}

    def promises(self, snapshot: Snapshot, project: Project, targets: Sequence[Target]) -> list[Promise]:
        """Every written example in docstrings and documentation files, bound to its target."""

    def unread_examples(
        self, snapshot: Snapshot, project: Project, targets: Sequence[Target]
    ) -> list[tuple[str, int, str]]:
        """File, line and words of what looks like a written example and can't be read in one way only."""
        return []

    def promise_tests(
        self, project: Project, targets: Sequence[Target], promises: Sequence[Promise]
    ) -> list[GeneratedTest]:
        """A test per promise, label ``specification``, in deterministic order."""

    def property_tests(self, project: Project, targets: Sequence[Target], seed: int) -> list[GeneratedTest]:
        """Property tests for type-hinted pure functions."""

    def observation_jobs(
        self, snapshot: Snapshot, project: Project, targets: Sequence[Target], seed: int
    ) -> list[Job]:
        """Jobs that call targets with generated inputs and record what happens, for characterization."""

    def read_observations(
        self, project: Project, targets: Sequence[Target], results: Sequence[JobResult]
    ) -> list[GeneratedTest]:
        """Tests, label ``characterization``, for observations that reach something new and are the same in each run."""

    def suite_job(
        self,
        project: Project,
        files: Mapping[str, str],
        *,
        only: Sequence[str] = (),
        variation: RunVariation = RunVariation(),
        coverage: bool = True,
        existing: bool = False,
    ) -> Job:
        """Run tests and report each. ``files`` are generated test files (path to text); with ``existing`` the project's own
        tests run too; ``only`` narrows to these test ids."""

    def read_suite(self, project: Project, result: JobResult) -> SuiteResult:
        """Read ``suite_job``'s artefacts."""

    def mutants(
        self, snapshot: Snapshot, project: Project, target: Target, lines: frozenset[int], most: int
    ) -> list[Mutant]:
        """At most ``most`` mutants of the target on these lines, spread over operators, deterministic."""

    def mutation_job(
        self,
        project: Project,
        files: Mapping[str, str],
        mutants: Sequence[Mutant],
        tests: Mapping[str, Sequence[str]],
    ) -> Job:
        """Run, for each mutant, the tests named for it (mutant id to test ids), forked inside one container."""

    def assertions(self, code: str) -> list[tuple[int, str]]:
        """1-based line and text of every assertion in a test's code, for those who read it."""

    def read_mutation(self, mutants: Sequence[Mutant], result: JobResult) -> list[MutantOutcome]:
        """Read ``mutation_job``'s artefacts; mutants that were not reached are ``NOT_RUN``."""

    def render(self, tests: Sequence[GeneratedTest]) -> dict[str, str]:
        """Merge tests into files, path to text, formatted, deterministic."""

    def expected_to_fail(self, test: GeneratedTest, reason: str) -> GeneratedTest | None:
        """The same test, in a file of its own, marked so that the suite stays green while it fails and turns red once it passes;
        ``reason`` is a sentence for whoever reads it. ``None`` where the language has no such mark.
        """
        return None

    def command(self, test: GeneratedTest) -> str:
        """What a person types to run the test's file; empty where nobody has said."""
        return ""

    def static_problem(self, test: GeneratedTest) -> StaticProblem | None:
        """Parses and asserts something that could fail? ``None`` when it does."""

    def split(self, source: str, path: str, target: Target) -> list[GeneratedTest] | StaticProblem:
        """Take a whole test file (a model's answer) apart into its test functions, origin ``model``.

        An assertion's label is ``characterization``; the caller raises it where quoted words are found.
        """

    def focal_source(self, snapshot: Snapshot, target: Target) -> str:
        """Source text of the target with its imports and class header, for a prompt."""

    def test_file(self, project: Project, target: Target, kind: str) -> str:
        """Where generated tests of a target lie; ``kind`` (of ``a`` to ``z``, ``0`` to ``9`` and ``_``) keeps files apart."""

    def idiom(self, project: Project, target: Target, path: str) -> Idiom:
        """How a prompt asks for tests of the target in the file ``path``."""

    def imports_at(self, snapshot: Snapshot, project: Project, target: Target, path: str) -> tuple[str, ...]:
        """The imports of its own file that a target uses, as a test file at ``path`` has to write them."""
        return ()

    def mend(self, snapshot: Snapshot, project: Project, target: Target, test: GeneratedTest) -> GeneratedTest:
        """A model's test with what is surely wrong in its imports put right (wrong place, wrong path, unused); the same where
        nothing is."""
        return test

    def same_value(self, one: str, other: str) -> bool:
        """Whether two expressions differ by nothing but the accidents of their spelling."""
        return " ".join(one.split()) == " ".join(other.split())
