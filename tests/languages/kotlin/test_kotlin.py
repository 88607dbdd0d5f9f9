"""Kotlin: what is found in its source, how examples are written for its types, what a test must be."""

from __future__ import annotations

from pathlib import Path

import pytest

from qverify_desktop.domain.project import Project, Snapshot, Target
from qverify_desktop.domain.results import Reason
from qverify_desktop.domain.testing import GeneratedTest, Label, Origin
from qverify_desktop.languages.kotlin.language import KotlinLanguage
from qverify_desktop.languages.kotlin.observation import is_plain_call
from qverify_desktop.languages.kotlin.passages import receivers_first
from tests.languages.python.repositories import snapshot_of

LANGUAGE = KotlinLanguage()
CODE = """\
package a.b

/** A table of things. */
data class Table(val rows: Int = 0, val names: List<String> = listOf()) {
    /** Doubled. */
    fun twice(factor: Int = 2): Int {
        return rows * factor
    }

    private fun hidden(x: Int): Int {
        return x
    }

    companion object {
        fun empty(x: Int): Table {
            return Table(x)
        }
    }

    enum class Side { LEFT, RIGHT }
}

sealed class Shape {
    fun area(): Int {
        return 1
    }
}

object Tools {
    fun <T : Any> first(items: List<T>, vararg more: T): T? {
        if (items.isEmpty() && more.isEmpty()) return null
        return items.firstOrNull() ?: more[0]
    }
}

internal fun String.shout(times: Int = 1): String = uppercase() + "!".repeat(times)

fun over(x: Int): Int = x
fun over(x: String): Int = x.length

suspend fun later(x: Int): Int {
    return x
}

interface Plan {
    fun step(): Int
}
"""


def project_of(root: Path, text: str = CODE, path: str = "src/main/kotlin/a/b/Table.kt") -> tuple[Snapshot, Project]:
    snapshot = snapshot_of(root, {path: text})
    project = LANGUAGE.detect(snapshot)
    assert project is not None
    return snapshot, project


def test_targets(tmp_path: Path) -> None:
    snapshot, project = project_of(tmp_path)
    assert project.source_roots == ("src/main/kotlin",)
    found = {one.symbol: one for one in LANGUAGE.targets(snapshot, project)}
    assert {name: (one.callee, one.public, one.returns) for name, one in found.items()} == {
        "Table.twice": ("method", True, "Int"),
        "Table.hidden": ("method", False, "Int"),
        "Table.empty": ("staticmethod", True, "Table"),
        "Shape.area": ("method", True, "Int"),
        "Tools.first": ("staticmethod", True, "T?"),
        "shout": ("function", True, "String"),
        "over(Int)": ("function", True, "Int"),
        "over(String)": ("function", True, "Int"),
        "later": ("function", True, "Int"),
    }
    assert found["Table.twice"].docstring == "Doubled."
    assert found["Table.twice"].module == "a.b"
    assert found["Table.twice"].parameters[0].default == "2"
    assert found["later"].is_async
    assert found["Tools.first"].complexity == 4
    assert [(one.name, one.annotation) for one in found["shout"].parameters] == [("this", "String"), ("times", "Int")]


def mined(root: Path, signature: str, *words: str) -> list[tuple[str, str]]:
    comment = "\n".join(f" * {line}" for line in words)
    snapshot, project = project_of(
        root, f"package a\n\nenum class Kind {{ A, B }}\n\n/**\n{comment}\n */\n{signature} {{\n    TODO()\n}}\n"
    )
    found = LANGUAGE.promises(snapshot, project, LANGUAGE.targets(snapshot, project))
    return [(promise.call, promise.expected) for promise in found]


@pytest.mark.parametrize(
    ("signature", "words", "call", "expected"),
    [
        ("fun f(x: Int): Int", "`f(1) == 2`", "f(1)", "2"),
        ("fun f(x: Long): Long", "f(1) -> 2", "f(1L)", "2L"),
        ("fun f(x: Double): Float", "f(1) returns 2.5", "f(1.0)", "2.5f"),
        ("fun f(x: Int, y: Int = 3): Int", "f(1) == 2", "f(1)", "2"),
        ("fun f(x: List<Int>): List<String>", 'f([1, 2]) == ["a"]', "f(listOf(1, 2))", 'listOf("a")'),
        ("fun f(x: MutableList<Int>): List<Int>", "f([1]) == []", "f(mutableListOf(1))", "listOf<Int>()"),
        ("fun f(x: IntArray): Set<Char>", "f([1]) == {'a'}", "f(intArrayOf(1))", "setOf('a')"),
        ("fun f(m: Map<String, Int>): Int?", 'f(mapOf("a" to 1)) == null', 'f(mapOf("a" to 1))', "null"),
        ("fun f(x: Int): Pair<Int, String>", 'f(1) == (2, "a")', "f(1)", 'Pair(2, "a")'),
        ("fun f(x: Kind): Kind", "f(Kind.A) == 1", None, None),
        ("fun f(s: String): String", 'f("\\$a") == "b$c"', 'f("\\$a")', '"b\\$c"'),
        ("fun <T> f(x: List<T>): T", 'f(["a"]) == "a"', 'f(listOf("a"))', '"a"'),
        ("fun String.f(n: Int): String", '"ab".f(2) == "abab"', '"ab".f(2)', '"abab"'),
        ("fun Int.f(): Int", "(-3).f() == 3", "(-3).f()", "3"),
        ("fun List<Int>.f(): Int", "listOf(1, 2).f() == 3", "listOf(1, 2).f()", "3"),
        ("fun f(x: Int): Int", "f(null) == 2", None, None),
        ("private fun f(x: Int): Int", "f(1) == 2", None, None),
        ("suspend fun f(x: Int): Int", "f(1) == 2", None, None),
        ("fun f(x: Int)", "f(1) == 2", None, None),
    ],
)
def test_values_are_written_for_the_declared_type(
    tmp_path: Path, signature: str, words: str, call: str | None, expected: str | None
) -> None:
    assert mined(tmp_path, signature, words) == ([] if call is None else [(call, expected)])


def test_receivers_come_first() -> None:
    assert receivers_first('"a.b(" then "x".f(1), [1].f() and y.f(2)', frozenset({"f"})) == (
        '"a.b(" then f("x", 1), f([1]) and y.f(2)'
    )
    assert receivers_first("[" * 1500 + ".f(", frozenset({"f"})) == "[" * 1500 + ".f("


def test_tests_are_files_of_kotlin(tmp_path: Path) -> None:
    text = "package a\n\n/** `mean(listOf(1.0, 2.0)) == 1.5` */\nfun mean(xs: List<Double>): Double {\n    return 0.0\n}\n"
    snapshot, project = project_of(tmp_path, text, "src/main/kotlin/a/Mean.kt")
    targets = LANGUAGE.targets(snapshot, project)
    tests = LANGUAGE.promise_tests(project, targets, LANGUAGE.promises(snapshot, project, targets))
    assert [LANGUAGE.static_problem(test) for test in tests] == [None]
    assert LANGUAGE.render(tests) == {
        "src/test/kotlin/a/MeanPromisesTest.kt": """\
// Tests written by QVerify Desktop. The comment above each test says what it rests on.

package a

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test

class MeanPromisesTest {
    // specification, src/main/kotlin/a/Mean.kt:3
    //   /** `mean(listOf(1.0, 2.0)) == 1.5` * /
    @Test
    fun meanEquals1() {
        assertEquals(1.5, mean(listOf(1.0, 2.0)), 1e-5)
    }
}
"""
    }


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("assertEquals(1, f())", None),
        ("assertThrows<E> { f() }", None),
        ("assertTrue(true)", Reason.TRIVIAL),
        ("assertEquals(1, 1)", Reason.TRIVIAL),
        ("f()", Reason.TRIVIAL),
        ("assertEquals(listOf(1), listOf(2))", Reason.TRIVIAL),
        ("try { assertEquals(1, f()) } catch (e: Throwable) { }", Reason.TRIVIAL),
        ("assumeTrue(false)\n    assertEquals(1, f())", Reason.TRIVIAL),
        ("assertEquals(1, f(", Reason.SYNTAX),
    ],
)
def test_what_asserts_nothing_is_refused(body: str, reason: Reason | None) -> None:
    code = f"@Test\nfun t() {{\n    {body}\n}}"
    test = GeneratedTest("T.kt", "t", code, "x", Label.CHARACTERIZATION, Origin.MODEL)
    problem = LANGUAGE.static_problem(test)
    assert (problem.reason if problem else None) is reason


def test_an_answer_is_taken_apart() -> None:
    answer = (
        "package b\n\nimport org.junit.jupiter.api.Test\n\nclass Anything {\n    private val table = Table(1)\n\n"
        "    @Test\n    fun `is two`() {\n        assertEquals(2, table.twice())\n    }\n}\n"
    )
    target = Target("kotlin", "a/b/Table.kt", "a.b", "Table.twice", 1, 2, 2, "")
    tests = LANGUAGE.split(answer, "a/b/TableModelTest.kt", target)
    assert isinstance(tests, list)
    assert [(one.name, one.code) for one in tests] == [
        ("is two", "@Test\nfun `is two`() {\n    assertEquals(2, table.twice())\n}")
    ]
    assert tests[0].prelude == (
        "package a.b", "import org.junit.jupiter.api.Test", "import b.*", "private val table = Table(1)",
    )  # fmt: skip
    assert LANGUAGE.assertions(tests[0].code) == [(3, "assertEquals(2, table.twice())")]
    problem = LANGUAGE.split("fun x() {", "T.kt", target)
    assert not isinstance(problem, list)


@pytest.mark.parametrize(
    ("call", "plain"),
    [
        ('f(listOf(1, 2), mapOf("a" to -1))', True),
        ('"a".f(2)', True),
        ("f(run { 1 })", False),
        ("f(Runtime.getRuntime().exec(1))", False),
        ('f("${exit()}")', False),
        ("f(1); exit()", False),
    ],
)
def test_a_call_that_comes_back_is_a_plain_one(call: str, plain: bool) -> None:
    assert is_plain_call(call, Target("kotlin", "a.kt", "a", "f", 1, 2, 2, "")) is plain


def test_mutants(tmp_path: Path) -> None:
    text = (
        "fun f(x: Int, s: String): Int {\n    if (s.isEmpty() || x >= 10) {\n        return -1\n    }\n    var sum = 0\n"
        "    for (i in 1..x) {\n        sum += i * 2\n        if (!s.any()) continue\n        println(sum)\n        sum++\n    }\n"
        "    return sum\n}\n"
    )
    snapshot, project = project_of(tmp_path, text, "F.kt")
    (target,) = LANGUAGE.targets(snapshot, project)
    found = LANGUAGE.mutants(snapshot, project, target, frozenset(range(1, 20)), 100)
    assert {
        ("relational", ">=", ">"),
        ("logical", "||", "&&"),
        ("arithmetic", "+=", "-="),
        ("arithmetic", "*", "/"),
        ("arithmetic", "sum++", "sum--"),
        ("constant", "1..x", "1 until x"),
        ("negation", "!", ""),
        ("loop", "continue", "break"),
        ("call", "println(sum)", "Unit"),
        ("return", "sum", "0"),
    } <= {(one.operator, one.original, one.replacement) for one in found}


def test_hostile_files_are_answered_with_a_reason(tmp_path: Path) -> None:
    snapshot = snapshot_of(
        tmp_path,
        {
            "Deep.kt": "fun f() = " + "(" * 20_000 + "1" + ")" * 20_000,
            "Binary.kt": b"fun f()\0",
            "Latin.kt": 'val s = "é"'.encode("latin-1"),
            "Good.kt": "fun f(): Int {\n    return 1\n}\n",
        },
    )
    project = LANGUAGE.detect(snapshot)
    assert project is not None
    assert project.source_files == ("Good.kt",)
    assert {one.path for one in project.unreadable} == {"Binary.kt", "Deep.kt", "Latin.kt"}


def test_a_prompt_sees_the_function_in_its_owner(tmp_path: Path) -> None:
    snapshot, project = project_of(tmp_path)
    target = next(one for one in LANGUAGE.targets(snapshot, project) if one.symbol == "Table.twice")
    text = LANGUAGE.focal_source(snapshot, target)
    assert "package a.b" in text and "data class Table(" in text and "return rows * factor" in text
    assert "hidden" not in text
