"""Kotlin in real containers: a sample through the whole analysis, tests that do not compile, mutants."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from qverify_desktop.domain.testing import MutantStatus, Status
from qverify_desktop.languages.kotlin.language import KotlinLanguage
from qverify_desktop.sandbox.docker import DockerSandbox
from tests.integration.command import qverify
from tests.integration.languages.test_java import ran
from tests.languages.python.repositories import snapshot_of

pytestmark = pytest.mark.docker
SAMPLE = Path(__file__).parent / "samples" / "kotlin"

#: Kotlin that names Java, and Java that names Kotlin.
FILES = {
    "src/main/kotlin/a/Sum.kt": """\
package a

internal fun sum(xs: List<Int>): Int {
    var sum = 0
    for (x in xs) {
        if (x > Limit.LEAST) {
            sum += x
        }
    }
    return sum
}
""",
    "src/main/java/a/Limit.java": """\
package a;

public class Limit {
    public static final int LEAST = Integer.parseInt("0");

    public static int twice(java.util.List<Integer> xs) {
        return 2 * SumKt.sum(xs);
    }
}
""",
}
PATH = "src/test/kotlin/a/SumPromisesTest.kt"
GENERATED = """\
package a

import nowhere.Else
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test

class SumPromisesTest {
    @Test
    fun good() {
        assertEquals(2, sum(listOf(2, -1)))
        assertEquals(4, Limit.twice(listOf(2)))
    }

    @Test
    fun wrong() {
        assertEquals(5, sum(listOf(2)))
    }

    @Test
    fun noSuchFunction() {
        assertEquals(5, total(listOf(2)))
    }

    @Test
    fun noSuchImport() {
        assertEquals(5, Else.f())
    }

    @Test
    fun exits() {
        Runtime.getRuntime().halt(0)
    }
}
"""


async def test_tests_and_mutants_of_kotlin_beside_java(sandbox: DockerSandbox, tmp_path: Path) -> None:
    language, root = KotlinLanguage(patience_s=5), tmp_path / "r"
    snapshot = snapshot_of(root, FILES)
    project = language.detect(snapshot)
    assert project is not None
    suite = language.read_suite(project, await ran(sandbox, language.suite_job(project, {PATH: GENERATED}), root))
    outcomes = {one.id.partition("::")[2]: one for one in suite.outcomes if one.status is not Status.MISSING}
    assert {name: one.status for name, one in outcomes.items()} == {
        "good": Status.PASSED,
        "wrong": Status.FAILED,
        "exits": Status.ERROR,
    }
    assert (outcomes["wrong"].observed, outcomes["wrong"].in_test) == ("2", True)
    assert set(suite.collection_errors) == {f"{PATH}::noSuchFunction", f"{PATH}::noSuchImport"}
    assert suite.footprints[f"{PATH}::good"].lines["src/main/kotlin/a/Sum.kt"] == {4, 5, 6, 7, 10}
    (target,) = language.targets(snapshot, project)
    found = language.mutants(snapshot, project, target, frozenset(range(1, 12)), 10)
    job = language.mutation_job(project, {PATH: GENERATED}, found, {one.id: [f"{PATH}::good"] for one in found})
    read = language.read_mutation(found, await ran(sandbox, job, root))
    by_change = {(one.original, one.replacement): out.status for one, out in zip(found, read, strict=True)}
    assert by_change["+=", "-="] is MutantStatus.KILLED
    assert by_change[">", ">="] is MutantStatus.SURVIVED
    assert MutantStatus.NOT_RUN not in by_change.values()


def test_the_sample_through_the_whole_analysis(tmp_path: Path) -> None:
    shutil.copytree(SAMPLE, tmp_path / "harbour")
    said = qverify(tmp_path / "home", "analyze", str(tmp_path / "harbour"), "--json", timeout=560)
    document = said.document
    assert said.code == 1, said.err
    (defect,) = document["suspected_defects"]
    assert (defect["symbol"], defect["expected"], defect["observed"]) == ("roundUp", "20L", "15")
    reasons = {one["name"]: one["reason"] for one in document["tests"]}
    assert reasons["numberEquals1"] == "compile"
    assert reasons["drawEquals1"] == "flaky"
    assert {reasons[name] for name in ("spelledEquals1", "feeEquals2", "berthsLongestEquals1")} == {"gain"}
    labels = {one["label"] for one in document["tests"] if one["verdict"] == "accepted"}
    assert labels == {"characterization", "specification"}
    assert document["coverage"]["before"]["lines"] < 0.3 < 0.9 < document["coverage"]["after"]["lines"]
    assert document["mutation"]["after"] > document["mutation"]["before"]
