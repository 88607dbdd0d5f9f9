"""Kotlin as a ``Language``, on the drivers of Java: what differs from it is how source is read and written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qverify_desktop.domain.execution import Job, JobResult
from qverify_desktop.domain.project import Project, Promise, Snapshot, Target
from qverify_desktop.domain.testing import GeneratedTest, Mutant
from qverify_desktop.languages.base import Idiom, RunVariation, StaticProblem
from qverify_desktop.languages.examples.promises import mine
from qverify_desktop.languages.java import dependencies, suite
from qverify_desktop.languages.java.detection import detect_language
from qverify_desktop.languages.java.language import JavaLanguage
from qverify_desktop.languages.java.mutation import mutation_job
from qverify_desktop.languages.kotlin import focal, mutation, observation, passages, splitting, writing
from qverify_desktop.languages.kotlin.source import LANGUAGE, package_of, read_source, targets_of
from qverify_desktop.languages.kotlin.speaking import Codebase, KotlinSpeaker
from qverify_desktop.languages.tree.source import TreeSource


class KotlinLanguage(JavaLanguage):
    """Kotlin for the JVM, tested with JUnit, or with ``kotlin.test`` where the project has it."""

    name = LANGUAGE
    fence_tags: tuple[str, ...] = ("kotlin", "kt", "")
    endings: tuple[str, ...] = (".kt",)

    def detect(self, snapshot: Snapshot) -> Project | None:
        return detect_language(snapshot, LANGUAGE, self.endings, read_source, package_of)

    def targets(self, snapshot: Snapshot, project: Project) -> list[Target]:
        sources = (read_source(snapshot.root, path) for path in project.source_files)
        return [target for source in sources if isinstance(source, TreeSource) for target in targets_of(source)]

    def missing_modules_job(self, snapshot: Snapshot, project: Project) -> Job:
        paths = (*project.source_files, *project.test_files)
        return dependencies.missing_modules_job(
            project, dependencies.needed_packages([read_source(snapshot.root, path) for path in paths])
        )

    def promises(self, snapshot: Snapshot, project: Project, targets: Sequence[Target]) -> list[Promise]:
        codebase = Codebase.read(snapshot, project)
        found = mine(passages.passages(snapshot, codebase, targets), targets, KotlinSpeaker(codebase))
        return list(found.promises)

    def promise_tests(
        self, project: Project, targets: Sequence[Target], promises: Sequence[Promise]
    ) -> list[GeneratedTest]:
        return writing.write_promise_tests(project, targets, promises)

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
            describe=splitting.described,
        )

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
        return mutation_job(project, files, mutants, tests, splitting.described)

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

    def idiom(self, project: Project, target: Target, path: str) -> Idiom:
        java = super().idiom(project, target, path)
        framework = "kotlin.test" if writing.uses_kotlin_test(project) else java.framework
        name = path.rpartition("/")[2].rpartition(".")[0]
        rules = (f"One class called {name}; a method for each test; the assertions of {framework}.",)
        return Idiom(framework, "kotlin", java.reach.removesuffix(";"), rules)
