"""How a test is written for each framework: its frame, its assertions, and what the file needs above them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace

from qverify_desktop.domain.project import Target
from qverify_desktop.domain.testing import GeneratedTest
from qverify_desktop.languages.javascript.access import uses_modules
from qverify_desktop.languages.tree.rendering import one_line

AS_WRITTEN = """\
/**
 * `observed` as documentation would write it: -0 is 0, a number within `tolerance` is the expected one,
 * an object is its properties.
 */
function asWritten({typed}) {
  if (typeof observed === "number" && typeof expected === "number") {
    return Math.abs(observed - expected) <= tolerance ? expected : observed;
  }
  if (Array.isArray(expected) && (Array.isArray(observed) || ArrayBuffer.isView(observed))) {
    return Array.from(observed{cast}, (item, index) => asWritten(item, expected[index], tolerance));
  }
  const isObject = (value{any}) => value !== null && typeof value === "object" && !Array.isArray(value);
  const plain = isObject(expected) && Object.getPrototypeOf(expected) === Object.prototype;
  if (plain && isObject(observed) && !(observed instanceof Set)) {
    const entries = observed instanceof Map ? [...observed] : Object.entries(observed);
    const kept = entries.filter(([key, item]) => item !== undefined || key in expected);
    return Object.fromEntries(kept.map(([key, item]) => [key, asWritten(item, expected[key], tolerance)]));
  }
  return observed;
}"""
_TYPED = "observed: any, expected: any, tolerance = 0"
_UNTYPED = "observed, expected, tolerance = 0"


def text(value: str) -> str:
    """A string literal in double quotes; line separators and lone surrogates escaped."""
    quoted = json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return re.sub(r"[\u2028\u2029\ud800-\udfff\u200e\u200f\u202a-\u202e\u2066-\u2069]", _escaped, quoted)


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match.group()):04x}"


def needs(framework: str, target: Target, path: str, *, asserts: bool, written: bool) -> list[str]:
    """The statements above the tests: the framework, ``asWritten`` where it is used."""
    modules = uses_modules(target, framework)
    lines = []
    if framework == "vitest":
        lines.append('import { expect, test } from "vitest";')
    elif framework == "node":
        for name, module in (("assert", "node:assert/strict"), ("test", "node:test")):
            if name == "test" or asserts:
                lines.append(f'import {name} from "{module}";' if modules else f'const {name} = require("{module}");')
    if written:
        typed = path.endswith((".ts", ".mts", ".cts"))
        lines.append(
            AS_WRITTEN.replace("{typed}", _TYPED if typed else _UNTYPED)
            .replace("{any}", ": any" if typed else "")
            .replace("{cast}", " as ArrayLike<unknown>" if typed else "")
        )
    return lines


def framed(title: str, body: Sequence[str], *, is_async: bool) -> str:
    """The statement that is the test."""
    opening = f"test({text(title)}, {'async ' if is_async else ''}() => {{"
    return "\n".join([opening, *(f"  {line}" if line else "" for line in body), "});"])


def same(framework: str, observed: str, expected: str) -> str:
    """Identity of plain values (``Object.is``)."""
    if framework == "node":
        return f"assert.strictEqual({observed}, {expected});"
    return f"expect({observed}).toBe({expected});"


def equal(framework: str, observed: str, expected: str) -> str:
    """Equality of structures."""
    if framework == "node":
        return f"assert.deepStrictEqual({observed}, {expected});"
    return f"expect({observed}).toEqual({expected});"


def raises(framework: str, call: str, name: str, message: str | None, *, is_async: bool) -> str:
    """That a call raises an error of this name (empty: any)."""
    properties = [f"name: {text(name)}"] if name else []
    properties += [f"message: {text(message)}"] if message is not None else []
    wanted = f"{{ {', '.join(properties)} }}" if properties else ""
    function = f"{'async ' if is_async else ''}() => {call}"
    if framework == "node":
        check = f"assert.{'rejects' if is_async else 'throws'}({function}{', ' if wanted else ''}{wanted});"
        return f"await {check}" if is_async else check
    matched = f"expect.objectContaining({wanted})" if wanted else ""
    if is_async:
        return f"await expect(({function})()).rejects.toThrow({matched});"
    return f"expect({function}).toThrow({matched});"


def framework_of(test: GeneratedTest) -> str:
    """The framework that a generated test is written for, by what stands above it."""
    above = "\n".join(test.prelude)
    return "vitest" if '"vitest"' in above else "node" if '"node:test"' in above else "jest"


def runner_of(test: GeneratedTest) -> str:
    """The command that runs test files of the test's framework."""
    return {"vitest": "npx vitest run", "node": "node --test", "jest": "npx jest"}[framework_of(test)]


def expected_to_fail(test: GeneratedTest, reason: str) -> GeneratedTest | None:
    """``test.failing`` of Jest, ``test.fails`` of Vitest; ``node:test`` has no such mark that turns red, so there the failure is
    what is asserted. ``None`` for a test of another form.
    """
    lines = test.code.strip("\n").split("\n")
    if not re.fullmatch(r"test\(\".*\", (?:async )?\(\) => \{", lines[0]) or lines[-1] != "});" or len(lines) < 3:
        return None
    framework = framework_of(test)
    note = f"  // {one_line(reason)}"
    if framework == "node":
        header = re.sub(r", (?:async )?\(\) => \{$", ", async () => {", lines[0])
        inside = [
            "  await assert.rejects(async () => {",
            *(f"  {line}" if line else "" for line in lines[1:-1]),
            "  });",
        ]
        code = [header, note, *inside, lines[-1]]
    else:
        mark = "test.failing(" if framework == "jest" else "test.fails("
        code = [mark + lines[0].removeprefix("test("), note, *lines[1:]]
    path = re.sub(r"(\.(?:test|spec)\.[cm]?[jt]s)$", r".expected-to-fail\1", test.path)
    return replace(test, path=path, code="\n".join(code))
