"""Documentation examples of Rust (The rustdoc book, "Documentation tests"): each assertion in a fence is a promise.

What stands before an assertion in its fence is its setup; of assertions before it only the effect is kept, where they may have
one, so that each test speaks of one. Fences that are not meant to run (``ignore``, ``no_run``, ``compile_fail``, other languages) are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from qverify_desktop.languages.rust.syntax import (
    Statement,
    arguments,
    asserted_inside,
    body_of,
    identifiers,
    indented,
    statements,
    tries,
)
from qverify_desktop.languages.tree.source import TreeSource
from qverify_desktop.languages.values.notation import value_at
from qverify_desktop.languages.values.value import Word, holds

MAX_FENCES = 400
MAX_LINES = 400
_OPENING = re.compile(r"^(\s{0,20})(`{3,}|~{3,})\s*([^`]{0,200})$")
_RUNS = re.compile(r"rust|should_panic|edition20\d\d|standalone(?:_crate)?|E\d{4}|test_harness")
_NEVER = re.compile(r"ignore\b|no_run|compile_fail")
_BEHIND = re.compile(
    r"^//\s{0,9}(?P<mark>[-=]+>|===?|→|returns?\b:?|gives\b|is\b|yields\b)?\s{0,9}(?P<value>\S.{0,400})$"
)
_OK = re.compile(r"^Ok::<(.{1,300})>\(\s*\(\s*\)\s*\);?$", re.DOTALL)
_SECTION = re.compile(r"^\s{0,3}#{1,6}\s+(.{1,80}?)\s*#*$")
#: Headings of sections that speak of other versions, or of what goes wrong.
_ELSEWHERE = re.compile(
    r"(?i)\b(?:before\b|deprecated|migrat|upgrad|changelog|known issues|limitations|anti-?pattern|wrong)"
)
#: What makes two evaluations of one expression differ, so that none may be left out.
_CHANGING = re.compile(r"\blet\s+mut\b|&mut\b|\b(?:Ref)?Cell\b|\bMutex\b|\bRwLock\b|\bAtomic\w|\bstatic\b|\bunsafe\b")


@dataclass(frozen=True)
class Fence:
    """``code`` are its lines as they are compiled; line ``i`` is line ``first + i`` of the passage."""

    code: tuple[str, ...]
    first: int
    panics: bool = False


@dataclass(frozen=True)
class Claim:
    """One thing that a fence says. ``setup`` are the statements before it, ``statement`` is what is claimed, as source.

    ``start`` and ``end`` are lines of the passage. ``hands_on`` is the type of result that the code hands errors on with, empty
    where it doesn't. ``calls_before`` is the setup's text, for telling which function is meant.
    """

    setup: tuple[str, ...]
    statement: str
    call: str
    expected: str
    start: int
    end: int
    panics: bool = False
    hands_on: str = ""
    defining: str = ""


def fences(lines: Sequence[str], *, untagged: bool) -> tuple[list[Fence], list[str]]:
    """The fences that run, and the passage's lines without any Rust code. ``untagged``: a fence without a tag is Rust, as
    rustdoc has it."""
    found: list[Fence] = []
    prose = list(lines)
    index, elsewhere = 0, False
    while index < len(lines):
        heading = _SECTION.match(lines[index])
        if heading:
            elsewhere = bool(_ELSEWHERE.search(heading[1]))
        opening = _OPENING.match(lines[index])
        if opening is None:
            prose[index] = "" if elsewhere else lines[index]
            index += 1
            continue
        end = _end(lines, index + 1, opening[2])
        info = opening[3].strip().strip("{}")
        if _is_rust(info, untagged):
            prose[index : end + 1] = [""] * len(lines[index : end + 1])
            code = [_unhidden(line.removeprefix(opening[1])) for line in lines[index + 1 : end]]
            if not _NEVER.search(info) and not elsewhere and len(code) <= MAX_LINES and len(found) < MAX_FENCES:
                found.append(Fence(tuple(code), index + 1, "should_panic" in info))
        elif _NEVER.search(info):
            prose[index : end + 1] = [""] * len(lines[index : end + 1])
        index = end + 1
    return found, prose


def _end(lines: Sequence[str], index: int, mark: str) -> int:
    while index < len(lines) and not re.match(rf"^\s{{0,20}}{re.escape(mark[0])}{{{len(mark)},}}\s*$", lines[index]):
        index += 1
    return index


def _is_rust(info: str, untagged: bool) -> bool:
    words = [word for word in re.split(r"[,\s]+", info) if word]
    known = all(_RUNS.fullmatch(word) or _NEVER.match(word) for word in words)
    return known and (untagged or "rust" in words)


def _unhidden(line: str) -> str:
    """Lines that rustdoc hides are code too."""
    bare = line.lstrip()
    if bare == "#" or bare.startswith("# "):
        return bare[2:]
    return bare[1:] if bare.startswith("##") else line


def claims(fence: Fence) -> Iterator[Claim]:
    """Everything that a fence says, in its order."""
    read = _read(fence)
    if read is None:
        return
    source, found, hands_on = read
    if fence.panics:
        yield from _panicking(fence, found)
        return
    changing = bool(_CHANGING.search("\n".join(fence.code)))
    setup: list[str] = []
    known: dict[str, str] = {}
    for statement in found:
        for claim in _claims_of(fence, source, statement, setup, known, hands_on):
            yield claim if changing else replace(claim, setup=_needed(claim))
        bound = re.match(r"let\s+(?:mut\s+)?(\w+)\b[^=]{0,200}=", statement.text)
        if bound:
            known[bound[1]] = statement.text
        if not statement.macro or changing or identifiers(statement.text) & set(known):
            setup += _relaxed(statement)


def program(claim: Claim) -> tuple[str, ...]:
    """The statements of a test of the claim: what it brings in, its setup, what is claimed."""
    statements = (*claim.setup, claim.statement)
    uses = [one for one in statements if one.startswith("use ")]
    body = [one for one in statements if not one.startswith("use ")]
    if claim.hands_on:
        # As rustdoc has it: an error that an example hands on with ``?`` ends it.
        inner = [line for statement in (*body, "Ok(())") for line in indented(statement)]
        body = [f"let example = || -> {claim.hands_on} {{", *inner, "};", "example().unwrap();"]
    return (*uses, *body)


def _needed(claim: Claim) -> tuple[str, ...]:
    """The setup without values that nothing behind them uses: what goes wrong with these is another claim's."""
    kept: list[str] = []
    used = identifiers(claim.statement)
    for statement in reversed(claim.setup):
        bound = re.match(r"let\s+([a-z]\w*)\b[^=]{0,200}=", statement)
        if bound is None or bound[1] in used:
            kept.insert(0, statement)
            used |= identifiers(statement)
    return tuple(kept)


def _read(fence: Fence) -> tuple[TreeSource, list[Statement], str] | None:
    """The statements, those of ``main`` where there is one, and the type of result that they hand errors on with."""
    read = body_of("\n".join(line for line in fence.code))
    if read is None:
        return None
    source, found = read
    hands_on = ""
    main = [s for s in found if s.node.type == "function_item" and source.field(s.node, "name") == "main"]
    if main:
        body = main[0].node.child_by_field_name("body")
        if body is None or source.field(main[0].node, "parameters") != "()":
            return None
        hands_on = source.field(main[0].node, "return_type")
        found = [s for s in found if s is not main[0]] + statements(source, body)
    if found and (ended := _OK.match(found[-1].text)):
        hands_on = f"Result<{ended[1]}>"
        found = found[:-1]
    elif found and found[-1].text.rstrip(";") == "Ok(())":
        found = found[:-1]
    if not hands_on and tries(source, found):
        hands_on = "Result<(), Box<dyn std::error::Error>>"
    found = [s for s in found if s.node.type not in ("extern_crate_declaration", "inner_attribute_item")]
    return source, found, hands_on


def _panicking(fence: Fence, found: Sequence[Statement]) -> Iterator[Claim]:
    if found:
        last = found[-1]
        yield Claim(
            tuple(s.text for s in found[:-1]),
            last.text if last.text.endswith((";", "}")) else f"{last.text};",
            last.text.rstrip(";"),
            "a panic",
            fence.first + last.start,
            fence.first + last.end,
            panics=True,
        )


def _claims_of(
    fence: Fence,
    source: TreeSource,
    statement: Statement,
    setup: Sequence[str],
    known: dict[str, str],
    hands_on: str,
) -> Iterator[Claim]:
    if statement.macro:
        read = _asserted(statement.macro, statement.text)
    elif asserted_inside(source, statement.node) and statement.node.type != "function_item":
        inner = asserted_inside(source, statement.node)[0]
        text = source.slice(inner)
        read = _asserted(source.field(inner, "macro").rpartition("::")[2], text)
    elif statement.comment:
        yield from _commented(fence, statement, setup, hands_on)
        return
    else:
        return
    if read is None:
        return
    call, expected = read
    text = statement.text if statement.text.endswith((";", "}")) else f"{statement.text};"
    defining = " ".join(known[name] for name in sorted(identifiers(call) & set(known)))
    yield Claim(
        tuple(setup),
        text,
        call,
        expected,
        fence.first + statement.start,
        fence.first + statement.end,
        hands_on=hands_on,
        defining=defining,
    )


def _asserted(macro: str, text: str) -> tuple[str, str] | None:
    """Call and expectation of an assertion, in words where it expects no value."""
    found = arguments(text)
    if macro.endswith("assert") and found:
        call = found[0]
        if call.startswith("!") and not re.search(r"[=<>&|]", call):
            return call[1:].strip(), "false"
        return call, "true"
    if len(found) < 2:
        return None
    left, right = found[0], found[1]
    if "(" in right and "(" not in left:
        # The value may stand first.
        left, right = (
            (right, left) if not re.match(r"(?:Some|Ok|Err|vec!|String::from|\w+::new)\b", right) else (left, right)
        )
    return (left, f"anything but {right}") if macro.endswith("_ne") else (left, right)


def _commented(fence: Fence, statement: Statement, setup: Sequence[str], hands_on: str) -> Iterator[Claim]:
    """``f(x); // => y`` and ``let a = f(x); // y``."""
    behind = _BEHIND.match(statement.comment)
    if behind is None:
        return
    text = behind["value"].strip().strip("`").rstrip(".")
    value = value_at(text)
    if value is None or text[value[1] :].strip() or holds(value[0], Word):
        return
    bound = re.fullmatch(r"let\s+(?:mut\s+)?(\w+)\b[^=]{0,200}=(?!=)\s*(.{1,2000});", statement.text, re.DOTALL)
    if bound is None and statement.node.type not in ("expression_statement", "call_expression"):
        return
    call = bound[2] if bound else statement.text.rstrip(";").strip()
    if "(" not in call or call.startswith(("println!", "print!", "eprintln!")):
        return
    before = [*setup, statement.text] if bound else list(setup)
    yield Claim(
        tuple(before),
        f"assert_eq!({bound[1] if bound else call}, {text});",
        call,
        text,
        fence.first + statement.start,
        fence.first + statement.end,
        hands_on=hands_on,
    )


def _relaxed(statement: Statement) -> list[str]:
    """A statement as setup of those behind it: an assertion is only evaluated."""
    if not statement.macro:
        text = statement.text
        return [text if text.endswith((";", "}")) else f"{text};"]
    found = arguments(statement.text)
    if statement.macro.endswith("assert") and found:
        return [f"let _ = {found[0]};"]
    if len(found) < 2:
        return []
    return [f"let _ = {found[0]} {'!=' if statement.macro.endswith('_ne') else '=='} {found[1]};"]
