"""Examples in comments, documentation and example functions, spoken in Go for the declared types, and tests of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from qverify_desktop.domain.project import PromiseRelation
from tests.languages.go.module import LANGUAGE, function, module


@pytest.mark.parametrize(
    ("signature", "example", "call", "expected"),
    [
        ("F(a []int, b float64) bool", ">>> F([1, 2], 3)\ntrue", "F([]int{1, 2}, 3.0)", "true"),
        ("F(a []string) string", "F(['a', 'b']) == 'a'", 'F([]string{"a", "b"})', '"a"'),
        ("F(a rune) byte", "F('a') == 'b'", "F('a')", "'b'"),
        ("F(a string) rune", "F(\"x\") == '\\''", 'F("x")', "'\\''"),
        ("F(a map[string][]int) int", 'F({"x": [1]}) -> 2', 'F(map[string][]int{"x": []int{1}})', "2"),
        ("F() map[string]bool", 'F() == {"x": True}', "F()", 'map[string]bool{"x": true}'),
        ("F(a int) (int, error)", "F(1) == 2", "F(1)", "2"),
        ("F(a int) (q, r int, err error)", "F(7) == (2, 1)", "F(7)", "(2, 1)"),
        ("F(a int) (int, error)", "F(7) -> (2, nil)", "F(7)", "2"),
        ("F(a int) (int, string, error)", 'F(7) -> (2, "x", nil)', "F(7)", '(2, "x")'),
        ("F(a int) (string, bool)", 'F(7) == ("a, b", true)', "F(7)", '("a, b", true)'),
        ("F(a ...int) int", "F(1, 2, 3) == 6", "F(1, 2, 3)", "6"),
        ("F(a ...int) int", "F() == 0", "F()", "0"),
        ("F(a interface{}) any", "F(3.5) == nil", "F(3.5)", "nil"),
        ("F(a int) [2]interface{}", "F(1) == (nil, 1)", "F(1)", "[2]interface{}{nil, 1}"),
        ("F(a int) []string", 'F(1) ==> ("x")', "F(1)", '[]string{"x"}'),
        ("F(a int) *int", "F(1) == nil", "F(1)", "nil"),
        ("F[T any](a []T) T", "F([1, 2.5]) == 2.5", "F([]float64{1, 2.5})", "2.5"),
        ("F(a uint8) float64", "F(255) == inf", "F(255)", "math.Inf(1)"),
        ("F(a string) string", 'F("a\\tb") == "ü\\n"', 'F("a\\tb")', '"ü\\n"'),
    ],
)
def test_values_are_spoken_for_their_types(
    tmp_path: Path, signature: str, example: str, call: str, expected: str
) -> None:
    assert module(tmp_path / "r", {"m.go": function(example, signature)}).answers == [(call, expected)]


@pytest.mark.parametrize(
    ("signature", "example"),
    [
        ("F(a int) int", "F(1.5) == 2"),
        ("F(a uint8) int", "F(256) == 2"),
        ("F(a uint) int", "F(-1) == 2"),
        ("F(a int) int", "F(1, 2) == 2"),
        ("F(a int) int", 'F(1) == "2"'),
        ("F(a []int) int", "F({1, 2}) == 2"),
        ("F(a [2]int) int", "F([1, 2, 3]) == 2"),
        ("F(a interface{}) int", "F('a') == 2"),
        ("F(a chan int) int", "F(1) == 2"),
        ("F(a func(int) int) int", "F(1) == 2"),
        ("F(a *int) int", "F(1) == 2"),
        ("F(a int)", "F(1) == 2"),
        ("F(a int) error", "F(1) == 2"),
        ("F(a int) (int, int)", "F(1) == 2"),
        ("F(a int) struct{ x int }", "F(1) == 2"),
        ("F(a int) int", "F(1) may return 2"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, signature: str, example: str) -> None:
    assert module(tmp_path / "r", {"m.go": function(example, signature)}).answers == []


def test_named_types_are_what_they_stand_for(tmp_path: Path) -> None:
    text = "package m\n\ntype Degrees float64\n\ntype Names []string\n\ntype Box struct{ x int }\n\n" + (
        "// F(1.5) == 2.0\nfunc F(a Degrees) Degrees { return a }\n\n"
        '// G(["a"]) == ["b"]\nfunc G(a Names) Names { return a }\n\n'
        "// H(1) == 2\nfunc H(a Box) int { return 1 }\n"
    )
    assert module(tmp_path / "r", {"m.go": text}).answers == [
        ("F(1.5)", "2.0"),
        ('G(Names{"a"})', 'Names{"b"}'),
    ]


def test_a_readme_speaks_of_a_package(tmp_path: Path) -> None:
    code = "package parcel\n\nfunc Volume(a, b int) int { return a * b }\n"
    found = module(tmp_path / "r", {"parcel/p.go": code, "README.md": "Use it:\n\n    parcel.Volume(2, 3) == 6\n"})
    (promise,) = found.promises
    assert (promise.call, promise.expected, promise.file, promise.line) == ("Volume(2, 3)", "6", "README.md", 3)
    (test,) = found.tests
    assert test.path == "parcel/p_qv_promises_test.go" and test.prelude[0] == "package parcel"


@pytest.mark.parametrize(
    ("line", "answers"),
    [
        ("fmt.Println(text.F(3)) // Output: 3, or so", [("F(3)", '"3, or so"')]),
        ("fmt.Println(text.F(3)) // 3, or so", []),
        ("    fmt.Println(G(3)) // 7", [("G(3)", "7")]),
        ("fmt.Println(G(3)) // prints a number", []),
        ("fmt.Println(G(3), 4) // 7 4", []),
        ("fmt.Println(H(3)) // [7]", []),
    ],
)
def test_printed_values_in_fences(tmp_path: Path, line: str, answers: list[tuple[str, str]]) -> None:
    code = (
        "package text\n\nfunc F(a int) string { return x }\n\nfunc G(a int) int { return a }\n\n"
        "func H(a int) []int { return nil }\n"
    )
    found = module(tmp_path / "r", {"text/t.go": code, "README.md": f"```go\n{line}\n```\n"})
    assert found.answers == answers
    assert all(promise.words == line.strip() for promise in found.promises)


EXAMPLES = """\
package m_test

import "fmt"

func ExampleF() {
	fmt.Println(3)
	// Output:
	// 3
	// 4
}

func ExampleStack_Push_twice() {
	fmt.Println(3) // Output: no
	// Output: 7
}

func ExampleF_unordered() {
	fmt.Println(3)
	// Unordered output: 3
}

func ExampleG() {
	fmt.Println(3)
}

func ExampleNowhere() {
	// Output: 3
}
"""


def test_example_functions_promise_their_output(tmp_path: Path) -> None:
    code = (
        "package m\n\ntype Stack struct{}\n\nfunc F() { g() }\n\nfunc G() { g() }\n\nfunc (s *Stack) Push() { g() }\n"
    )
    found = module(tmp_path / "r", {"m.go": code, "m_test.go": EXAMPLES})
    first, second = found.promises
    assert (first.call, first.expected, first.relation) == ("ExampleF()", '"3\\n4"', PromiseRelation.PRINTS)
    assert (first.words, first.line) == ("// Output:\n\t// 3\n\t// 4", 7)
    assert (second.target, second.expected) == ("m.go::Stack.Push", '"7"')
    test = found.tests[0]
    assert (test.path, test.prelude[0]) == ("m_qv_examples_test.go", "package m_test")
    assert LANGUAGE.static_problem(test) is None


@pytest.mark.parametrize(
    ("returns", "expected", "condition"),
    [
        ("bool", "true", "!observed"),
        ("bool", "false", "observed"),
        ("int", "3", "observed != 3"),
        ("float64", "2.0", "!(math.Abs(observed-2.0) <= 2e-06)"),
        ("float64", "-0.33", "!(math.Abs(observed+0.33) <= 5e-3)"),
        ("float32", "0.25", "!(math.Abs(float64(observed)-0.25) <= 5e-3)"),
        ("float64", "0.3333333333333333", "!(math.Abs(observed-0.3333333333333333) <= 3.3e-13)"),
        ("float64", "nan", "!math.IsNaN(observed)"),
        ("[]int", "[]", "len(observed) != 0"),
        ("[]int", "[1, 2]", "!reflect.DeepEqual(observed, []int{1, 2})"),
        (
            "[][]int",
            "[[1], []]",
            "len(observed) != 2 || len(observed[0]) != 1 || observed[0][0] != 1 || len(observed[1]) != 0",
        ),
        (
            "[2]float64",
            "(1, 2)",
            "!(math.Abs(observed[0]-1.0) <= 1e-06) || !(math.Abs(observed[1]-2.0) <= 2e-06)",
        ),
        ("any", "3", "fmt.Sprint(observed) != fmt.Sprint(3)"),
        ("any", "nil", "observed != nil"),
        ("map[string]float64", '{"a": 1}', 'len(observed) != 1 || !(math.Abs(observed["a"]-1.0) <= 1e-06)'),
    ],
)
def test_comparisons(tmp_path: Path, returns: str, expected: str, condition: str) -> None:
    (test,) = module(tmp_path / "r", {"m.go": function(f"F() == {expected}", f"F() {returns}")}).tests
    assert f"\tif {condition} {{\n" in test.code


def test_a_test_file(tmp_path: Path) -> None:
    found = module(tmp_path / "r", {"m.go": function("F(2) == 0.5; see */ \u202eG", "F(a int) (float64, error)")})
    assert LANGUAGE.render(found.tests) == {
        "m_qv_promises_test.go": """\
// Tests written by QVerify Desktop. The comment above each test says what it rests on.

package m

import (
	"math"
	"testing"
)

// specification, m.go:3
//   // F(2) == 0.5; see * / G
func TestF_promise1(t *testing.T) {
	observed, err := F(2)
	if err != nil {
		t.Fatalf("F(2) fails: %v", err)
	}
	if !(math.Abs(observed-0.5) <= 5e-07) {
		t.Errorf("F(2) = %#v, want 0.5", observed)
	}
}
"""
    }


def test_expected_to_fail_is_turned_round(tmp_path: Path) -> None:
    (test,) = module(tmp_path / "r", {"m.go": function("F(2) == 5", "F(a int) int")}).tests
    turned = LANGUAGE.expected_to_fail(test, 'It is "known".')
    assert turned is not None and turned.path == "m_qv_promises_expected_to_fail_test.go"
    assert "t.Errorf" not in turned.code and "\t\tt.Skipf(" in turned.code
    assert turned.code.endswith('\tt.Error("It passes now, so it can be an ordinary test. It is \\"known\\".")\n}')
    assert LANGUAGE.command(test) == "go test -run '^TestF_promise1$' ./"
