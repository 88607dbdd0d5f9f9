"""Examples in doc comments and documents as promises, and tests that compare as strictly as the words allow."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from qverify_desktop.domain.project import PromiseRelation
from qverify_desktop.languages.javascript.promise_tests import tolerance_of
from tests.languages.javascript.reading import promised


def calls(
    root: Path, comment: str, function: str = "const f = (a, b) => a + b;", **files: str
) -> list[tuple[str, str]]:
    body = "\n".join(f" * {line}" for line in comment.split("\n"))
    source = f"/**\n{body}\n */\n{function}\nmodule.exports = {{ f }};\n"
    promises, _ = promised(root, {"a.js": source, **files})
    return [(one.call, one.expected) for one in promises]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (">>> f([1, 2], 'a')\n[1, 'a']", ('f([1, 2], "a")', '[1, "a"]')),
        ("f(1, 2) => 3", ("f(1, 2)", "3")),
        ("f(1, 2) == (3, True)", None),
        ("f(1, 2) ➞ (3, True)", ("f(1, 2)", "[3, true]")),
        ("f([], {}) -> None", ("f([], {})", "null")),
        ("f(a, b) => 3", None),
        ("f(1, 2) ==> ('one')", None),
        ("f({'a': 1}, 2) => {'b': [1]}", ("f({ a: 1 }, 2)", "{ b: [1] }")),
        ("f(90071992547409930, 1) => 3", None),
        ("@param {BigNumber} a\nf(2.5, 1) => 3", None),
        ("@param {BigNumber | number} a\nf(2.5, 1) => 3", ("f(2.5, 1)", "3")),
        ("@example\nf(1, 2); // => 3", ("f(1, 2)", "3")),
        ("@example\nf(1, (x) => x * 2); // => 3", ("f(1, (x) => x * 2)", "3")),
        ("@example\n_.f(1, (x) => x * 2);\n// => [3, null]", ("f(1, (x) => x * 2)", "[3, null]")),
        ("@example\nf(1, unknown); // => 3", None),
        ("@example\nwrap(1).f(2); // => 3", None),
        ("@example\n[...f(1, /a/)]; // => [1, 2]", ("[...f(1, /a/)]", "[1, 2]")),
        ("@example\nf(1, /a/) === 2; // => true", ("f(1, /a/) === 2", "true")),
        ("@example\nconst later = () => f(1, /a/); // => 2", None),
        ("@example\n'a'.f(2); // => 3", None),
        ("@example\nf(1, /a/); // might be 3", None),
        ("@example\nf(1, /a/); // 3", ("f(1, /a/)", "3")),
        ("@example\nf(1, /a/); // the sum", None),
        ("@example\nf(-1, /a/); // throws RangeError", ("f(-1, /a/)", "RangeError")),
        ("@example\nf(-1, /a/); // throws when it is late", None),
        ("@example\nconsole.log(f(1, /a/)); // 3", ("f(1, /a/)", "3")),
        ("@example\nconst x = f(1, /a/); // => {a: 1}", ("f(1, /a/)", "{ a: 1 }")),
    ],
)
def test_notations(tmp_path: Path, words: str, expected: tuple[str, str] | None) -> None:
    assert calls(tmp_path, words) == ([expected] if expected else [])


def test_what_stands_before_a_call_is_its_setup(tmp_path: Path) -> None:
    comment = "@example\nconst list = [3, 1];\nlet twice = (x) => x * 2;\nf(list, twice); // => [6, 2]\nf(list, twice); // => 4"
    body = "\n".join(f" * {line}" for line in comment.split("\n"))
    source = f"/**\n{body}\n */\nexport const f = (a, b) => a.map(b);\n"
    promises, tests = promised(tmp_path, {"a.js": source})
    assert promises[0].setup == ("const list = [3, 1];", "let twice = (x) => x * 2;")
    assert promises[0].words == "* f(list, twice); // => [6, 2]"
    assert "  const list = [3, 1];\n" in tests[0].code


def test_each_scene_of_a_block_has_its_own_names(tmp_path: Path) -> None:
    comment = "@example\nconst n = [1];\nf(n, (x) => x); // => [1]\nconst n = [2];\nf(n, (x) => x); // => [2]"
    body = "\n".join(f" * {line}" for line in comment.split("\n"))
    source = f"/**\n{body}\n */\nexport const f = curry(function f(a, b) {{\n  return a.map(b);\n}});\n"
    promises, _ = promised(tmp_path, {"a.js": source})
    assert [one.setup for one in promises] == [("const n = [1];",), ("const n = [2];",)]


def test_the_languages_own_function_of_the_same_name_is_not_meant(tmp_path: Path) -> None:
    source = """/**
 * @example
 *
 * _.isNaN(NaN);
 * // => true
 *
 * isNaN(undefined);
 * // => true
 *
 * _.isNaN(undefined);
 * // => false
 */


function isNaN(value) {
  return value !== value;
}
module.exports = isNaN;
"""
    promises, _ = promised(tmp_path, {"isNaN.js": source})
    assert [(one.call, one.expected) for one in promises] == [("isNaN(NaN)", "true"), ("isNaN(undefined)", "false")]


def test_a_comment_about_its_file_speaks_of_no_function(tmp_path: Path) -> None:
    source = "/**\n * @license f(1, 2) == 3\n */\n\nfunction f(a, b) {\n  return a;\n}\nmodule.exports = { f };\n"
    documented = source.replace("@license ", "")
    assert [one.call for one in promised(tmp_path / "a", {"a.js": documented})[0]] == ["f(1, 2)"]


def test_a_comment_speaks_of_its_own_file_and_a_document_of_what_is_public(tmp_path: Path) -> None:
    files = {
        "src/_base.js": "exports.init = (x) => x + 1;",
        "src/init.js": "/** init(1) => 3 */\nmodule.exports = later(2);",
        "README.md": "`R.init(1)` => 3",
    }
    assert promised(tmp_path, files)[0] == []


def test_a_method_of_what_the_block_makes(tmp_path: Path) -> None:
    source = (
        "/**\n * @example\n * const stack = new Stack();\n * stack.push(4); // => 1\n"
        " * @example\n * const list = [];\n * list.push(4); // => 2\n */\n"
        "export class Stack {\n  constructor() { this.all = []; }\n  push(x) { return this.all.push(x); }\n}\n"
    )
    promises, tests = promised(tmp_path, {"a.js": source})
    assert [(one.target, one.call) for one in promises] == [("a.js::Stack.push", "stack.push(4)")]
    assert "const stack = new Stack();" in tests[0].code
    assert 'import { Stack } from "../../a.js";' in tests[0].prelude


def test_documents_of_other_languages_and_imports_in_them(tmp_path: Path) -> None:
    readme = "# x\n\n```python\nf(1, 2) + g(x)  # => 9\n```\n\n```js\nimport { f } from 'x';\nconst n = { k: 1 };\nf(n, 2); // => 4\n```\n"
    promises, _ = promised(tmp_path, {"a.js": "exports.f = (a, b) => a.k + b;", "README.md": readme})
    assert [(one.call, one.setup, one.file, one.line) for one in promises] == [
        ("f(n, 2)", ("const n = { k: 1 };",), "README.md", 10)
    ]


def test_null_is_met_by_undefined_where_the_words_say_none(tmp_path: Path) -> None:
    files = {"a.js": "/**\n * f(1) -> None\n * f(2) -> null\n * f(3) -> undefined\n */\nexports.f = (a) => a.x;"}
    _, tests = promised(tmp_path, files)
    assert [test.code.splitlines()[2].strip() for test in tests] == [
        "assert.strictEqual(observed ?? null, null);",
        "assert.strictEqual(observed, null);",
        "assert.strictEqual(observed, undefined);",
    ]


@pytest.mark.parametrize(
    ("expected", "tolerance"),
    [
        ("3", ""),
        ("[1, 2]", ""),
        ("0.33", "0.005"),
        ("1.0", "1e-06"),
        ("[2.5, 1000000.5]", "1"),
        ("3.141592653589793", "3.14e-12"),
        ('"0.33"', ""),
        ('{ "1.25": 3 }', ""),
        ("1e+400", ""),
    ],
)
def test_how_far_a_number_may_lie(expected: str, tolerance: str) -> None:
    assert tolerance_of(expected) == tolerance


def test_each_framework_writes_its_own(tmp_path: Path) -> None:
    source = "/** f([1.5]) => [0.25]; f(2) => 4 */\nexport const f = async (a) => a;\n"
    jest, vitest = '{"devDependencies": {"jest": "1"}}', '{"devDependencies": {"vitest": "1"}}'
    for name, package in (("jest", jest), ("vitest", vitest), ("node", "{}")):
        _, tests = promised(tmp_path / name, {"src/a.js": source, "src/a.spec.js": "", "package.json": package})
        first = tests[0]
        assert first.path == "src/a.promises.spec.js"
        assert "async () =>" in first.code and "await f([1.5])" in first.code
        check = "assert.deepStrictEqual(" if name == "node" else "expect(asWritten(observed, [0.25], 0.005)).toEqual("
        assert check in first.code
        assert any("vitest" in line for line in first.prelude) == (name == "vitest")


def test_relations_of_code_blocks(tmp_path: Path) -> None:
    source = (
        "/**\n * @example\n * console.log(f('a')); // prints hello a\n * f(); // => throws TypeError\n */\n"
        "exports.f = (x) => 'hello ' + x;\n"
    )
    promises, tests = promised(tmp_path, {"a.js": source})
    assert [one.relation for one in promises] == [PromiseRelation.PRINTS, PromiseRelation.RAISES]
    assert 'assert.strictEqual(String(observed), "hello a");' in tests[0].code
    assert 'assert.throws(() => f(), { name: "TypeError" });' in tests[1].code


def test_hostile_comments_take_no_time(tmp_path: Path) -> None:
    evil = [
        "f(" * 3000,
        "f('" + "\\" * 3000,
        "@example " + "`" * 3000,
        "f(1) // " + "=" * 5000,
        "@param {" * 2000,
        "[" * 9000,
    ]
    began = time.monotonic()
    for number, words in enumerate(evil):
        source = f"/**\n * {words[:1400]}\n */\nexports.f = (a) => a;\n"
        promised(tmp_path / str(number), {"a.js": source, "README.md": words})
    assert time.monotonic() - began < 20
