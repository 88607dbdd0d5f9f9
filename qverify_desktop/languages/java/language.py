"""Java as a ``Language``: each question is answered by a module of this folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qverify_desktop.domain.execution import Job, JobResult
from qverify_desktop.domain.project import MissingDependency, Project, Promise, Snapshot, Target
from qverify_desktop.domain.testing import GeneratedTest, Mutant, MutantOutcome, SuiteResult
from qverify_desktop.languages import mutation_report
from qverify_desktop.languages.base import Idiom, Language, RunVariation, StaticProblem
from qverify_desktop.languages.examples.promises import mine
from qverify_desktop.languages.java import (
    dependencies,
    detection,
    focal,
    mutation,
    observation,
    passages,
    placing,
    promise_tests,
    splitting,
    suite,
    writing,
)
from qverify_desktop.languages.java.codebase import Codebase
from qverify_desktop.languages.java.source import LANGUAGE, read_source
from qverify_desktop.languages.java.speaking import JavaSpeaker


class JavaLanguage(Language):
    """Java up to 21, tested with JUnit 4 or 5. ``patience_s``: seconds after which a test counts as hung."""

    name = LANGUAGE
    runtime = detection.RUNTIME
    fence_tags: tuple[str, ...] = ("java", "")
    compiled = True
    endings: tuple[str, ...] = (".java",)
    unknown_name_errors = frozenset(
        (
            "NoClassDefFoundError",
            "ClassNotFoundException",
            "NoSuchMethodError",
            "NoSuchFieldError",
            "FileNotFoundException",
            "NoSuchFileException",
        )
    )
    mismatch_errors = frozenset(("ClassCastException", "IncompatibleClassChangeError", "AbstractMethodError"))

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
        paths = (*project.source_files, *project.test_files)
        return dependencies.missing_modules_job(
            project, dependencies.needed_packages([read_source(snapshot.root, path) for path in paths])
        )

    def read_missing(self, project: Project, result: JobResult) -> list[MissingDependency]:
        return dependencies.read_missing(project, result)

    def install_job(
        self, project: Project, missing: Sequence[MissingDependency], lock: bytes, *, offline: bool = False
    ) -> Job:
        return dependencies.install_job(project, missing, lock, offline=offline)

    def promises(self, snapshot: Snapshot, project: Project, targets: Sequence[Target]) -> list[Promise]:
        codebase = Codebase.read(snapshot, project)
        found = mine(passages.passages(snapshot, codebase, targets), targets, JavaSpeaker(codebase))
        return list(found.promises)

    def promise_tests(
        self, project: Project, targets: Sequence[Target], promises: Sequence[Promise]
    ) -> list[GeneratedTest]:
        return promise_tests.write_promise_tests(project, targets, promises)

    def property_tests(self, project: Project, targets: Sequence[Target], seed: int) -> list[GeneratedTest]:
        """None: the runtime has no library of properties."""
        return []

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
        return mutation.mutation_job(project, files, mutants, tests)

    def read_mutation(self, mutants: Sequence[Mutant], result: JobResult) -> list[MutantOutcome]:
        return mutation_report.read_mutation(mutants, result)

    def assertions(self, code: str) -> list[tuple[int, str]]:
        return splitting.assertions(code)

    def render(self, tests: Sequence[GeneratedTest]) -> dict[str, str]:
        return writing.render(tests)

    def static_problem(self, test: GeneratedTest) -> StaticProblem | None:
        return splitting.static_problem(test)

    def split(self, source: str, path: str, target: Target) -> list[GeneratedTest] | StaticProblem:
        return splitting.split(source, path, target)

    def focal_source(self, snapshot: Snapshot, target: Target) -> str:
        return focal.focal_source(snapshot, target)

    def test_file(self, project: Project, target: Target, kind: str) -> str:
        return placing.test_path(project, target, placing.in_class_name(kind), self.endings[0])

    def idiom(self, project: Project, target: Target, path: str) -> Idiom:
        junit = "JUnit 4" if detection.uses_junit_4(project) else "JUnit 5 (Jupiter)"
        name = path.rpartition("/")[2].rpartition(".")[0]
        package = f"package {target.module};" if target.module else ""
        rules = (f"One class called {name}; a method for each test; assertEquals and assertThrows of {junit}.",)
        return Idiom(junit, "java", package, rules)
