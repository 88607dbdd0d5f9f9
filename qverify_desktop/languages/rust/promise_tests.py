"""A test for each promise; what a fence says stays as it is written, what prose says is compared as strictly as its words allow."""

from __future__ import annotations

import re
from collections.abc import Sequence

from qverify_desktop.domain.project import Project, Promise, PromiseRelation, Target
from qverify_desktop.domain.testing import GeneratedTest, Label, Origin, Quote
from qverify_desktop.languages.rust.placing import test_path
from qverify_desktop.languages.rust.promises import FENCE
from qverify_desktop.languages.rust.syntax import body_of, indented
from qverify_desktop.languages.tree.rendering import identifier

_FLOAT = re.compile(r"-?(\d[\d_]*)\.(\d+)(?:e(-?\d+))?")
#: With at least this many digits a decimal fraction is taken as exact, not as rounded by a person.
_EXACT_DIGITS = 13


def write_promise_tests(
    project: Project, targets: Sequence[Target], promises: Sequence[Promise]
) -> list[GeneratedTest]:
    """One test a promise, label ``specification``, the promise's words as its quote."""
    by_id = {target.id: target for target in targets}
    counts: dict[tuple[str, str], int] = {}
    tests: list[GeneratedTest] = []
    for promise in promises:
        target = by_id.get(promise.target)
        if target is None or not target.public:
            continue
        path = test_path(project, target, "promises")
        kind = "panics" if promise.relation is PromiseRelation.RAISES else "holds"
        stem = f"{identifier(target.symbol).lower()}_{kind}"
        counts[path, stem] = counts.get((path, stem), 0) + 1
        code = _code(f"{stem}_{counts[path, stem]}", promise, target)
        if code is None:
            continue
        tests.append(
            GeneratedTest(
                path=path,
                name=f"{stem}_{counts[path, stem]}",
                code=code,
                target=target.id,
                label=Label.SPECIFICATION,
                origin=Origin.PROMISE,
                prelude=() if promise.form == FENCE else (using(target),),
                call=promise.call,
                expected=promise.expected,
                quote=Quote(promise.words, promise.file, promise.line),
            )
        )
    return tests


def using(target: Target) -> str:
    """The ``use`` that makes a target's function, or its type, known."""
    return f"use {target.module}::{target.symbol.partition('.')[0]};"


def _code(name: str, promise: Promise, target: Target) -> str | None:
    if promise.form != FENCE:
        return _function(name, compared(promise.call, promise.expected))
    needed = _unknown(target, promise.setup)
    uses = [*([needed] if needed else []), *(line for line in promise.setup if line.startswith("use "))]
    body = [line for line in promise.setup if not line.startswith("use ")]
    attribute = "#[should_panic]" if promise.relation is PromiseRelation.RAISES else ""
    return _function(name, [*uses, *([""] if uses else []), *body], attribute=attribute)


def _function(name: str, body: Sequence[str], attribute: str = "") -> str | None:
    header = f"fn {name}() {{"
    inside = "\n".join(body)
    if body_of(inside) is None:
        return None
    return "\n".join(["#[test]", *([attribute] if attribute else []), header, *indented(inside), "}"])


def _unknown(target: Target, lines: Sequence[str]) -> str:
    """A ``use`` for what an example calls and does not bring in itself."""
    text = "\n".join(lines)
    name = target.symbol.partition(".")[0]
    used = re.search(rf"(?<![\w.:]){re.escape(name)}\b", text)
    brought = re.search(
        rf"\buse\s[^;]{{0,2000}}(?:\b{re.escape(name)}\b|\*)|\b(?:fn|struct|enum)\s+{re.escape(name)}\b", text
    )
    return using(target) if used and not brought else ""


def compared(call: str, expected: str) -> list[str]:
    """Statements that hold a call to an expected value, floats within what their digits promise.

    A person who writes ``0.33`` may have rounded, and binary fractions rarely equal a short decimal one: a single float is
    compared within half a unit of its last digit (two decimals or more) or within a relative 1e-6.
    """
    if expected in ("f64::NAN", "f32::NAN"):
        return [f"assert!({call}.is_nan());"]
    match = _FLOAT.fullmatch(expected)
    if match:
        whole, decimals, exponent = match[1].lstrip("0"), match[2], int(match[3] or 0)
        if abs(exponent) < 300:
            # With all its digits it may differ where another library rounds a last one.
            exact = len(whole + decimals) >= _EXACT_DIGITS
            rounded = not exact and len(decimals) >= 2 and decimals.strip("0")
            near = f"5e{exponent - len(decimals) - 1}" if rounded else ""
            value = abs(float(expected.replace("_", "")))
            limit = near or (f"{max(value * (1e-12 if exact else 1e-6), 1e-15 if exact else 1e-12):e}")
            return [
                f"let observed = {call};",
                f'assert!((observed - {expected}).abs() <= {limit}, "{{observed:?}}");',
            ]
    return [f"assert_eq!({call}, {expected});"]
