"""A model's answer, a whole test file, taken apart into tests that stand for themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tree_sitter import Node

from qverify_desktop.domain.project import Target
from qverify_desktop.domain.results import Reason
from qverify_desktop.domain.testing import GeneratedTest, Label, Origin
from qverify_desktop.languages.base import StaticProblem
from qverify_desktop.languages.javascript.calls import Call, assertion_nodes, block_of, calls_in, chain_of
from qverify_desktop.languages.javascript.dialects import parse_source
from qverify_desktop.languages.javascript.names import bound, used
from qverify_desktop.languages.javascript.styles import text
from qverify_desktop.languages.tree.source import TreeSource, line_of, walk

MOST_CHARACTERS = 400_000
MOST_DEPTH = 20
_HOOKS = frozenset(("beforeEach", "afterEach", "beforeAll", "afterAll", "before", "after", "setup", "teardown"))
_TOP = re.compile(r"^(?:test|it|describe|import|const|let|function|class|export)\b", re.MULTILINE)


@dataclass(frozen=True)
class _Case:
    """A test with the suites around it, outermost first, and the statements that stand beside it in each of them."""

    call: Call
    suites: tuple[tuple[Call, tuple[Node, ...]], ...]


def split(source: str, path: str, target: Target) -> list[GeneratedTest] | StaticProblem:
    """The tests of a file, each with the statements it needs and a title that is unique for the target.

    A file that breaks off in the middle keeps the tests before the break. A test keeps a suite around it only where the suite
    holds more than tests (hooks, variables).
    """
    parsed = _parsed(source, path)
    if isinstance(parsed, StaticProblem):
        return parsed
    shared = [node for node, call in calls_in(parsed, parsed.root) if call is None and node.type != "comment"]
    titles: set[str] = set()
    found: list[GeneratedTest] = []
    for case in _cases(parsed, parsed.root, (), MOST_DEPTH):
        title = _unique(_title(target, case), titles)
        code, name = _code(parsed, case, title)
        call, expected = _single_expectation(parsed, case.call)
        found.append(
            GeneratedTest(
                path=path,
                name=name,
                code=code,
                target=target.id,
                label=Label.CHARACTERIZATION,
                origin=Origin.MODEL,
                prelude=_needed(parsed, shared, code),
                call=call,
                expected=expected,
            )
        )
    return found or StaticProblem(Reason.NOT_A_TEST, "No call of test or it is in it.")


def _parsed(source: str, path: str) -> TreeSource | StaticProblem:
    if len(source) > MOST_CHARACTERS or "\0" in source:
        return StaticProblem(Reason.SYNTAX, "It is too long, or holds null bytes.")
    plain = source.replace("\r\n", "\n").strip("\ufeff")
    parsed = parse_source(plain, path)
    if parsed is not None and not parsed.root.has_error:
        return parsed
    # An answer that broke off: what stands before its last statement may be whole.
    starts = [match.start() for match in _TOP.finditer(plain)]
    for start in reversed(starts[1:][-20:]):
        shorter = parse_source(plain[:start], path)
        if shorter is not None and not shorter.root.has_error and shorter.root.named_child_count:
            return shorter
    line = next((line_of(n) for n in walk(parsed.root) if n.is_error or n.has_error), 1) if parsed else 1
    return StaticProblem(Reason.SYNTAX, f"It is not valid source near line {line}.")


def _cases(
    source: TreeSource, container: Node, suites: tuple[tuple[Call, tuple[Node, ...]], ...], depth: int
) -> Iterator[_Case]:
    if depth <= 0:
        return
    for _, call in calls_in(source, container):
        if call is None:
            continue
        if call.is_test:
            yield _Case(call, suites)
            continue
        block = block_of(call)
        if block is not None:
            beside = tuple(
                node for node, inner in calls_in(source, block) if inner is None and node.type != "comment"
            )
            yield from _cases(source, block, (*suites, (call, beside)), depth - 1)


def _title(target: Target, case: _Case) -> str:
    words = [call.title for call, _ in case.suites if call.title != target.symbol] + [case.call.title or "case"]
    # A title that the application gave before comes back as it was.
    given = [target.symbol] if not words[0].startswith(f"{target.symbol} ") else []
    plain = re.sub(r"[\[\]\x00-\x1f\x7f`$\\]|::|\s>\s", " ", " ".join((*given, *words)))
    return " ".join(plain.split())[:200]


def _unique(title: str, taken: set[str]) -> str:
    candidate, number = title, 1
    while candidate in taken:
        number += 1
        candidate = f"{title} ({number})"
    taken.add(candidate)
    return candidate


def _code(source: TreeSource, case: _Case, title: str) -> tuple[str, str]:
    """The statement, and the name under which its runner will report it."""
    node, title_node = case.call.node, case.call.title_node
    data = source.data
    if title_node is not None:
        code = (
            data[node.start_byte : title_node.start_byte]
            + text(title).encode("utf-8", "replace")
            + data[title_node.end_byte : node.end_byte]
        ).decode("utf-8", "replace")
    else:
        code = source.slice(node)
    code = _outdented(code, int(node.start_point[1])) + ";"
    name = title
    for suite, beside in reversed(case.suites):
        if not beside:
            continue
        outer = re.sub(r"[\[\]\x00-\x1f\x7f`$\\]|::", " ", suite.title)
        inner = [_outdented(source.slice(one), int(one.start_point[1])) for one in beside]
        body = "\n\n".join([*inner, code]).replace("\n", "\n  ")
        code = re.sub(r"^ +$", "", f"describe({text(outer)}, () => {{\n  {body}\n}});", flags=re.MULTILINE)
        name = f"{outer} > {name}"
    return code, name


def _outdented(code: str, columns: int) -> str:
    return re.sub(rf"\n {{1,{max(1, columns)}}}", lambda m: "\n" + " " * max(0, len(m.group()) - 1 - columns), code)


def _needed(source: TreeSource, shared: Sequence[Node], code: str) -> tuple[str, ...]:
    """Statements at the top of the file that the test rests on: what it names, hooks, and what runs for its effect."""
    needed = set(re.findall(r"[A-Za-z_$][\w$]*", code))
    kept: set[int] = set()
    changed = True
    while changed:
        changed = False
        for index, node in enumerate(shared):
            names = set(bound(source, node))
            if index in kept or (names and not names & needed):
                continue
            kept.add(index)
            needed |= used(source, node)
            changed = True
    return tuple(source.slice(node) for index, node in enumerate(shared) if index in kept)


def _single_expectation(source: TreeSource, call: Call) -> tuple[str, str]:
    """Call and expected value where the test has one assertion of equality with a literal."""
    assertions = assertion_nodes(source, call.body) if call.body is not None else []
    if len(assertions) != 1:
        return "", ""
    node = assertions[0]
    chain = chain_of(source, node)
    given = [_arguments(one) for one in walk(node) if one.type == "call_expression"]
    if re.fullmatch(r"expect\.to(?:Be|Equal|StrictEqual)", chain) and len(given) >= 2:
        right, left = given[0], given[1]
    elif re.fullmatch(r"assert\.(?:strict|deepStrict|deep)?[eE]qual", chain) and given and len(given[0]) >= 2:
        left, right = given[0][:1], given[0][1:2]
    else:
        return "", ""
    if len(left) != 1 or len(right) != 1:
        return "", ""
    subject = left[0]
    if subject.type == "identifier":
        subject = _value_of(source, call, source.slice(subject)) or subject
    literal = right[0].type in ("number", "string", "true", "false", "null", "undefined", "array", "object") or (
        right[0].type == "unary_expression"
    )
    if subject.type in ("call_expression", "await_expression") and literal:
        return source.slice(subject), source.slice(right[0])
    return "", ""


def _arguments(call: Node) -> list[Node]:
    arguments = call.child_by_field_name("arguments")
    return [one for one in arguments.named_children if one.type != "comment"] if arguments is not None else []


def _value_of(source: TreeSource, call: Call, name: str) -> Node | None:
    values = [
        node.child_by_field_name("value")
        for node in walk(call.node)
        if node.type == "variable_declarator" and source.field(node, "name") == name
    ]
    return values[0] if len(values) == 1 else None
