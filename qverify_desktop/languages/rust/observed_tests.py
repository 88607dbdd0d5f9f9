"""Calls with generated inputs, and the tests that hold what they gave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from qverify_desktop.domain.project import Project, Target
from qverify_desktop.domain.testing import GeneratedTest, Label, Origin
from qverify_desktop.languages.rust.making import Makers
from qverify_desktop.languages.rust.placing import test_path
from qverify_desktop.languages.rust.speaking import RustSpeaker, callee, spoken, string_text
from qverify_desktop.languages.rust.types import Type, generics_of, read_type
from qverify_desktop.languages.tree.rendering import identifier
from qverify_desktop.languages.values.notation import whole_value
from qverify_desktop.languages.values.value import Entries, Items, Kind, Number, Value, holds

MOST_KEPT = 8
MOST_ALIKE = 3
MOST_PANICS = 2
_MOST_SHOWN = 600


@dataclass(frozen=True)
class Call:
    """One call. ``lines`` are statements that end in an expression: the answer, with what ``changed`` is bound to where the call
    changes an argument. ``uses`` bring in what is named."""

    target: Target
    arguments: tuple[Value, ...]
    uses: tuple[str, ...]
    bindings: tuple[str, ...]
    expression: str
    changed: tuple[tuple[str, Type], ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        if not self.changed:
            return (*self.bindings, self.expression)
        names = ", ".join(name for name, _ in self.changed)
        return (*self.bindings, f"let answer = {self.expression};", f"(answer, {names})")

    @staticmethod
    def kinds(target: Target) -> list[Type] | None:
        """Types of what a call needs, the receiver first; ``None`` where a call would show nothing."""
        generics = generics_of(target.signature)
        kinds = [read_type(parameter.annotation, generics) for parameter in target.parameters]
        changes = any(kind.name == "&mut" for kind in kinds)
        if not target.returns and not changes:
            return None
        return [Type(target.symbol.partition(".")[0]), *kinds] if target.callee == "method" else kinds


@dataclass(frozen=True)
class Observation:
    """What a call gave: ``shown`` as ``Debug`` prints it, ``None`` where it panicked; ``fresh`` counters were reached first here."""

    call: Call
    number: int
    shown: str | None
    fresh: int

    def agrees(self, other: Observation | None) -> bool:
        """Whether another run gave the same; the order of sets and maps is no difference."""
        if other is None or self.call != other.call:
            return False
        if self.shown == other.shown:
            return True
        mine, its = (whole_value(one.shown) if one.shown is not None else None for one in (self, other))
        return mine is not None and its is not None and _sorted(mine) == _sorted(its) != mine


def _sorted(value: Value) -> Value:
    """Sets and maps at the top in one order."""
    if isinstance(value, Entries):
        return Entries(tuple(sorted(value.pairs, key=repr)))
    if isinstance(value, Items) and value.kind is Kind.SET:
        return Items(tuple(sorted(value.items, key=repr)), Kind.SET)
    return value


def call_of(target: Target, arguments: Sequence[Value], makers: Makers) -> Call | None:
    """The call with these values as source; ``None`` where one does not fit its type."""
    kinds = Call.kinds(target)
    if kinds is None or len(kinds) != len(arguments):
        return None
    bindings: list[str] = []
    changed: list[tuple[str, Type]] = []
    written: list[str] = []
    method = target.callee == "method"
    for number, (value, kind) in enumerate(zip(arguments, kinds, strict=True)):
        if kind.name == "&mut":
            owned = kind.inner[0] if kind.inner[0].name != "[]" else Type("Vec", kind.inner[0].inner)
            text = makers.spoken(value, owned)
            if text is None:
                return None
            name = f"changed_{number}"
            bindings.append(f"let mut {name} = {text};")
            changed.append((name, owned))
            written.append(f"&mut {name}")
            continue
        text = makers.spoken(value, kind)
        if text is None:
            return None
        written.append(text)
    if method:
        if "&mut self" in target.signature:
            bindings.insert(0, f"let mut subject = {written[0]};")
            written[0] = "subject"
        expression = f"{written[0]}.{target.symbol.rpartition('.')[2]}({', '.join(written[1:])})"
    else:
        expression = f"{callee(target)}({', '.join(written)})"
    named = [one for value in arguments for one in makers.modules(value)]
    if not method:
        named.insert(0, (target.module, target.symbol.partition(".")[0]))
    uses = tuple(dict.fromkeys(f"use {module}::{name};" for module, name in named))
    return Call(target, tuple(arguments), uses, tuple(bindings), expression, tuple(changed))


def write_tests(project: Project, target: Target, found: Sequence[Observation]) -> list[GeneratedTest]:
    """Tests for what reaches something new, then for what differs, label ``characterization``, at most ``MOST_KEPT``."""
    tests: list[GeneratedTest] = []
    path = test_path(project, target, "observed")
    for one in _by_worth(found):
        if len(tests) >= MOST_KEPT:
            break
        name = f"{identifier(target.symbol).lower()}_observed_{len(tests) + 1}"
        written = _written(one)
        if written is None:
            continue
        lines, expected = written
        attribute = ["#[should_panic]"] if one.shown is None else []
        code = "\n".join(["#[test]", *attribute, f"fn {name}() {{", *(f"    {line}" for line in lines), "}"])
        tests.append(
            GeneratedTest(
                path=path,
                name=name,
                code=code,
                target=target.id,
                label=Label.CHARACTERIZATION,
                origin=Origin.OBSERVATION,
                prelude=one.call.uses,
                call=one.call.expression,
                expected=expected,
            )
        )
    return tests


def _by_worth(found: Sequence[Observation]) -> list[Observation]:
    """What reaches something new, then the first of each answer, then the second and the third; few panics."""
    seen: Counter[str | None] = Counter()
    ranked: list[tuple[int, int, Observation]] = []
    for one in sorted(found, key=lambda one: (one.fresh == 0, one.number)):
        seen[one.shown] += 1
        if seen[one.shown] <= (MOST_ALIKE if one.shown is not None else MOST_PANICS):
            ranked.append((0 if one.fresh else seen[one.shown], one.number, one))
    return [one for _, _, one in sorted(ranked, key=lambda entry: entry[:2])]


def _written(one: Observation) -> tuple[list[str], str] | None:
    call = one.call
    if one.shown is None:
        return [*call.bindings, f"{call.expression};"], "a panic"
    if len(one.shown) > _MOST_SHOWN:
        return None
    value = whole_value(one.shown)
    if not call.changed:
        lines, expected = _assertion(call.expression, value, call.target, one.shown)
        return [*call.bindings, *lines], expected
    if not isinstance(value, Items) or len(value.items) != len(call.changed) + 1:
        return None
    lines = list(call.bindings)
    expected = ""
    if call.target.returns:
        written = RustSpeaker().answer(call.target, value.items[0])
        if written is None:
            return None
        lines.append(f"assert_eq!({call.expression}, {written});")
    else:
        lines.append(f"{call.expression};")
    for (name, kind), item in zip(call.changed, value.items[1:], strict=True):
        text = spoken(item, kind)
        if text is None:
            return None
        lines.append(f"assert_eq!({name}, {text});")
        expected = text
    return lines, expected


def _assertion(expression: str, value: Value | None, target: Target, shown: str) -> tuple[list[str], str]:
    if isinstance(value, Number) and value.text == "nan":
        return [f"assert!({expression}.is_nan());"], "NaN"
    written = RustSpeaker().answer(target, value) if value is not None and not _nan(value) else None
    if written is not None:
        return [f"assert_eq!({expression}, {written});"], written
    return [f'assert_eq!(format!("{{:?}}", {expression}), {string_text(shown)});'], shown


def _nan(value: Value) -> bool:
    return holds(value, Number) and "nan" in repr(value)
