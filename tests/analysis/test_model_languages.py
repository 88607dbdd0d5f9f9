"""The same flow in JavaScript, TypeScript and the compiled languages: what is asked, read, mended and kept. No container here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from qverify_desktop.analysis.expectations import with_expected
from qverify_desktop.analysis.model_tests import ModelOutcome, write_model_tests
from qverify_desktop.domain.execution import Execution, Job, JobResult
from qverify_desktop.domain.project import Target
from qverify_desktop.domain.results import AnalysisRequest, Reason
from qverify_desktop.domain.testing import GeneratedTest, Label, Origin
from qverify_desktop.languages.catalogue import languages
from tests.analysis.test_model_tests import Model, passes, reports
from tests.languages.python.repositories import snapshot_of

LANGUAGES = {language.name: language for language in languages()}


@dataclass(frozen=True)
class Sample:
    """A small repository with ``add``: its files, good and wrong answers, words of the framework that a prompt must have."""

    language: str
    files: Mapping[str, str]
    good: str
    wrong: str
    mended: str
    words: tuple[str, ...]
    path: str


VITEST = '{"name": "shelf", "type": "module", "devDependencies": {"vitest": "^2.0.0"}}'
JEST = '{"name": "shelf", "devDependencies": {"jest": "^29.0.0"}}'
TS_SOURCE = "/**\n * Sum of two numbers.\n *\n *     add(1, 2) // => 3\n */\nexport function add(a: number, b: number): number {\n  return a + b;\n}\n"
CJS_SOURCE = "/** Sum of two numbers. */\nfunction add(a, b) {\n  return a + b;\n}\n\nmodule.exports = { add };\n"

SAMPLES = {
    "vitest": Sample(
        "typescript",
        {"package.json": VITEST, "src/add.ts": TS_SOURCE},
        'import { expect, test } from "vitest";\nimport { add } from "../../src/add";\n\ntest("sums", () => {\n  expect(add(1, 2)).toBe(3);\n});\n',
        'import { test, expect } from "@jest/globals";\nimport { add, invented } from "./addition";\n\ntest("sums", () => {\n  expect(add(1, 2)).toBe(3);\n});\n',
        'import { expect, test } from "vitest";\nimport { add } from "../../src/add";',
        ("Vitest", "```typescript", 'import { add } from "../../src/add"'),
        "test/qverify/src_add.add_model.test.ts",
    ),
    "jest": Sample(
        "javascript",
        {"package.json": JEST, "lib/add.js": CJS_SOURCE},
        'const { add } = require("../../lib/add.js");\n\ndescribe("add", () => {\n  it("sums", () => {\n    expect(add(1, 2)).toBe(3);\n  });\n});\n',
        'import { add } from "../add";\n\nit("sums", () => {\n  expect(add(1, 2)).toBe(3);\n});\n',
        'const { add } = require("../../lib/add.js");',
        ("Jest", "```javascript", "require"),
        "test/qverify/lib_add.add_model.test.js",
    ),
    "node": Sample(
        "javascript",
        {"package.json": '{"name": "shelf"}', "lib/add.js": CJS_SOURCE},
        'const test = require("node:test");\nconst assert = require("node:assert/strict");\nconst { add } = require("../../lib/add.js");\n\ntest("sums", () => {\n  assert.strictEqual(add(1, 2), 3);\n});\n',
        'const assert = require("assert");\nconst add = require("./add");\n\nit("sums", () => {\n  assert.equal(add(1, 2), 3);\n});\n',
        'const { add } = require("../../lib/add.js");',
        ("node:test", "```javascript", "node:assert/strict"),
        "test/qverify/lib_add.add_model.test.js",
    ),
}


async def written(
    tmp_path: Path, sample: Sample, model: Model, verdict: Callable[[str], dict[str, object]]
) -> ModelOutcome:
    language = LANGUAGES[sample.language]
    snapshot = snapshot_of(tmp_path, sample.files)
    project = language.detect(snapshot)
    assert project is not None
    target = next(t for t in language.targets(snapshot, project) if t.symbol.lower() == "add")
    request = AnalysisRequest("origin", model="m")
    return await write_model_tests(
        target,
        snapshot,
        project,
        language,
        model,
        reports(verdict),  # type: ignore[arg-type]
        request,
        missing=range(target.line, target.end_line + 1),
    )


@pytest.mark.parametrize("name", SAMPLES)
async def test_a_good_answer_is_kept_in_the_projects_own_framework(tmp_path: Path, name: str) -> None:
    sample = SAMPLES[name]
    model = Model(f"```{LANGUAGES[sample.language].fence_tags[0]}\n{sample.good}```")
    outcome = await written(tmp_path, sample, model, passes)
    assert [(t.name, t.path, t.origin) for t in outcome.tests] == [("add sums", sample.path, Origin.MODEL)]
    assert (outcome.tests[0].call, outcome.tests[0].expected) == ("add(1, 2)", "3")
    for word in sample.words:
        assert word in model.prompts[0]
    assert ">   return a + b;" in model.prompts[0], "lines that no test runs are marked"


async def test_the_words_of_a_comment_raise_the_label(tmp_path: Path) -> None:
    model = Model(f"```ts\n{SAMPLES['vitest'].good}```")
    outcome = await written(tmp_path, SAMPLES["vitest"], model, passes)
    assert outcome.tests[0].label is Label.SPECIFICATION
    assert outcome.tests[0].quote is not None
    assert "add(1, 2) // => 3" in outcome.tests[0].quote.text


@pytest.mark.parametrize("name", SAMPLES)
async def test_wrong_imports_are_mended_without_asking(tmp_path: Path, name: str) -> None:
    sample = SAMPLES[name]

    def verdict(source: str) -> dict[str, object]:
        if sample.mended in source:
            return {"status": "passed"}
        return {"error": "Error: Cannot find module './addition'"}

    model = Model(f"```js\n{sample.wrong}```")
    outcome = await written(tmp_path, sample, model, verdict)
    assert len(model.prompts) == 1
    assert len(outcome.executions) == 2
    assert outcome.refused == ()
    assert "invented" not in "\n".join(outcome.tests[0].prelude)


async def test_what_is_called_and_not_there_is_a_wrong_name_and_is_asked_about(tmp_path: Path) -> None:
    sample = SAMPLES["jest"]

    def verdict(source: str) -> dict[str, object]:
        told = {"message": "TypeError: subtract is not a function"}
        return {"status": "failed", "raised": "TypeError", **told} if "subtract" in source else {"status": "passed"}

    wrong = 'const { subtract, add } = require("../../lib/add.js");\ntest("differs", () => {\n  expect(subtract(add(3, 0), 2)).toBe(1);\n});\n'
    model = Model(f"```js\n{wrong}```", f"```js\n{sample.good.replace('sums', 'add differs')}```")
    outcome = await written(tmp_path, sample, model, verdict)
    assert [t.name for t in outcome.tests] == ["add differs"]
    assert "subtract is not a function" in model.asked[1][-1]["content"]
    refused = await written(tmp_path / "again", sample, Model(f"```js\n{wrong}```"), verdict)
    assert {r.reason for r in refused.refused} == {Reason.WRONG_IMPORT}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("I can't.", Reason.NOT_A_TEST),
        ("```js\nfunction helper() {}\n```", Reason.NOT_A_TEST),
        ("```js\ntest('a', () => {{{\n```", Reason.SYNTAX),
        ("```js\ntest('a', () => { expect(true).toBe(true); });\n```", Reason.TRIVIAL),
        ("```js\ntest.skip('a', () => { expect(add(1)).toBe(1); });\n```", Reason.TRIVIAL),
    ],
)
async def test_answers_without_a_test_are_refused_unseen(tmp_path: Path, answer: str, reason: Reason) -> None:
    outcome = await written(tmp_path, SAMPLES["jest"], Model(answer), passes)
    assert outcome.tests == ()
    assert [r.reason for r in outcome.refused] == [reason]
    assert outcome.executions == ()


OTHERS = {
    "go": (
        {"go.mod": "module example.com/shelf\n\ngo 1.22\n", "shelf/add.go": "package shelf\n\n// Add sums.\nfunc Add(a, b int) int {\n\treturn a + b\n}\n"},
        'package shelf\n\nimport "testing"\n\nfunc TestSums(t *testing.T) {\n\tif got := Add(1, 2); got != 3 {\n\t\tt.Fatalf("got %d", got)\n\t}\n}\n',
        "shelf/add_qv_add_model_test.go",
    ),
    "java": (
        {"pom.xml": "<project/>", "src/main/java/shelf/Sum.java": "package shelf;\n\npublic class Sum {\n  /** Sums. */\n  public static int add(int a, int b) {\n    return a + b;\n  }\n}\n"},
        "package shelf;\n\nimport static org.junit.jupiter.api.Assertions.assertEquals;\nimport org.junit.jupiter.api.Test;\n\nclass SumTest {\n  @Test\n  void sums() {\n    assertEquals(3, Sum.add(1, 2));\n  }\n}\n",
        "src/test/java/shelf/SumSumAddModelTest.java",
    ),
    "rust": (
        {"Cargo.toml": '[package]\nname = "shelf"\nversion = "0.1.0"\nedition = "2021"\n', "src/lib.rs": "/// Sums.\npub fn add(a: i32, b: i32) -> i32 {\n    a + b\n}\n"},
        "use shelf::add;\n\n#[test]\nfn sums() {\n    assert_eq!(add(1, 2), 3);\n}\n",
        "tests/qverify_shelf_add_model.rs",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
async def test_a_compiled_language_is_asked_read_and_placed_the_same_way(tmp_path: Path, name: str) -> None:
    language = LANGUAGES[name]
    files, code, path = OTHERS[name]
    snapshot = snapshot_of(tmp_path, files)
    project = language.detect(snapshot)
    assert project is not None
    targets = [t for t in language.targets(snapshot, project) if t.symbol.lower().endswith("add")]
    model = Model(f"```{name}\n{code}```")
    jobs: list[Job] = []

    async def run(job: Job) -> JobResult:
        jobs.append(job)
        execution = Execution(job.purpose, "c" * 64, "image", "sha256:0", job.argv, 137, 5, timed_out=True)
        return JobResult(execution, problem="There is no sandbox here.")

    outcome = await write_model_tests(
        targets[0], snapshot, project, language, model, run, AnalysisRequest("o", model="m")
    )
    assert f"```{name}" in model.prompts[0]
    assert "a + b" in model.prompts[0]
    assert [(r.test.path, r.reason) for r in outcome.refused] == [(path, Reason.INFRASTRUCTURE)]
    # Each test lies in a file of its own, with a name that the language's runner takes.
    told = "\n".join(f"{at}\n{content.decode(errors='replace')}" for at, content in jobs[0].overlay.items())
    assert re.search(r"trial_?0\w*" + re.escape(language.endings[0]), told, re.IGNORECASE)


def twice(name: str) -> tuple[list[GeneratedTest], list[GeneratedTest]]:
    """A model's tests, and the same when the rendered file is read again."""
    language = LANGUAGES[name]
    code = (
        OTHERS[name][1]
        if name in OTHERS
        else SAMPLES["node"].good
        if name == "javascript"
        else "def test_sums():\n    assert add(1, 2) == 3\n"
    )
    target = Target(name, "shelf/add", "shelf", "Add" if name == "go" else "add", 1, 2, 2, "add(a, b)")
    path = {
        "go": "a_test.go",
        "java": "src/test/java/shelf/SumTest.java",
        "rust": "tests/a.rs",
        "javascript": "a.test.js",
    }.get(name, "t.py")
    first = language.split(code, path, target)
    assert isinstance(first, list)
    again = language.split(language.render(first)[path], path, target)
    assert isinstance(again, list)
    return first, again


@pytest.mark.parametrize("name", ["python", "javascript", "go", "java", "rust"])
def test_names_that_were_given_once_come_back_as_they_were(name: str) -> None:
    first, again = twice(name)
    assert [t.name for t in first] == [t.name for t in again]


EQUALITIES = {
    "java": ("class ATest {\n  @Test\n  void sums() {\n    BODY;\n  }\n}\n", "assertEquals(-3, Sum.add(1, 2))", "Sum.add(1, 2)", "-3"),
    "kotlin": ("class ATest {\n  @Test\n  fun sums() {\n    BODY\n  }\n}\n", "assertEquals(3, add(1, 2))", "add(1, 2)", "3"),
    "rust": ("#[test]\nfn sums() {\n    BODY;\n}\n", "assert_eq!(add(1, 2), 3)", "add(1, 2)", "3"),
    "typescript": ('test("sums", () => {\n  BODY;\n});\n', "expect(add(1, 2)).toBe(3)", "add(1, 2)", "3"),
    "python": ("from shelf import add\n\n\ndef test_sums():\n    BODY\n", "assert add(1, 2) == 3", "add(1, 2)", "3"),
}  # fmt: skip


@pytest.mark.parametrize("name", EQUALITIES)
def test_one_call_and_one_value_are_told_apart(name: str) -> None:
    frame, statement, call, expected = EQUALITIES[name]
    language = LANGUAGES[name]
    target = Target(name, "shelf/add", "shelf", "add", 1, 2, 2, "add(a, b)")
    path = (
        f"src/test/java/ATest{language.endings[0]}" if name in ("java", "kotlin") else f"a.test{language.endings[0]}"
    )
    for body, found in ((statement, (call, expected)), (f"{statement}; {statement}", ("", ""))):
        tests = language.split(frame.replace("BODY", body), path, target)
        assert isinstance(tests, list)
        assert (tests[0].call, tests[0].expected) == found
    once = language.split(frame.replace("BODY", statement), path, target)
    assert isinstance(once, list)
    test = once[0]
    changed = with_expected(test, "7", language, target)
    assert changed is not None
    assert (changed.expected, changed.code) == ("7", test.code.replace(expected, "7"))
    assert with_expected(test, "7) || (true", language, target) is None
