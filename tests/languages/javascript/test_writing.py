"""Generated tests as files, tests that could not fail, and a model's answer taken apart."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from qverify_desktop.domain.results import Reason
from qverify_desktop.domain.testing import GeneratedTest, Label, Origin, Quote
from qverify_desktop.languages.base import RunVariation, StaticProblem
from qverify_desktop.languages.javascript.language import JavaScriptLanguage
from tests.languages.javascript.reading import read

LANGUAGE = JavaScriptLanguage()
TARGET_SOURCE = "export const f = (a) => a + 1;\nexport const g = (a) => a + 2;\n"


def made(code: str, prelude: tuple[str, ...] = (), name: str = "t", path: str = "test/a.test.js") -> GeneratedTest:
    return GeneratedTest(path, name, code, "a.js::f", Label.CHARACTERIZATION, Origin.MODEL, prelude)


def test_files_are_merged_and_say_what_each_test_rests_on() -> None:
    one = made('test("one", () => {\n  expect(f(1)).toBe(2);\n});', ('import { f } from "../a.js";',), "one")
    quote = Quote("f(2) // => 3 */ \u2028 x\u202e", "a.js", 3)
    two = replace(
        made(
            'test("two", () => {\n  expect(g(1)).toBe(2);\n});',
            ("import { g } from '../a.js';", 'import { test } from "vitest";', "const x = 1;"),
            "two",
        ),
        label=Label.SPECIFICATION,
        quote=quote,
    )
    (text,) = LANGUAGE.render([one, two, one]).values()
    assert text == (
        "// Tests written by QVerify Desktop. The comment above each test says what it rests on.\n\n"
        'import { test } from "vitest";\nimport { f, g } from "../a.js";\n\nconst x = 1;\n\n'
        '// characterization: what the code does today\ntest("one", () => {\n  expect(f(1)).toBe(2);\n});\n\n'
        "// specification, a.js:3\n//   f(2) // => 3 * / x\n"
        'test("two", () => {\n  expect(g(1)).toBe(2);\n});\n'
    )


def test_a_long_import_has_a_line_for_each_name() -> None:
    names = [f"aRatherLongFunctionName{number}" for number in range(6)]
    tests = [
        made(
            f'test("{name}", () => {{\n  expect({name}()).toBe(1);\n}});',
            (f'const {{ {name} }} = require("../a.js");',),
            name,
        )
        for name in names
    ]
    (text,) = LANGUAGE.render(tests).values()
    assert f"const {{\n  {names[0]},\n  {names[1]},\n" in text and '\n} = require("../a.js");\n' in text
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ('test("x", () => { expect(f(1)).toBe(2); });', None),
        ('test("x", () => { assert.throws(() => f(), /a/); });', None),
        ('describe("d", () => { it("x", async () => { await expect(f()).rejects.toThrow(); }); });', None),
        ('test("x", () => { expect(f(1).toBe(2); });', Reason.SYNTAX),
        ("const x = 1;", Reason.NOT_A_TEST),
        ('test("x", () => { f(1); });', Reason.TRIVIAL),
        ('test("x", () => { expect(true).toBe(true); });', Reason.TRIVIAL),
        ('test("x", () => { expect([1, "a"]).toEqual([1, "a"]); });', Reason.TRIVIAL),
        ('test("x", () => { expect(y).toBe(y); });', Reason.TRIVIAL),
        ('test.skip("x", () => { expect(f(1)).toBe(2); });', Reason.TRIVIAL),
        ('xit("x", () => { expect(f(1)).toBe(2); });', Reason.TRIVIAL),
    ],
)
def test_what_could_not_fail_is_refused(code: str, reason: Reason | None) -> None:
    problem = LANGUAGE.static_problem(made(code))
    assert (problem.reason if problem else None) == reason


def test_deep_nesting_is_refused_and_not_raised() -> None:
    problem = LANGUAGE.static_problem(made("test('x', () => " + "[" * 20_000))
    assert problem is not None and problem.reason is Reason.SYNTAX


ANSWER = """\
import { describe, expect, it, beforeEach } from "vitest";
import { f, g } from "../a.js";
import { unused } from "./other.js";

const base = 1;

it('adds [one] `here`', () => {
  expect(f(base)).toBe(2);
});

describe("f", () => {
  it("is plain", () => {
    const observed = f(4);
    expect(observed).toEqual(5);
  });
});

describe("with state", () => {
  let state;

  beforeEach(() => {
    state = 2;
  });

  it("is kept", () => {
    expect(g(state)).toBe(4);
  });

  it("is plain", () => {
    expect(g(1)).toBe(3);
  });
});
"""


def test_an_answer_is_taken_apart(tmp_path: Path) -> None:
    language, _, _, targets = read(tmp_path, {"a.js": TARGET_SOURCE})
    target = next(one for one in targets if one.symbol == "f")
    tests = language.split(ANSWER, "test/a.test.js", target)
    assert isinstance(tests, list)
    assert [test.name for test in tests] == [
        "f adds one here",
        "f is plain",
        "with state > f with state is kept",
        "with state > f with state is plain",
    ]
    assert (tests[1].call, tests[1].expected) == ("f(4)", "5")
    assert "const base = 1;" in tests[0].prelude and "const base = 1;" not in tests[1].prelude
    assert not any("unused" in line for line in tests[0].prelude)
    assert "beforeEach(" in tests[2].code and tests[2].code.count("it(") == 1
    assert all(language.static_problem(test) is None for test in tests)
    (path,) = language.render(tests)
    job = language.suite_job(_project(tmp_path), {path: language.render(tests)[path]}, variation=RunVariation(7, 3))
    request = json.loads(job.overlay[".qverify/suite.json"])
    assert sorted(request["expected"]) == sorted(test.id for test in tests)
    assert (request["seed"], request["hash_seed"], job.env["TZ"]) == (7, 4, "UTC")


def _project(root: Path):  # type: ignore[no-untyped-def]
    return read(root, {"a.js": TARGET_SOURCE})[2]


def test_an_answer_that_breaks_off_keeps_what_is_whole(tmp_path: Path) -> None:
    language, _, _, targets = read(tmp_path, {"a.js": TARGET_SOURCE})
    tests = language.split(ANSWER[: ANSWER.index('it("is kept"') + 5], "test/a.test.js", targets[0])
    assert isinstance(tests, list) and len(tests) == 2
    for answer in ("", "no code here at all", "\0", "x" * 500_000):
        problem = language.split(answer, "test/a.test.js", targets[0])
        assert isinstance(problem, StaticProblem)


def test_assertions_for_those_who_read_them() -> None:
    code = 'test("x", () => {\n  expect(f(\n    1)).toBe(2);\n  assert(f(2));\n  f(3);\n});'
    assert LANGUAGE.assertions(code) == [(2, "expect(f( 1)).toBe(2)"), (4, "assert(f(2))")]


def test_focal_source_holds_what_the_function_names(tmp_path: Path) -> None:
    source = (
        "import { x } from './x.js';\nconst used = 1;\nconst unused = 2;\n\n/** Doc. */\nexport class C {\n"
        "  constructor(y) { this.y = y; }\n  /** Method. */\n  m(a) {\n    return used + a + x;\n  }\n  other() { return 1; }\n}\n"
    )
    language, snapshot, _, targets = read(tmp_path, {"a.js": source})
    text = language.focal_source(snapshot, next(one for one in targets if one.symbol == "C.m"))
    assert (
        "import { x }" in text
        and "const used = 1;" in text
        and "constructor(y)" in text
        and "return used + a" in text
    )
    assert "unused" not in text and "other()" not in text
