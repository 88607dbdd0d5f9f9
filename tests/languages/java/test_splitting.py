"""A model's answer, what makes a test worth a run, mutants, and what comes back from a container."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qverify_desktop.domain.execution import Execution, JobResult
from qverify_desktop.domain.project import Target
from qverify_desktop.domain.results import Reason
from qverify_desktop.domain.testing import GeneratedTest, Label, Origin
from qverify_desktop.languages.java.language import JavaLanguage
from qverify_desktop.languages.java.observation import is_plain_call
from tests.languages.python.repositories import snapshot_of

LANGUAGE = JavaLanguage()
TARGET = Target("java", "p/C.java", "p", "C.f", 1, 2, 2, "int f(List<Integer> x)", returns="int")
ANSWER = '''\
package other;

import static org.junit.jupiter.api.Assertions.*;
import org.junit.jupiter.api.*;

class Anything {
    private C c;

    @BeforeEach
    void setUp() {
        c = new C();
    }

    @Test
    void one() {
        String text = """
            a
              b
            """;
        assertEquals(1, c.f(text));
    }

    @Test
    void one() {
        assertEquals(2, c.f(""));
    }
}
'''


def made(code: str) -> GeneratedTest:
    return GeneratedTest("p/T.java", "t", code, TARGET.id, Label.CHARACTERIZATION, Origin.MODEL)


def test_an_answer_is_taken_apart() -> None:
    tests = LANGUAGE.split(ANSWER, "p/CModelTest.java", TARGET)
    assert isinstance(tests, list)
    (test,) = tests
    assert (test.name, test.id) == ("one", "p/CModelTest.java::one")
    assert test.code.startswith("@Test\nvoid one() {\n    String text")
    assert test.prelude[0] == "package p;" and "import other.*;" in test.prelude
    assert any(entry.startswith("@BeforeEach\nvoid setUp() {\n    c = new C();") for entry in test.prelude)
    (text,) = LANGUAGE.render(tests).values()
    assert text.index("package p;") < text.index("import static") < text.index("class CModelTest {")
    assert LANGUAGE.static_problem(test) is None
    assert LANGUAGE.assertions(test.code) == [(7, "assertEquals(1, c.f(text))")]


@pytest.mark.parametrize("text", ["", "class {", "class A { }", "hello", "class A { @Test void f() { } "])
def test_an_answer_without_a_test_is_refused(text: str) -> None:
    problem = LANGUAGE.split(text, "p/T.java", TARGET)
    assert not isinstance(problem, list) and problem.reason in (Reason.SYNTAX, Reason.NOT_A_TEST)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("assertEquals(1, new C().f());", None),
        ("assertThrows(E.class, () -> new C().f());", None),
        ("assertTrue(new C().f());", None),
        ("assert new C().f() == 1;", None),
        ("new C().f();", Reason.TRIVIAL),
        ("assertTrue(true);", Reason.TRIVIAL),
        ("assertEquals(1, 1);", Reason.TRIVIAL),
        ("int x = 1; assertEquals(x, x);", Reason.TRIVIAL),
        ("List<Integer> x = List.of(1); assertEquals(1, x);", Reason.TRIVIAL),
        ("try { assertEquals(1, new C().f()); } catch (Throwable t) { }", Reason.TRIVIAL),
        ("Assumptions.assumeTrue(false); assertEquals(1, new C().f());", Reason.TRIVIAL),
        ("assertEquals(1, new C().f()", Reason.SYNTAX),
        ("(" * 5000, Reason.SYNTAX),
    ],
)
def test_what_asserts_nothing_is_refused(body: str, reason: Reason | None) -> None:
    problem = LANGUAGE.static_problem(made(f"@Test\nvoid t() {{\n    {body}\n}}"))
    assert (problem.reason if problem else None) is reason


def test_a_test_that_is_switched_off_is_refused() -> None:
    problem = LANGUAGE.static_problem(made("@Disabled\n@Test\nvoid t() {\n    assertEquals(1, new C().f());\n}"))
    assert problem is not None and problem.reason is Reason.TRIVIAL


@pytest.mark.parametrize(
    ("call", "plain"),
    [
        ("C.f(new ArrayList<>(List.of(1, -2)))", True),
        ('new C("a", 1).f(new int[] {1, 2}, Map.of("a", Optional.of(1)))', True),
        ("new C().f(C.Kind.A)", True),
        ("Runtime.getRuntime().exec(1)", False),
        ("C.f(Runtime.getRuntime().exec(1))", False),
        ("C.f(new ProcessBuilder())", False),
        ("C.f(() -> 1)", False),
        ("C.f(x = 1)", False),
        ("C.f(1); } static { System.exit(0)", False),
        ("C.g(1)", False),
        ("C.f(" * 1000, False),
    ],
)
def test_a_call_that_comes_back_is_a_plain_one(call: str, plain: bool) -> None:
    assert is_plain_call(call, TARGET) is plain


def test_observations_that_were_forged_or_differ_are_dropped(tmp_path: Path) -> None:
    snapshot = snapshot_of(
        tmp_path, {"p/C.java": "package p;\npublic class C {\n    public static int f(int x) { return x; }\n}\n"}
    )
    project = LANGUAGE.detect(snapshot)
    assert project is not None
    targets = LANGUAGE.targets(snapshot, project)

    def result(*documents: object) -> JobResult:
        lines = b"\n".join(json.dumps(one).encode() for one in documents) + b'\n{"kind": [[\nnull\n\xff'
        return JobResult(Execution("observe", "", "", "", (), 0, 0), artefacts={"observations.jsonl": lines})

    def seen(call: str, value: object, **more: object) -> dict[str, object]:
        lines = {"p/C.java": [3]}
        return {
            "kind": "observation", "target": targets[0].id, "call": call, "raised": "", "value": json.dumps(value),
            "lines": lines, "branches": {}, **more,
        }  # fmt: skip

    good = seen("C.f(1)", ["int", "1"])
    bad = [
        seen("C.f(2)", ["int", "2"]),
        seen("System.exit(2)", ["int", "2"]),
        seen("C.f(3)", "text"),
        seen("C.f(4)", 5.5),
        seen("C.f(5)", ["int", "1"], lines=3),
        seen("C.f(6)", ["int", "6"], target="nothing"),
        {"kind": "observation"},
        [],
    ]
    other = [good, seen("C.f(2)", ["int", "3"]), *bad[1:]]
    (test,) = LANGUAGE.read_observations(project, targets, [result(good, *bad), result(*other)])
    assert test.code == "@Test\nvoid fObserved1() {\n    assertEquals(1, C.f(1));\n}"
    assert LANGUAGE.read_observations(project, targets, []) == []
    jobs = LANGUAGE.observation_jobs(snapshot, project, targets, 0)
    assert len(jobs) == 2 and jobs[0].overlay.keys() == jobs[1].overlay.keys()


def test_mutants_are_spread_and_parse(tmp_path: Path) -> None:
    code = """\
    class C {
        static int f(int x, String s) {
            if (s.isEmpty() || x >= 10) {
                throw new IllegalArgumentException("no");
            }
            int sum = 0;
            for (int i = 0; i < x; i++) {
                sum += i * 2;
            }
            s.trim();
            return sum;
        }
    }
    """
    snapshot = snapshot_of(tmp_path, {"C.java": code})
    project = LANGUAGE.detect(snapshot)
    assert project is not None
    (target,) = LANGUAGE.targets(snapshot, project)
    found = LANGUAGE.mutants(snapshot, project, target, frozenset(range(1, 20)), 100)
    changes = {(one.operator, one.original, one.replacement) for one in found}
    assert {
        ("relational", ">=", ">"),
        ("logical", "||", "&&"),
        ("arithmetic", "+=", "-="),
        ("arithmetic", "i++", "i--"),
        ("call", "s.trim();", ";"),
        ("return", "sum", "0"),
        ("raise", 'throw new IllegalArgumentException("no");', ";"),
        ("constant", "10", "11"),
    } <= changes
    assert len(LANGUAGE.mutants(snapshot, project, target, frozenset({3}), 2)) == 2
    assert LANGUAGE.mutants(snapshot, project, target, frozenset(), 10) == []


def test_a_prompt_sees_the_method_in_its_class(tmp_path: Path) -> None:
    code = (
        "package p;\n\nimport java.util.List;\n\nclass C {\n    private final int limit;\n    private int other;\n\n"
        "    C(int limit) {\n        this.limit = limit;\n    }\n\n    int f(int x) {\n        return help(x) + limit;\n    }\n\n"
        "    int help(int x) {\n        return 1;\n    }\n}\n"
    )
    snapshot = snapshot_of(tmp_path, {"p/C.java": code})
    project = LANGUAGE.detect(snapshot)
    assert project is not None
    target = LANGUAGE.targets(snapshot, project)[0]
    text = LANGUAGE.focal_source(snapshot, target)
    assert "import java.util.List;" in text and "class C {" in text and "return help(x) + limit;" in text
    assert "    int help(int x);" in text and "return 1" not in text and "other" not in text
