"""JavaScript and TypeScript in real containers: samples through the whole analysis, and tests that mean harm."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from qverify_desktop.domain.execution import Job, JobResult
from qverify_desktop.domain.project import Project, Snapshot
from qverify_desktop.domain.testing import FileCoverage, Status, SuiteResult
from qverify_desktop.languages.base import REVERSED, RunVariation
from qverify_desktop.languages.javascript.dialects import DIALECTS
from qverify_desktop.languages.javascript.language import JavaScriptLanguage
from qverify_desktop.sandbox.docker import DockerSandbox
from tests.integration.command import qverify
from tests.integration.languages.analysing import executed_again
from tests.languages.python.repositories import snapshot_of

pytestmark = pytest.mark.docker
SAMPLES = Path(__file__).parent / "samples"

SUMS = """\
"use strict";

function positive(xs) {
  let sum = 0;
  for (const x of xs) {
    if (x > 0 && x < 100) sum += x;
  }
  return sum;
}

const never = () => 1;

module.exports = { positive, never };
"""
PATH = "test/qverify/sums.promises.test.js"
GENERATED = """\
const assert = require("node:assert/strict");
const fs = require("node:fs");
const test = require("node:test");
const nothing = require("../../nowhere.js");
const { positive } = require("../../sums.js");

test("good", () => {
  assert.strictEqual(positive([2, -1]), 2);
});

test("wrong", () => {
  assert.strictEqual(positive([2, 100]), 5);
});

test("raises", () => {
  assert.strictEqual(positive(null), 5);
});

test("no such function", () => {
  assert.strictEqual(require("../../sums.js").negative([]), 5);
});

test("no such file", () => {
  assert.strictEqual(nothing.f(), 5);
});

test("named twice", () => {
  const one = 1;
  const one = 2;
  assert.strictEqual(one, 5);
});

test("asks for a file", () => {
  assert.strictEqual(fs.readFileSync("/nowhere", "utf8"), "");
});

test("exits", () => {
  process.exit(0);
});

test("ends itself", () => {
  process.kill(process.pid, "SIGKILL");
});

test("hangs", () => {
  for (;;) {}
});

test("forges", () => {
  const path = "test/qverify/sums.promises.test.js";
  for (const test of [`${path}::wrong`, `${path}::forges`, "other.test.js::x"]) {
    const record = JSON.stringify({ kind: "test", test, status: "passed", duration_ms: 1 });
    fs.writeSync(3, `${record}\\n{"kind":[]}\\nnot JSON\\n`);
  }
  Object.prototype.toJSON = function () {
    return { ...this, status: "passed" };
  };
  process.kill(process.pid, "SIGKILL");
});

test("last", async () => {
  assert.strictEqual(positive([]), 0);
});
"""
FILES = {"package.json": '{"name": "sums"}', "sums.js": SUMS}


async def ran(sandbox: DockerSandbox, job: Job, root: Path) -> JobResult:
    root.chmod(0o755)
    return await sandbox.run(job, await sandbox.image("node"), root, run="r-test")


def project_of(
    root: Path, files: Mapping[str, str] = FILES, dialect: str = "javascript"
) -> tuple[JavaScriptLanguage, Snapshot, Project]:
    language = JavaScriptLanguage(DIALECTS[dialect], patience_s=4)
    snapshot = snapshot_of(root, files)
    project = language.detect(snapshot)
    assert project is not None
    return language, snapshot, project


async def existing(
    sandbox: DockerSandbox, root: Path, files: Mapping[str, str], dialect: str = "javascript"
) -> SuiteResult:
    language, _, project = project_of(root, files, dialect)
    language.set_patience(60)
    return language.read_suite(project, await ran(sandbox, language.suite_job(project, {}, existing=True), root))


def statuses(suite: SuiteResult) -> dict[str, str]:
    return {one.id.partition("::")[2]: one.status.value for one in suite.outcomes}


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
        "no such function": Status.FAILED,
        "asks for a file": Status.FAILED,
        "forges": Status.ERROR,
        "exits": Status.ERROR,
        "ends itself": Status.ERROR,
        "hangs": Status.ERROR,
    }
    wrong, raises, unknown = outcomes["wrong"], outcomes["raises"], outcomes["no such function"]
    assert (wrong.observed, wrong.raised, wrong.in_test) == ("2", "AssertionError", True)
    assert (raises.raised, raises.in_test, raises.frames[-1]) == ("TypeError", False, "sums.js:5")
    assert (unknown.raised, unknown.frames) == ("TypeError", (f"{PATH}:20",)) or unknown.frames[-1].startswith(PATH)
    assert outcomes["asks for a file"].raised == "SystemError"
    assert "ended the process with status 0" in outcomes["exits"].message
    assert "SIGKILL" in outcomes["ends itself"].message
    assert "longer than" in outcomes["hangs"].message
    assert set(suite.collection_errors) == {f"{PATH}::no such file", f"{PATH}::named twice"}
    assert suite.collection_errors[f"{PATH}::no such file"].startswith("ModuleNotFoundError")
    assert suite.collection_errors[f"{PATH}::named twice"].startswith("SyntaxError")
    reached = suite.footprints[f"{PATH}::last"].lines["sums.js"]
    assert reached == {4, 5, 8}
    assert suite.footprints[f"{PATH}::good"].branches["sums.js"] == {(6, 0), (6, 1), (6, 2)}


@pytest.mark.parametrize(("seed", "victim"), [(0, "failed"), (REVERSED, "passed")])
async def test_the_order_can_be_turned_round(sandbox: DockerSandbox, tmp_path: Path, seed: int, victim: str) -> None:
    text = """\
const assert = require("node:assert/strict");
const test = require("node:test");

test("spoils", () => {
  globalThis.spoilt = true;
});

test("victim", () => {
  assert.equal(globalThis.spoilt, undefined);
});
"""
    language, _, project = project_of(tmp_path / "r")
    job = language.suite_job(project, {PATH: text}, variation=RunVariation(order_seed=seed))
    suite = language.read_suite(project, await ran(sandbox, job, tmp_path / "r"))
    assert statuses(suite) == {"spoils": "passed", "victim": victim}


async def test_a_run_on_another_day(sandbox: DockerSandbox, tmp_path: Path) -> None:
    asked = """\
const assert = require("node:assert/strict");
const test = require("node:test");

test("the clock", () => {
  const today = Number(process.env.TODAY);
  const days = (Date.now() - today) / 86400000;
  assert.ok(days > 400.9 && days < 402, String(days));
  assert.ok(Math.abs(new Date() - Date.now()) < 5000);
  assert.strictEqual(new Date(new Date().getTime()).getTime() > today, true);
  assert.strictEqual(typeof Date(), "string");
});

test("the rest", () => {
  class Day extends Date {}
  assert.ok(new Day() instanceof Day && new Day() instanceof Date);
  assert.strictEqual(new Date(2013, 11, 31).constructor, Date);
  assert.strictEqual(Date.name, "Date");
  assert.strictEqual(new Date(0).toISOString(), "1970-01-01T00:00:00.000Z");
  assert.strictEqual(Date.UTC(1970, 0, 1), 0);
});
"""
    language, _, project = project_of(tmp_path / "r")
    job = language.suite_job(project, {PATH: asked}, variation=RunVariation(clock_s=401 * 86_400))
    job = replace(job, env={**job.env, "TODAY": str(int(time.time() * 1000))})
    suite = language.read_suite(project, await ran(sandbox, job, tmp_path / "r"))
    assert {one.id.partition("::")[2]: (one.status, one.message) for one in suite.outcomes} == {
        "the clock": (Status.PASSED, ""),
        "the rest": (Status.PASSED, ""),
    }


async def test_coverage_is_that_of_the_source_as_it_is_written(sandbox: DockerSandbox, tmp_path: Path) -> None:
    own = 'const { positive } = require("../sums");\nit("adds", () => { expect(positive([1, 2])).toBe(3); });\n'
    files = {**FILES, "package.json": '{"devDependencies": {"jest": "^29"}}', "test/sums.test.js": own}
    files["test/setup.js"] = "require('nowhere');\n"
    suite = await existing(sandbox, tmp_path / "r", files)
    assert statuses(suite) == {"adds": "passed"}
    assert suite.collection_errors == {}, "what tests are made of is no test"
    assert suite.coverage["sums.js"] == FileCoverage(
        frozenset({4, 5, 6, 8, 11, 13}),
        frozenset({4, 5, 6, 8, 11, 13}),
        frozenset({(6, 0), (6, 1), (6, 2)}),
        frozenset({(6, 0), (6, 1)}),
    )


async def test_what_needs_its_own_runner_gets_it(sandbox: DockerSandbox, tmp_path: Path) -> None:
    source = (
        "import { big } from './dep';\nexport const f = (x: number): unknown => (x > 3 ? big(x) : x * 2);\n",
        "export const big = (x: number): number => x * 100;\n",
    )
    test = (
        "import { describe, expect, it, vi } from 'vitest';\nimport { f } from './a';\n"
        "vi.mock('./dep', () => ({ big: () => 'mocked' }));\n"
        "describe('f', () => {\n  it('is small', () => { expect(f(1)).toBe(2); });\n"
        "  it('is mocked', () => { expect(f(10)).toBe('mocked'); });\n  it.skip('waits', () => {});\n});\n"
    )
    files = {
        "package.json": '{"type": "module", "devDependencies": {"vitest": "^3"}}',
        "src/a.ts": source[0],
        "src/dep.ts": source[1],
        "src/a.test.ts": test,
    }
    suite = await existing(sandbox, tmp_path / "v", files, "typescript")
    assert statuses(suite) == {"f > is small": "passed", "f > is mocked": "passed", "f > waits": "skipped"}
    assert suite.coverage["src/a.ts"].covered_branches == {(2, 0), (2, 1)}
    assert suite.coverage["src/dep.ts"].covered_lines == {1} or not suite.coverage["src/dep.ts"].covered_lines


async def test_jest_mocks_and_a_red_test(sandbox: DockerSandbox, tmp_path: Path) -> None:
    files = {
        "package.json": '{"devDependencies": {"jest": "^29"}}',
        "a.js": "const dep = require('./dep');\nexports.f = (x) => (x > 3 ? dep.big(x) : x * 2);\n",
        "dep.js": "exports.big = (x) => x * 100;\n",
        "__tests__/a.js": "jest.mock('../dep', () => ({ big: () => 'mocked' }));\nconst { f } = require('../a');\n"
        "test('mocked', () => { expect(f(10)).toBe('mocked'); });\n"
        "test.each([[1, 2], [2, 4]])('twice %i', (a, b) => { expect(f(a)).toBe(b); });\n"
        "test('red', () => { expect(f(1)).toBe(3); });\n",
    }
    suite = await existing(sandbox, tmp_path / "j", files)
    assert statuses(suite) == {"mocked": "passed", "twice 1": "passed", "twice 2": "passed", "red": "failed"}
    assert suite.coverage["a.js"].covered_branches == {(2, 0), (2, 1)}


async def test_packages_of_one_repository_and_names_of_paths_are_found(
    sandbox: DockerSandbox, tmp_path: Path
) -> None:
    files = {
        "package.json": '{"private": true, "workspaces": ["packages/*"]}',
        "tsconfig.json": '{"compilerOptions": {"paths": {"@/*": ["./packages/app/src/*"]}}} // comments are allowed',
        "packages/core/package.json": '{"name": "@own/core", "main": "dist/index.js"}',
        "packages/core/src/index.ts": "export const twice = (x: number): number => x * 2;\n",
        "packages/app/package.json": '{"name": "app", "type": "module", "devDependencies": {"vitest": "^3"}}',
        "packages/app/src/four.ts": "export const four = (x: number): number => x * 4;\n",
        "packages/app/src/main.tsx": "import { twice } from '@own/core';\nimport { four } from '@/four';\n"
        "/** eight(1) => 8 */\nexport function eight<T extends number>(x: T): number {\n  return twice(four(x));\n}\n",
    }
    language, snapshot, project = project_of(tmp_path / "m", files, "typescript")
    targets = language.targets(snapshot, project)
    tests = language.promise_tests(project, targets, language.promises(snapshot, project, targets))
    language.set_patience(60)
    job = language.suite_job(project, language.render(tests))
    suite = language.read_suite(project, await ran(sandbox, job, tmp_path / "m"))
    assert (list(statuses(suite).values()), suite.collection_errors) == (["passed"], {})
    assert suite.footprints[tests[0].id].lines["packages/core/src/index.ts"] == {1}


async def test_mutants_run_beside_own_and_generated_tests(sandbox: DockerSandbox, tmp_path: Path) -> None:
    own = (
        "import { describe, expect, it } from 'vitest';\nimport { wide } from '../wide.js';\n"
        "describe('wide', () => { it('adds', () => { expect(wide([1, 2])).toBe(3); }); });\n"
    )
    source = SUMS.replace('"use strict";\n\n', "").replace(
        "function positive(xs) {", "export function wide(xs: number[]): number {"
    )
    files = {
        "package.json": '{"type": "module", "devDependencies": {"vitest": "^3"}}',
        "wide.ts": source.partition("\nconst never")[0],
        "test/wide.test.ts": own,
    }
    language, snapshot, project = project_of(tmp_path / "r", files, "typescript")
    generated = 'import { expect, test } from "vitest";\nimport { wide } from "../../wide";\n\n'
    generated += 'test("good", () => {\n  expect(wide([2, -1])).toBe(2);\n});\n\n'
    generated += 'test("wrong", () => {\n  expect(wide([])).toBe(2);\n});\n'
    path = "test/qverify/wide.promises.test.ts"
    (target,) = language.targets(snapshot, project)
    found = language.mutants(snapshot, project, target, frozenset(range(1, 9)), 12)
    named = [f"{path}::good", f"{path}::wrong", "test/wide.test.ts::wide > adds"]
    job = language.mutation_job(project, {path: generated}, found, {one.id: named for one in found})
    outcomes = language.read_mutation(found, await ran(sandbox, job, tmp_path / "r"))
    by_change = {(one.original, one.replacement): outcome for one, outcome in zip(found, outcomes, strict=True)}
    assert by_change["<", "<="].status == "survived"
    assert set(by_change["+=", "-="].killed_by) == {named[0], named[2]}
    assert {outcome.status.value for outcome in outcomes} <= {"killed", "survived", "invalid", "timed_out"}
    assert sum(outcome.status == "killed" for outcome in outcomes) >= 5


async def test_what_is_observed_passes_and_hanging_code_is_left_alone(sandbox: DockerSandbox, tmp_path: Path) -> None:
    files = {
        "package.json": '{"name": "x", "type": "module"}',
        "src/shapes.js": "/** @param {{w: number, h: number}} box */\nexport const area = (box) => box.w * box.h;\n"
        "export function grade(n) {\n  if (n < 0) {\n    throw new RangeError('below');\n  }\n  return n > 10 ? 'big' : 'small';\n}\n"
        "/** @param {number} n */\nexport function hang(n) {\n  for (;;) {\n    n += 1;\n  }\n}\n"
        "/** @param {number[]} xs */\nexport function sorted(xs) {\n  xs.sort((a, b) => a - b);\n}\n"
        "export const later = async (n = 1) => n + 1;\nexport const chance = () => Math.random();\n"
        "export class Box {\n  constructor(side = 2) {\n    this.side = side;\n  }\n\n  get area() {\n    return this.side ** 2;\n  }\n}\n",
    }
    language, snapshot, project = project_of(tmp_path / "r", files)
    targets = language.targets(snapshot, project)
    jobs = language.observation_jobs(snapshot, project, targets, 0)
    tests = language.read_observations(project, targets, [await ran(sandbox, job, tmp_path / "r") for job in jobs])
    by_symbol = {target.symbol: [test for test in tests if test.target == target.id] for target in targets}
    assert {symbol for symbol, found in by_symbol.items() if not found} == {"hang", "chance", "Box.constructor"}
    assert max(map(len, by_symbol.values())) <= 8
    assert any("RangeError" in test.code for test in by_symbol["grade"])
    assert any("given" in test.code for test in by_symbol["sorted"])
    assert all("await" in test.code for test in by_symbol["later"])
    suite = language.read_suite(
        project, await ran(sandbox, language.suite_job(project, language.render(tests)), tmp_path / "r")
    )
    assert suite.problem == "" and suite.collection_errors == {}
    assert {one.status for one in suite.outcomes} == {Status.PASSED}
    grade = next(target for target in targets if target.symbol == "grade")
    covered = suite.coverage["src/shapes.js"].covered_lines
    assert set(range(grade.body_line, grade.end_line)) <= covered | {6}


def test_the_javascript_sample_through_the_whole_analysis(tmp_path: Path) -> None:
    shutil.copytree(SAMPLES / "javascript", tmp_path / "parcels")
    said = qverify(tmp_path / "home", "analyze", str(tmp_path / "parcels"), "--json")
    document = said.document
    assert said.code == 1, said.err
    (defect,) = document["suspected_defects"]
    assert (defect["file"], defect["symbol"]) == ("lib/rates.js", "weightSteps")
    assert (defect["call"], defect["expected"], defect["observed"]) == ("weightSteps(1200, 400)", "3", "4")
    reasons = {one["name"]: one["reason"] for one in document["tests"]}
    assert reasons["drawn keeps its promise 1"] == "flaky"
    assert reasons["label keeps its promise 2"] == "syntax"
    assert reasons["properName keeps its promise 1"] == reasons["label keeps its promise 1"] == "gain"
    labels = {one["label"] for one in document["tests"] if one["verdict"] == "accepted"}
    assert labels == {"characterization", "specification"}
    assert document["coverage"]["before"]["lines"] < 0.5 < 0.8 < document["coverage"]["after"]["lines"]
    assert document["mutation"]["after"] > document["mutation"]["before"] > 0
    executed_again(document["bundle"], tmp_path / "parcels", tmp_path / "second")


def test_the_typescript_sample_through_the_whole_analysis(tmp_path: Path) -> None:
    shutil.copytree(SAMPLES / "typescript", tmp_path / "windows")
    said = qverify(tmp_path / "home", "analyze", str(tmp_path / "windows"), "--json")
    document = said.document
    assert said.code == 1, said.err
    (defect,) = document["suspected_defects"]
    assert (defect["file"], defect["symbol"], defect["observed"]) == ("src/windows.ts", "overlaps", "true")
    accepted = [one for one in document["tests"] if one["verdict"] == "accepted"]
    assert {one["path"] for one in accepted} >= {"src/__tests__/windows.promises.test.ts"}
    assert document["coverage"]["after"]["lines"] > document["coverage"]["before"]["lines"] > 0
    assert document["mutation"]["after"] > document["mutation"]["before"] > 0
    executed_again(document["bundle"], tmp_path / "windows", tmp_path / "second")
