"""Python as a ``Language``: each question is answered by a module of this folder."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence

from qverify_desktop.domain.execution import Job, JobResult
from qverify_desktop.domain.project import InstalledPackage, MissingDependency, Project, Promise, Snapshot, Target
from qverify_desktop.domain.testing import GeneratedTest, Mutant, MutantOutcome, SuiteResult
from qverify_desktop.languages import mutation_report
from qverify_desktop.languages.base import Idiom, Language, RunVariation, StaticProblem
from qverify_desktop.languages.python import (
    asking,
    detection,
    focal,
    import_graph,
    installation,
    mending,
    mutation,
    mutation_run,
    observation,
    placing,
    promise_tests,
    promises,
    properties,
    segments,
    suite,
    writing,
)
from qverify_desktop.languages.python.assertions import assertions


class PythonLanguage(Language):
    """Python 3.9 and later, tested with pytest. ``patience_s``: seconds after which a test or an import counts as hung."""

    name = segments.LANGUAGE
    runtime = detection.RUNTIME
    fence_tags: tuple[str, ...] = ("python", "py", "python3", "")
    compiled = False
    endings: tuple[str, ...] = (".py",)
    unknown_name_errors = frozenset(
        ("ModuleNotFoundError", "ImportError", "NameError", "SyntaxError", "FileNotFoundError", "SetupFailed")
    )
    mismatch_errors = frozenset(("TypeError", "AttributeError"))

    def __init__(self, patience_s: int = suite.PATIENCE_S) -> None:
        self._patience_s = patience_s

    def set_patience(self, patience_s: int) -> None:
        """For jobs that are made from now on."""
        self._patience_s = patience_s

    def detect(self, snapshot: Snapshot) -> Project | None:
        return detection.detect(snapshot)

    def targets(self, snapshot: Snapshot, project: Project) -> list[Target]:
        return detection.find_targets(snapshot, project)

    def missing_modules_job(self, snapshot: Snapshot, project: Project) -> Job:
        return installation.missing_modules_job(snapshot, project)

    def read_missing(self, project: Project, result: JobResult) -> list[MissingDependency]:
        return installation.read_missing(project, result)

    def install_job(
        self, project: Project, missing: Sequence[MissingDependency], lock: bytes, *, offline: bool = False
    ) -> Job:
        return installation.install_job(project, missing, lock, offline=offline)

    def exact_install_job(
        self,
        project: Project,
        missing: Sequence[MissingDependency],
        installed: Sequence[InstalledPackage],
        lock: bytes,
        *,
        offline: bool = False,
    ) -> Job:
        return installation.exact_install_job(project, missing, installed, lock, offline=offline)

    def depends_on(
        self, snapshot: Snapshot, project: Project, files: Collection[str]
    ) -> Mapping[str, frozenset[str]]:
        return import_graph.dependencies_of(snapshot, project, files)

    def promises(self, snapshot: Snapshot, project: Project, targets: Sequence[Target]) -> list[Promise]:
        return promises.find_promises(snapshot, project, targets)

    def unread_examples(
        self, snapshot: Snapshot, project: Project, targets: Sequence[Target]
    ) -> list[tuple[str, int, str]]:
        return promises.unread_examples(snapshot, project, targets)

    def promise_tests(
        self, project: Project, targets: Sequence[Target], promises: Sequence[Promise]
    ) -> list[GeneratedTest]:
        return promise_tests.write_promise_tests(project, targets, promises)

    def property_tests(self, project: Project, targets: Sequence[Target], seed: int) -> list[GeneratedTest]:
        return properties.write_property_tests(project, targets, seed)

    def observation_jobs(
        self, snapshot: Snapshot, project: Project, targets: Sequence[Target], seed: int
    ) -> list[Job]:
        return observation.observation_jobs(snapshot, project, targets, seed, self._patience_s)

    def read_observations(
        self, project: Project, targets: Sequence[Target], results: Sequence[JobResult]
    ) -> list[GeneratedTest]:
        return observation.read_observations(project, targets, results)

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
        return suite.suite_job(
            project,
            files,
            only=only,
            variation=variation,
            coverage=coverage,
            existing=existing,
            patience_s=self._patience_s,
        )

    def read_suite(self, project: Project, result: JobResult) -> SuiteResult:
        return suite.read_suite(project, result)

    def mutants(
        self, snapshot: Snapshot, project: Project, target: Target, lines: frozenset[int], most: int
    ) -> list[Mutant]:
        return mutation.mutants(snapshot, target, lines, most)

    def mutation_job(
        self,
        project: Project,
        files: Mapping[str, str],
        mutants: Sequence[Mutant],
        tests: Mapping[str, Sequence[str]],
    ) -> Job:
        return mutation_run.mutation_job(project, files, mutants, tests)

    def read_mutation(self, mutants: Sequence[Mutant], result: JobResult) -> list[MutantOutcome]:
        return mutation_report.read_mutation(mutants, result)

    def assertions(self, code: str) -> list[tuple[int, str]]:
        return assertions(code)

    def render(self, tests: Sequence[GeneratedTest]) -> dict[str, str]:
        return writing.render(tests)

    def expected_to_fail(self, test: GeneratedTest, reason: str) -> GeneratedTest | None:
        return writing.expected_to_fail(test, reason)

    def command(self, test: GeneratedTest) -> str:
        return f"python -m pytest {shlex.quote(test.path)}"

    def static_problem(self, test: GeneratedTest) -> StaticProblem | None:
        return writing.static_problem(test)

    def split(self, source: str, path: str, target: Target) -> list[GeneratedTest] | StaticProblem:
        return writing.split(source, path, target)

    def focal_source(self, snapshot: Snapshot, target: Target) -> str:
        return focal.focal_source(snapshot, target)

    def test_file(self, project: Project, target: Target, kind: str) -> str:
        return placing.test_path(project, target, kind)

    def idiom(self, project: Project, target: Target, path: str) -> Idiom:
        return asking.idiom(target)

    def imports_at(self, snapshot: Snapshot, project: Project, target: Target, path: str) -> tuple[str, ...]:
        return asking.imports_at(snapshot, project, target)

    def mend(self, snapshot: Snapshot, project: Project, target: Target, test: GeneratedTest) -> GeneratedTest:
        return mending.mended(snapshot, target, test)

    def same_value(self, one: str, other: str) -> bool:
        return asking.same_value(one, other)
