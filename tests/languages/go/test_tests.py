"""Handed-in and generated tests: what is refused before a run, how a file is taken apart, mutants, what comes back from a run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from qverify_desktop.domain.execution import Execution, JobResult
from qverify_desktop.domain.results import Reason
from qverify_desktop.domain.testing import GeneratedTest, Label, Origin
from qverify_desktop.languages.base import StaticProblem
from tests.languages.go.module import LANGUAGE, module

TARGET_CODE = "package m\n\nfunc F(a int) int {\n\tif !ok(a) && a > 3 {\n\t\ta++\n\t}\n\treturn a\n}\n"


def written(body: str, name: str = "TestF") -> GeneratedTest:
    code = f"func {name}(t *testing.T) {{\n{body}\n}}"
    return GeneratedTest("m_test.go", name, code, "m.go::F", Label.CHARACTERIZATION, Origin.MODEL)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("if F(1) != 2 { t.Error() }", None),
        ('if got := F(1); got != 2 { t.Fatalf("%v", got) }', None),
        ("assert.Equal(t, 2, F(1))", None),
        ("switch F(1) {\ncase 2:\ndefault: t.Fail() }", None),
        ("F(1)", Reason.TRIVIAL),
        ("assert.Equal(t, 2, 2)", Reason.TRIVIAL),
        ("if x != x { t.Error() }", Reason.TRIVIAL),
        ("if 1 != 2 { t.Error() }", Reason.TRIVIAL),
        ("t.Skip()\nif F(1) != 2 { t.Error() }", Reason.TRIVIAL),
        ("if F(1 != { t.Error() }", Reason.SYNTAX),
        ("", Reason.TRIVIAL),
    ],
)
def test_static_problems(body: str, reason: Reason | None) -> None:
    problem = LANGUAGE.static_problem(written(body))
    assert (problem.reason if problem else None) is reason


def test_a_function_of_another_name_is_no_test() -> None:
    for name in ("Testf", "Check", "TestMain"):
        problem = LANGUAGE.static_problem(written("if F(1) != 2 { t.Error() }", name))
        assert problem is not None and problem.reason is Reason.NOT_A_TEST
    other = replace(written("if F(1) != 2 { t.Error() }"), name="TestOther")
    assert LANGUAGE.static_problem(other) is not None


def test_assertions_are_shown() -> None:
    code = "func TestF(t *testing.T) {\n\tif F(1) !=\n\t\t2 {\n\t\tt.Error()\n\t}\n\trequire.NoError(t, err)\n}"
    assert LANGUAGE.assertions(code) == [(2, "F(1) != 2"), (6, "require.NoError(t, err)")]
    assert LANGUAGE.assertions("func (") == []


ANSWER = """\
package m_test

import (
	"testing"
	"strings"

	"github.com/stretchr/testify/assert"
)

type row struct{ a, b int }

func check(t *testing.T, a row) { assert.Equal(t, a.b, a.a) }

var unused = strings.ToUpper("x")

func TestOne(t *testing.T) { check(t, row{1, 2}) }

func TestF_two(t *testing.T) {
	if F(1) != 2 {
		t.Error()
	}
}

func TestMain(m *testing.M) {}
"""


def test_a_file_is_taken_apart(tmp_path: Path) -> None:
    (target,) = module(tmp_path / "r", {"m.go": TARGET_CODE}).targets
    found = LANGUAGE.split(ANSWER, "m_model_test.go", target)
    assert not isinstance(found, StaticProblem)
    one, two = found
    assert (one.name, two.name) == ("TestF_One", "TestF_two")
    assert one.prelude == (
        "package m_test",
        'import "github.com/stretchr/testify/assert"',
        'import "testing"',
        "type row struct{ a, b int }",
        "func check(t *testing.T, a row) { assert.Equal(t, a.b, a.a) }",
    )
    assert two.prelude == ("package m_test", 'import "testing"')
    text = LANGUAGE.render(found)["m_model_test.go"]
    assert '"testing"\n\n\t"github.com/stretchr/testify/assert"\n)' in text


@pytest.mark.parametrize("source", ["", "func F() {}", "package m\n\nfunc TestX(t *testing.T) {", "\0", "{" * 50_000])
def test_what_holds_no_test_is_told(tmp_path: Path, source: str) -> None:
    (target,) = module(tmp_path / "r", {"m.go": TARGET_CODE}).targets
    assert isinstance(LANGUAGE.split(source, "m_model_test.go", target), StaticProblem)


def test_mutants(tmp_path: Path) -> None:
    found = module(tmp_path / "r", {"m.go": TARGET_CODE})
    (target,) = found.targets
    mutants = LANGUAGE.mutants(found.snapshot, found.project, target, frozenset(range(1, 9)), 50)
    changes = {(one.original, one.replacement) for one in mutants}
    assert {
        ("&&", "||"),
        (">", ">="),
        ("3", "4"),
        ("!ok(a)", "ok(a)"),
        ("a++", "a--"),
        ("return a", "return 0"),
    } <= changes
    data = TARGET_CODE.encode()
    assert all(data[one.start : one.end].decode() == one.original for one in mutants)


def test_focal_source_is_bounded(tmp_path: Path) -> None:
    code = TARGET_CODE.replace(
        "func F", "type unrelated int\n\nfunc ok(a int) bool { return a == 0 }\n\n// F counts.\nfunc F"
    )
    found = module(tmp_path / "r", {"m.go": code + "\n" + "// x\n" * 5000})
    text = LANGUAGE.focal_source(found.snapshot, found.targets[-1])
    assert "func ok(a int) bool\n" in text and "// F counts.\nfunc F" in text and "unrelated" not in text
    assert len(text) < 6100


def returned(*records: object) -> JobResult:
    content = "\n".join(one if isinstance(one, str) else json.dumps(one) for one in records).encode()
    return JobResult(Execution("observe", "c", "i", "d", (), 0, 1), artefacts={"observed.jsonl": content})


def call(**changed: object) -> dict[str, object]:
    one = {
        "kind": "call",
        "target": 0,
        "index": 0,
        "receiver": "",
        "arguments": "3",
        "values": [["int", "4"]],
        "gained": True,
    }
    return {**one, **changed}


def test_observations_that_agree_become_tests(tmp_path: Path) -> None:
    found = module(tmp_path / "r", {"m.go": TARGET_CODE})
    same, other = call(), call(index=1, arguments="5", values=[["int", "6"]])
    runs = [returned(same, other), returned(same, call(index=1, arguments="5", values=[["int", "7"]]))]
    (test,) = LANGUAGE.read_observations(found.project, found.targets, runs)
    assert (test.call, test.expected, test.label) == ("F(3)", "4", Label.CHARACTERIZATION)
    assert "\tobserved := F(3)\n\tif observed != 4 {\n" in test.code


@pytest.mark.parametrize(
    "forged",
    [
        call(arguments="3); os.Exit(1"),
        call(arguments="os.Getpid()"),
        call(arguments="func() int { return 3 }()"),
        call(receiver="F(3); panic(1)"),
        call(arguments="3)\n}\nfunc init() {\n(panic(1)"),
        call(arguments="<-c"),
        call(target=7),
        call(values=["x"] * 300),
        call(values=[["made", "opaque"]]),
        call(values=[["int", "4); panic("]]),
        call(index="0"),
        "[" * 100_000,
        "nonsense",
    ],
)
def test_nothing_of_a_forged_record_becomes_code(tmp_path: Path, forged: object) -> None:
    found = module(tmp_path / "r", {"m.go": TARGET_CODE})
    runs = [returned(forged), returned(forged)]
    assert LANGUAGE.read_observations(found.project, found.targets, runs) == []


def test_an_observed_error_is_compared_by_its_words(tmp_path: Path) -> None:
    code = "package m\n\nfunc F(a int) (int, error) {\n\treturn g(a)\n}\n"
    found = module(tmp_path / "r", {"m.go": code})
    record = call(values=[["int", "0"], ["made", "err", 'no "100%"\n']])
    (test,) = LANGUAGE.read_observations(found.project, found.targets, [returned(record), returned(record)])
    assert '\tif observed == nil || observed.Error() != "no \\"100%\\"\\n" {\n' in test.code
    assert "100%%" in test.code
