"""Java in real containers: a sample through the whole analysis, and tests that mean harm."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from qverify_desktop.domain.execution import Job, JobResult
from qverify_desktop.domain.project import Project, Snapshot
from qverify_desktop.domain.testing import FileCoverage, Status
from qverify_desktop.languages.base import RunVariation
from qverify_desktop.languages.java.language import JavaLanguage
from qverify_desktop.sandbox.docker import DockerSandbox
from tests.integration.command import qverify
from tests.integration.languages.analysing import executed_again
from tests.languages.python.repositories import snapshot_of

pytestmark = pytest.mark.docker
SAMPLE = Path(__file__).parent / "samples" / "java"

SOLUTION = """\
package a.b;

import java.util.List;

class Solution {
    int f(List<Integer> xs) {
        int sum = 0;
        for (int x : xs) {
            if (x > 0 && x < 100) {
                sum += x;
            }
        }
        return sum;
    }

    static int untouched() {
        return 1;
    }
}
"""
OWN = """\
package a.b;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SolutionTest {
    @Test
    void sums() {
        assertEquals(3, new Solution().f(List.of(1, 2)));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void one(int x) {
        assertEquals(x, new Solution().f(List.of(x)));
    }

    @Nested
    class Deeper {
        @Test
        void ends() {
            System.exit(0);
        }

        @Test
        void nothing() {
            assertEquals(0, new Solution().f(List.of()));
        }
    }
}
"""
FILES = {"src/main/java/a/b/Solution.java": SOLUTION, "src/test/java/a/b/SolutionTest.java": OWN}
PATH = "src/test/java/a/b/SolutionPromisesTest.java"
GENERATED = """\
package a.b;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import nowhere.Else;
import org.junit.jupiter.api.Test;

class SolutionPromisesTest {
    @Test
    void good() {
        assertEquals(2, new Solution().f(List.of(2, -1)));
    }

    @Test
    void wrong() {
        assertEquals(5, new Solution().f(List.of(2, 100)));
    }

    @Test
    void raises() {
        assertEquals(5, new Solution().f(null));
    }

    @Test
    void noSuchMethod() {
        assertEquals(5, new Solution().g());
    }

    @Test
    void noSuchImport() {
        assertEquals(5, Else.f());
    }

    @Test
    void exits() {
        Runtime.getRuntime().halt(0);
    }

    @Test
    void hangs() {
        while (true) {
        }
    }

    @Test
    void forges() throws Exception {
        java.io.FileOutputStream out = new java.io.FileOutputStream(java.io.FileDescriptor.out);
        out.write("{\\"kind\\":\\"end\\",\\"class\\":\\"a.b.SolutionPromisesTest\\",\\"method\\":\\"wrong\\",\\"status\\":\\"passed\\"}\\n".getBytes());
        out.write("not even JSON\\n".getBytes());
        assertEquals(5, new Solution().f(List.of(1)));
    }

    @Test
    void last() {
        assertEquals(0, new Solution().f(List.of()));
    }
}
"""


async def ran(sandbox: DockerSandbox, job: Job, root: Path) -> JobResult:
    root.chmod(0o755)
    return await sandbox.run(job, await sandbox.image("java"), root, run="r-test")


def project_of(root: Path, files: Mapping[str, str] = FILES) -> tuple[JavaLanguage, Snapshot, Project]:
    language = JavaLanguage(patience_s=5)
    snapshot = snapshot_of(root, files)
    project = language.detect(snapshot)
    assert project is not None
    return language, snapshot, project


async def test_each_test_has_its_own_end(sandbox: DockerSandbox, tmp_path: Path) -> None:
    language, _, project = project_of(tmp_path / "r")
    job = language.suite_job(project, {PATH: GENERATED}, variation=RunVariation(order_seed=3))
    suite = language.read_suite(project, await ran(sandbox, job, tmp_path / "r"))
    outcomes = {one.id.partition("::")[2]: one for one in suite.outcomes}
    assert suite.problem == ""
    assert {name: one.status for name, one in outcomes.items() if one.status is not Status.MISSING} == {
        "good": Status.PASSED,
        "last": Status.PASSED,
        "wrong": Status.FAILED,
        "raises": Status.FAILED,
        "forges": Status.FAILED,
        "exits": Status.ERROR,
        "hangs": Status.ERROR,
    }
    wrong, raises = outcomes["wrong"], outcomes["raises"]
    assert (wrong.observed, wrong.raised, wrong.in_test) == ("2", "AssertionFailedError", True)
    assert (raises.raised, raises.in_test) == ("NullPointerException", False)
    assert raises.frames[-1] == "src/main/java/a/b/Solution.java:8"
    assert "ended the process" in outcomes["exits"].message
    assert set(suite.collection_errors) == {f"{PATH}::noSuchMethod", f"{PATH}::noSuchImport"}
    assert "nowhere" in suite.collection_errors[f"{PATH}::noSuchImport"]
    assert "nowhere" not in suite.collection_errors[f"{PATH}::noSuchMethod"]
    reached = suite.footprints[f"{PATH}::last"].lines["src/main/java/a/b/Solution.java"]
    assert 13 in reached and 10 not in reached


async def test_existing_tests_with_cases_and_nested_classes(sandbox: DockerSandbox, tmp_path: Path) -> None:
    language, _, project = project_of(tmp_path / "r")
    job = language.suite_job(project, {}, existing=True)
    suite = language.read_suite(project, await ran(sandbox, job, tmp_path / "r"))
    own = "src/test/java/a/b/SolutionTest.java"
    assert {one.id: one.status for one in suite.outcomes} == {
        f"{own}::sums": Status.PASSED,
        f"{own}::one[1]": Status.PASSED,
        f"{own}::one[2]": Status.PASSED,
        f"{own}::Deeper.ends": Status.ERROR,
        f"{own}::Deeper.nothing": Status.PASSED,
    }
    assert suite.coverage["src/main/java/a/b/Solution.java"] == FileCoverage(
        frozenset({5, 7, 8, 9, 10, 12, 13, 17}),
        frozenset({5, 7, 8, 9, 10, 12, 13}),
        frozenset((line, n) for line, count in ((8, 2), (9, 4)) for n in range(count)),
        frozenset((line, n) for line, count in ((8, 2), (9, 2)) for n in range(count)),
    )


async def test_mutants_are_built_and_run_beside_own_and_generated_tests(
    sandbox: DockerSandbox, tmp_path: Path
) -> None:
    language, snapshot, project = project_of(tmp_path / "r")
    (target, _) = language.targets(snapshot, project)
    lines = frozenset(range(target.line, target.end_line + 1))
    found = language.mutants(snapshot, project, target, lines, 10)
    named = [f"{PATH}::good", f"{PATH}::wrong", "src/test/java/a/b/SolutionTest.java::sums"]
    job = language.mutation_job(project, {PATH: GENERATED}, found, {one.id: named for one in found})
    outcomes = language.read_mutation(found, await ran(sandbox, job, tmp_path / "r"))
    by_change = {(one.original, one.replacement): outcome for one, outcome in zip(found, outcomes, strict=True)}
    assert by_change["<", "<="].status == "survived"
    assert set(by_change["+=", "-="].killed_by) == {named[0], named[2]}
    assert {outcome.status for outcome in outcomes} <= {"killed", "survived", "invalid"}
    assert sum(outcome.status == "killed" for outcome in outcomes) >= 5


async def test_a_project_of_junit_4_with_no_build_file(sandbox: DockerSandbox, tmp_path: Path) -> None:
    files = {
        "Abs.java": "public class Abs {\n    /** {@code of(-3) == 3}, {@code of(3) == 4} */\n"
        "    public static Integer of(int x) {\n        return x < 0 ? -x : x;\n    }\n}\n",
        "AbsTest.java": "import org.junit.Test;\nimport static org.junit.Assert.*;\n\npublic class AbsTest {\n"
        "    @Test public void zero() { assertEquals(Integer.valueOf(0), Abs.of(0)); }\n}\n",
    }
    language, snapshot, project = project_of(tmp_path / "r", files)
    targets = language.targets(snapshot, project)
    tests = language.promise_tests(project, targets, language.promises(snapshot, project, targets))
    files = language.render(tests)
    job = language.suite_job(project, files, existing=True)
    suite = language.read_suite(project, await ran(sandbox, job, tmp_path / "r"))
    assert suite.collection_errors == {}
    assert sorted((one.id, one.status.value) for one in suite.outcomes) == [
        ("AbsPromisesTest.java::ofEquals1", "passed"),
        ("AbsPromisesTest.java::ofEquals2", "failed"),
        ("AbsTest.java::zero", "passed"),
    ]
    assert "import org.junit.Test;" in files["AbsPromisesTest.java"]


async def test_names_that_are_not_ascii_under_a_poor_locale(sandbox: DockerSandbox, tmp_path: Path) -> None:
    text = 'package größe;\npublic class Größe {\n    /** {@code maß("é") == "é!"} */\n'
    text += '    public static String maß(String x) {\n        return x + "!";\n    }\n}\n'
    language, snapshot, project = project_of(tmp_path / "r", {"größe/Größe.java": text})
    targets = language.targets(snapshot, project)
    tests = language.promise_tests(project, targets, language.promises(snapshot, project, targets))
    job = language.suite_job(project, language.render(tests), variation=RunVariation(3, 3, "HST10", "POSIX"))
    suite = language.read_suite(project, await ran(sandbox, job, tmp_path / "r"))
    assert [one.status for one in suite.outcomes] == [Status.PASSED]
    assert 5 in suite.coverage["größe/Größe.java"].covered_lines


def test_the_sample_through_the_whole_analysis(tmp_path: Path) -> None:
    shutil.copytree(SAMPLE, tmp_path / "harbour")
    said = qverify(tmp_path / "home", "analyze", str(tmp_path / "harbour"), "--json")
    document = said.document
    assert said.code == 1, said.err
    (defect,) = document["suspected_defects"]
    assert (defect["symbol"], defect["expected"], defect["observed"]) == ("Tariff.roundUp", "20L", "15")
    reasons = {one["name"]: one["reason"] for one in document["tests"]}
    assert reasons["numberEquals1"] == "compile"
    assert reasons["drawEquals1"] == "flaky"
    assert reasons["startingWithGives1"] == reasons["longestReturns1"] == "gain"
    labels: dict[str, Any] = {one["name"]: one["label"] for one in document["tests"] if one["verdict"] == "accepted"}
    assert "characterization" in labels.values() and "specification" in labels.values()
    assert document["coverage"]["before"]["lines"] < 0.3 < 0.9 < document["coverage"]["after"]["lines"]
    assert document["mutation"]["after"] > document["mutation"]["before"]
    assert document["missing"][0]["requirement"] == "org.example.radio:radio-core:2.1"
    executed_again(document["bundle"], tmp_path / "harbour", tmp_path / "second")
