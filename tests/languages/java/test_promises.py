"""From Javadoc to test methods: what is read, how it is written for the declared types, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from qverify_desktop.languages.java.asserting import tolerance
from qverify_desktop.languages.java.language import JavaLanguage
from qverify_desktop.languages.java.passages import readable
from tests.languages.python.repositories import snapshot_of


def mined(
    root: Path, signature: str, *words: str, beside: str = "", head: str = "class C {"
) -> list[tuple[str, str]]:
    """Call and answer of each example in the comment of a method with this signature."""
    comment = "\n".join(f"     * {line}" for line in words)
    text = f"package p;\n\n{head}\n    /**\n{comment}\n     */\n    {signature} {{\n        return null;\n    }}\n{beside}\n}}\n"
    snapshot = snapshot_of(root, {"p/C.java": text})
    language = JavaLanguage()
    project = language.detect(snapshot)
    assert project is not None
    found = language.promises(snapshot, project, language.targets(snapshot, project))
    for promise in found:
        lines = text.split("\n")[promise.line - 1 :]
        assert "\n".join(lines).find(promise.words) < 200
    return [(promise.call, promise.expected) for promise in found]


@pytest.mark.parametrize(
    ("signature", "words", "call", "expected"),
    [
        ("static int f(int x)", "{@code f(1) == 2}", "C.f(1)", "2"),
        ("long f(long x)", "f(1) -> 2", "new C().f(1L)", "2L"),
        ("double f(double x)", "f(1) returns 2", "new C().f(1.0)", "2.0"),
        ("static char f(String s)", 'f("ab") => "a"', 'C.f("ab")', "'a'"),
        ("static boolean f(String s)", "f('a') == True", 'C.f("a")', "true"),
        ("static String f(Object x)", "f(null) == None", "C.f(null)", "null"),
        ("static Optional<Integer> f(int x)", "f(1) == 2", "C.f(1)", "Optional.of(2)"),
        ("static Optional<String> f(int x)", "f(1) == Optional[a b]", None, None),
        ("static Optional<String> f(int x)", "f(1) == Optional[ab]", "C.f(1)", 'Optional.of("ab")'),
        ("static Optional<String> f(int x)", "f(1) == None", "C.f(1)", "Optional.empty()"),
        ("static int[] f(int... xs)", "f(1, 2) == [2, 1]", "C.f(1, 2)", "new int[] {2, 1}"),
        ("static int[][] f()", "f() == {{1}, {2}}", None, None),
        ("static int[][] f()", "f() == [[1], [2]]", "C.f()", "new int[][] {new int[] {1}, new int[] {2}}"),
        ("static List<Long> f(List<Integer> x)", "f([1]) == [1]", "C.f(new ArrayList<>(List.of(1)))", "List.of(1L)"),
        ("static Set<String> f(int x)", 'f(1) == {"a", "a"}', "C.f(1)", 'Set.of("a")'),
        ("static Map<String, Integer> f()", 'f() == {"a": 1}', "C.f()", 'Map.of("a", 1)'),
        ("static <T> List<T> f(List<T> x)", 'f(["a"]) == ["a"]', 'C.f(new ArrayList<String>(List.of("a")))', 'List.of("a")'),
        ("static List<Object> f(int x)", 'f(1) == ("a", false)', "C.f(1)", 'List.of("a", false)'),
        ("static Kind f(Kind k)", "f(Kind.A) == 1", None, None),
        ("static int f(Kind k)", "f(Kind.A) == 1", "C.f(C.Kind.A)", "1"),
        ("static int f(int x)", "f(99999999999) == 1", None, None),
        ("static int f(int x)", "f(1.5) == 1", None, None),
        ("static int f(String s)", "f(word) == 1", None, None),
        ("static int f(int x)", "f(1, 2) == 1", None, None),
        ("private static int f(int x)", "f(1) == 1", None, None),
        ("static int f(Object o)", "f([1, 2]) == 1", None, None),
        ("static String f(char c)", "f('A') == \"\\u0041\"", None, None),
        ("static String f(int x)", 'f(1) == "java.lang.Object@1e23"', None, None),
        ("static int f(String... x)", "f(null) == 1", "C.f(null)", "1"),
        ("static byte[] f(byte... x)", "f(1) == [1]", "C.f((byte) 1)", "new byte[] {(byte) 1}"),
        ("static <T> T[] f(T[] x)", 'f([null, "a"]) == ["b"]', 'C.f(new String[] {null, "a"})', 'new String[] {"b"}'),
    ],
)  # fmt: skip
def test_values_are_written_for_the_declared_type(
    tmp_path: Path, signature: str, words: str, call: str | None, expected: str | None
) -> None:
    found = mined(tmp_path, signature, words, beside="    enum Kind { A, B }")
    assert found == ([] if call is None else [(call, expected)])


def test_forms_of_javadoc(tmp_path: Path) -> None:
    words = (
        "<pre>{@code",
        "C.f(1) == 2",
        "int x = C.f(2); // 3",
        "}</pre>",
        "<li>{@code f(3)} returns {@code 4}",
        "@return 5 for 4, {@code f(5) == 6}",
        "a &lt; b, f(6) =&gt; 7",
    )
    assert mined(tmp_path, "static int f(int x)", *words) == [(f"C.f({n})", str(n + 1)) for n in (1, 2, 3, 5, 6)]


def test_receivers_that_need_something_are_left_alone(tmp_path: Path) -> None:
    assert mined(tmp_path / "a", "int f(int x)", "f(1) == 2", beside="    C(int a) { }") == []
    assert mined(tmp_path / "b", "int f(int x)", "f(1) == 2", head="abstract class C {") == []
    assert mined(tmp_path / "c", "int f(int x)", "f(1) == 2", head="class C<T> {") == [("new C<>().f(1)", "2")]
    hidden = mined(tmp_path / "e", "int f(int x)", "f(1) == 2", beside="    C() { }", head="public class C {")
    assert hidden == [], "a constructor that a public class keeps in its package makes what nobody else could"
    both = mined(tmp_path / "d", "int f(int x)", "f(1) == 2", beside="    C(int a) { }\n    C() { }")
    assert both == [("new C().f(1)", "2")]


def test_an_overload_speaks_of_itself(tmp_path: Path) -> None:
    beside = "    static int f(String s) { return 0; }"
    spread = mined(tmp_path / "b", "static int f(boolean... x)", "f(true) == 3", beside=beside)
    assert spread == [("C.f(new boolean[] {true})", "3")]
    assert mined(tmp_path, "static int f(Integer x)", "f(null) == 2", "f(1) == 3", beside=beside) == [
        ("C.f((Integer) null)", "2"),
        ("C.f(1)", "3"),
    ]


def test_what_is_said_to_be_refused_is_tried(tmp_path: Path) -> None:
    said = "@throws IllegalArgumentException if {@code x} is negative"
    assert mined(tmp_path / "a", "static int f(int x)", said) == [
        ("C.f(-1)", "IllegalArgumentException"),
        ("C.f(-7)", "IllegalArgumentException"),
    ]
    beside = "    static int f(String s) { return 0; }"
    null = "@throws NullPointerException if the file is null"
    head = "import java.io.File;\n\nclass C {"
    assert mined(tmp_path / "b", "static int f(File file)", null, beside=beside, head=head) == [
        ("C.f((java.io.File) null)", "NullPointerException")
    ]
    assert mined(tmp_path / "c", "static int f(File file)", null, beside=beside) == [], "nobody says which File it is"
    assert mined(tmp_path / "d", "static int f(int x)", said.replace("Illegal", "org.other.Illegal")) == []


def test_mark_up_goes_and_lines_stay() -> None:
    lines = [
        '{@code f("{}") == 1}',
        "<p>a <b>b</b>",
        "{@link Map<String>} &amp;",
        "<pre>{@code",
        "if (a) { b }",
        "}</pre>",
    ]
    assert readable(lines) == ('`f("{}") == 1`', " a  b ", "`Map<String>` &", " ", "if (a) { b }", " ")
    assert len(readable(["{@code " * 5000, "}" * 5000])) == 2


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("0.33", "5e-3"),
        ("2.0", "1e-5"),
        ("-0.5", "1e-6"),
        ("0.0", "1e-9"),
        ("3.1415926535897", "1e-11"),
        ("1.5E10", "1e5"),
        ("Double.NaN", None),
        ("2.5f", "1e-5"),
    ],
)
def test_fractions_are_as_near_as_their_digits_say(text: str, near: str | None) -> None:
    assert tolerance(text) == near


def test_tests_are_files_that_follow_the_words(tmp_path: Path) -> None:
    text = (
        "package p;\n\nimport java.util.*;\n\npublic class C {\n"
        "    /** {@code mean(List.of(1.0, 2.0)) == 1.5} */\n"
        "    public double mean(List<Double> xs) throws Exception {\n        return 0;\n    }\n\n"
        "    /** {@code split(3) == [1.25, 1.75]} and */ public List<Double> split(int x) { return null; }\n"
        "    /** {@code none(3) == null} */ */ public String none(int x) { return null; }\n}\n"
    )
    snapshot = snapshot_of(tmp_path, {"src/main/java/p/C.java": text})
    language = JavaLanguage()
    project = language.detect(snapshot)
    assert project is not None
    targets = language.targets(snapshot, project)
    tests = language.promise_tests(project, targets, language.promises(snapshot, project, targets))
    assert all(language.static_problem(test) is None for test in tests)
    files = language.render(tests)
    assert list(files) == ["src/test/java/p/CPromisesTest.java"]
    assert files == language.render(list(tests))
    assert files["src/test/java/p/CPromisesTest.java"].startswith(
        """\
// Tests written by QVerify Desktop. The comment above each test says what it rests on.
package p;

import static org.junit.jupiter.api.Assertions.assertEquals;
"""
    )
    assert """\
class CPromisesTest {
    // specification, src/main/java/p/C.java:6
    //   /** {@code mean(List.of(1.0, 2.0)) == 1.5} * /
    @Test
    void meanEquals1() throws Exception {
        assertEquals(1.5, new C().mean(new ArrayList<>(List.of(1.0, 2.0))), 1e-5);
    }

""" in files["src/test/java/p/CPromisesTest.java"]
    assert "assertEquals(1.25, observed.get(0), 5e-3);" in files["src/test/java/p/CPromisesTest.java"]
