"""What a prompt says of a JavaScript function, and a model's imports put right as the project writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from qverify_desktop.domain.testing import GeneratedTest, Label, Origin
from tests.languages.javascript.reading import read

MODULE = "export function add(a, b) {\n  return a + b;\n}\n\nexport const LIMIT = 3;\n"
COMMON = "function add(a, b) {\n  return a + b;\n}\nconst LIMIT = 3;\nmodule.exports = { add, LIMIT };\n"
DEFAULT = "export default function add(a, b) {\n  return a + b;\n}\n"
VITEST = '{"name": "x", "type": "module", "devDependencies": {"vitest": "1"}}'
JEST = '{"name": "x", "devDependencies": {"jest": "29"}}'
NODE = '{"name": "x"}'
CODE = 'test("adds", () => {\n  expect(add(1, 2)).toBe(LIMIT);\n});'
ASSERTS = 'it("adds", () => {\n  assert.equal(add(1, 2), 3);\n});'


def mended(root: Path, package: str, source: str, prelude: tuple[str, ...], code: str = CODE) -> tuple[str, ...]:
    files = {"package.json": package, "lib/add.js": source, "lib/other.js": "export const add = 1;\n"}
    language, snapshot, project, targets = read(root, files)
    target = next(t for t in targets if t.symbol == "add")
    path = language.test_file(project, target, "add_model")
    test = GeneratedTest(path, "adds", code, target.id, Label.CHARACTERIZATION, Origin.MODEL, prelude)
    return language.mend(snapshot, project, target, test).prelude


@pytest.mark.parametrize(
    ("package", "source", "code", "prelude", "expected"),
    [
        (
            VITEST,
            MODULE,
            CODE,
            ('import { test, expect, vi } from "vitest";', 'import { add, LIMIT, gone } from "./src/add";'),
            (
                'import { expect, test } from "vitest";',
                'import { add } from "../../lib/add.js";',
                'import { LIMIT } from "../../lib/add.js";',
            ),
        ),
        (
            JEST,
            COMMON,
            CODE,
            ('import { test, expect } from "@jest/globals";', 'import { add, LIMIT } from "../add.js";'),
            ('const { add } = require("../../lib/add.js");', 'const { LIMIT } = require("../../lib/add.js");'),
        ),
        (
            NODE,
            COMMON,
            ASSERTS,
            ('const assert = require("assert");', 'const add = require("../lib/add");'),
            (
                'const assert = require("node:assert/strict");',
                'const { it } = require("node:test");',
                'const { add } = require("../../lib/add.js");',
            ),
        ),
        (
            NODE,
            DEFAULT,
            ASSERTS,
            ('import { add } from "../lib/add.js";', 'import fs from "node:fs";'),
            (
                'import assert from "node:assert/strict";',
                'import { it } from "node:test";',
                'import add from "../../lib/add.js";',
            ),
        ),
        (
            VITEST,
            MODULE,
            CODE,
            ('import { add } from "../../lib/add.js";', "const LIMIT = 3;"),
            (
                'import { expect, test } from "vitest";',
                'import { add } from "../../lib/add.js";',
                "const LIMIT = 3;",
            ),
        ),
    ],
)
def test_imports_are_written_as_the_project_writes_them(
    tmp_path: Path, package: str, source: str, code: str, prelude: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert mended(tmp_path, package, source, prelude, code) == expected


def test_what_a_shared_statement_needs_stays(tmp_path: Path) -> None:
    prelude = ('import path from "node:path";', 'const home = path.join("a", "b");')
    code = 'test("adds", () => {\n  expect(add(home, 2)).toBe(3);\n});'
    assert mended(tmp_path, VITEST, MODULE, prelude, code)[-2:] == prelude


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("add(1, 2)", "add( 1,2 )", True),
        ("f('a b')", 'f("a b")', True),
        ("f('a b')", "f('ab')", False),
        ("-1", "+1", False),
        ("{ a: 1 }", "{a:1}", True),
        ("a.b", "a.c", False),
        ("((", "((", True),
    ],
)
def test_two_spellings_of_one_value_are_the_same(tmp_path: Path, one: str, other: str, same: bool) -> None:
    language, *_ = read(tmp_path, {"package.json": NODE, "a.js": MODULE})
    assert language.same_value(one, other) is same


def test_the_idiom_names_the_framework_and_the_first_lines(tmp_path: Path) -> None:
    language, _, project, targets = read(tmp_path, {"package.json": JEST, "lib/add.js": COMMON})
    target = next(t for t in targets if t.symbol == "add")
    idiom = language.idiom(project, target, language.test_file(project, target, "model"))
    assert (idiom.framework, idiom.fence) == ("Jest", "javascript")
    assert idiom.reach == 'const { add } = require("../../lib/add.js");'
