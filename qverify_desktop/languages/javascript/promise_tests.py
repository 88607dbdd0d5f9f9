"""A test for each promise; its assertion compares as strictly as the repository's words allow."""

from __future__ import annotations

import re
from collections.abc import Sequence

from qverify_desktop.domain.project import Project, Promise, PromiseRelation, Target
from qverify_desktop.domain.testing import GeneratedTest, Label, Origin, Quote
from qverify_desktop.languages.javascript import styles
from qverify_desktop.languages.javascript.access import access_of, uses_modules
from qverify_desktop.languages.javascript.packages import framework
from qverify_desktop.languages.javascript.placing import test_path

#: With at least this many digits a decimal fraction is taken as exact, not as rounded by a person.
_EXACT_DIGITS = 13
_NUMBER = re.compile(
    r"(?<![\w.\"'])-?(?P<whole>\d{1,400})(?:\.(?P<decimals>\d{1,400}))?(?:e(?P<exponent>[+-]?\d{1,4}))?(?![\w.\"'])"
)
_STRING = re.compile(r"\"(?:[^\"\\]|\\.){0,4000}\"")


def write_promise_tests(
    project: Project, targets: Sequence[Target], promises: Sequence[Promise]
) -> list[GeneratedTest]:
    """One test a promise, label ``specification``, the promise's words as its quote."""
    by_id = {target.id: target for target in targets}
    runner = framework(project)
    counts: dict[str, int] = {}
    tests: list[GeneratedTest] = []
    for promise in promises:
        target = by_id.get(promise.target)
        access = access_of(target) if target is not None else None
        if target is None or access is None:
            continue
        counts[target.id] = counts.get(target.id, 0) + 1
        path = test_path(project, target, "promises")
        body, written = _body(promise, target, runner)
        setup = _setup(promise)
        is_async = any("await " in line for line in (*setup, *body))
        title = f"{target.symbol} keeps its promise {counts[target.id]}"
        prelude = [
            *styles.needs(runner, target, path, asserts=True, written=written),
            access.statement(target.file, path, modules=uses_modules(target, runner)),
        ]
        tests.append(
            GeneratedTest(
                path=path,
                name=title,
                code=styles.framed(title, [*setup, *body], is_async=is_async),
                target=target.id,
                label=Label.SPECIFICATION,
                origin=Origin.PROMISE,
                prelude=tuple(prelude),
                call=promise.call,
                expected=promise.expected or "an error",
                quote=Quote(promise.words, promise.file, promise.line),
            )
        )
    return tests


def _setup(promise: Promise) -> list[str]:
    return [line for statement in promise.setup for line in statement.split("\n")]


def is_awaited(target: Target, call: str) -> bool:
    """Whether the answer comes later: the function is declared so, or the example waits for it."""
    return call.startswith("await ") or target.is_async or bool(re.match(r"Promise\b", target.returns.lstrip("!?")))


def _body(promise: Promise, target: Target, runner: str) -> tuple[list[str], bool]:
    """The lines of the test, and whether it needs ``asWritten``."""
    later = is_awaited(target, promise.call)
    bare = promise.call.removeprefix("await ")
    if promise.relation is PromiseRelation.RAISES:
        return [styles.raises(runner, bare, promise.expected, None, is_async=later)], False
    lines = [f"const observed = {'await ' if later else ''}{bare};"]
    if promise.relation is PromiseRelation.PRINTS:
        return [*lines, styles.same(runner, "String(observed)", styles.text(promise.expected))], False
    expected = promise.expected
    if expected == "null" and "null" not in promise.words:
        # The words are another language's: nothing is promised between null and undefined.
        return [*lines, styles.same(runner, "observed ?? null", "null")], False
    tolerance = tolerance_of(expected)
    structured = expected[:1] in "[{" or expected.startswith("new ")
    if not structured and not tolerance and expected not in ("0", "-0"):
        return [*lines, styles.same(runner, "observed", expected)], False
    near = f", {tolerance}" if tolerance else ""
    check = styles.equal if structured else styles.same
    if len(expected) > 40:
        lines.append(f"const expected = {expected};")
        expected = "expected"
    return [*lines, check(runner, f"asWritten(observed, {expected}{near})", expected)], True


def tolerance_of(expected: str) -> str:
    """How far numbers may lie from the written ones: empty where all are whole.

    A person who writes ``0.33`` may have rounded, and binary fractions rarely equal a short decimal one: so a fraction is
    compared within half a unit of its last digit (two decimals or more) or within a millionth of its size. With all its
    digits it may differ where another engine rounds a last one.
    """
    widest = 0.0
    for match in _NUMBER.finditer(_STRING.sub('""', expected)):
        decimals, exponent = match["decimals"] or "", int(match["exponent"] or 0)
        digits = (match["whole"].lstrip("0") + decimals).rstrip("0")
        if not (decimals or match["exponent"]):
            continue
        if abs(exponent) > 300:
            continue
        size = abs(float(match.group().lstrip("-")))
        exact = len(match["whole"].lstrip("0") + decimals) >= _EXACT_DIGITS
        near = 1e-12 * size if exact else 1e-6 * max(1.0, size)
        if not exact and len(decimals) >= 2 and digits:
            near = max(near, 5 * 10.0 ** (exponent - len(decimals) - 1))
        widest = max(widest, near)
    return f"{widest:.3g}" if widest else ""
