"""Tests in the text of a file: which calls are tests, and what each of them asserts. Reads syntax only."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from qverify_desktop.languages.tree.source import TreeSource, line_of, walk

TESTS = frozenset(("test", "it", "specify"))
SUITES = frozenset(("describe", "suite", "context"))
_SKIPPING = frozenset(("skip", "todo", "skipIf", "runIf", "failing", "fails"))
_X = {"xit": "it", "xtest": "test", "xdescribe": "describe", "fit": "it", "fdescribe": "describe"}


@dataclass(frozen=True)
class Call:
    """``test("title", body)``: ``marks`` are the names behind the first (``skip``, ``each`` …)."""

    node: Node
    name: str
    marks: tuple[str, ...]
    title: str
    title_node: Node | None
    body: Node | None

    @property
    def is_test(self) -> bool:
        return self.name in TESTS

    @property
    def is_suite(self) -> bool:
        return self.name in SUITES

    @property
    def skips(self) -> bool:
        return bool(_SKIPPING & set(self.marks))


def calls_in(source: TreeSource, container: Node) -> Iterator[tuple[Node, Call | None]]:
    """The statements of a program or of a function's block, each with the test or suite that it is."""
    for statement in container.named_children:
        inner = statement.named_children[0] if statement.type == "expression_statement" else None
        if inner is not None and inner.type == "await_expression" and inner.named_child_count:
            inner = inner.named_children[0]
        yield statement, call_of(source, inner) if inner is not None else None


def call_of(source: TreeSource, node: Node) -> Call | None:
    """A call of the interface of test files."""
    if node.type != "call_expression":
        return None
    function = node.child_by_field_name("function")
    if function is None or function.end_byte - function.start_byte > 300:
        return None
    if function.type == "call_expression":
        # ``test.each(table)(title, body)``
        function = function.child_by_field_name("function") or function
    path = re.sub(r"\s", "", source.slice(function)).split(".")
    name = _X.get(path[0], path[0])
    if name not in TESTS | SUITES:
        return None
    marks = tuple(path[1:]) + (("skip",) if path[0].startswith("x") else ())
    arguments = node.child_by_field_name("arguments")
    given = [one for one in arguments.named_children if one.type != "comment"] if arguments is not None else []
    first = given[0] if given and given[0].type in ("string", "template_string") else None
    functions = [one for one in given if one.type in ("arrow_function", "function_expression", "function")]
    return Call(
        node,
        name,
        marks,
        title_text(source.slice(first)) if first is not None else "",
        first,
        functions[-1] if functions else None,
    )


def title_text(literal: str) -> str:
    """The text of a string literal."""
    inner = literal[1:-1]
    if literal.startswith('"'):
        try:
            return str(json.loads(literal))
        except ValueError:
            return inner
    return re.sub(r"\\(.)", r"\1", inner)


def block_of(call: Call) -> Node | None:
    """The block of a test's function; ``None`` where it is an expression."""
    body = call.body.child_by_field_name("body") if call.body is not None else None
    return body if body is not None and body.type == "statement_block" else None


def test_ids(source: TreeSource, path: str) -> list[str]:
    """Ids of the tests that a runner would find in a generated file, titles of suites in front."""
    found: list[str] = []
    stack: list[tuple[Node, tuple[str, ...]]] = [(source.root, ())]
    while stack:
        container, above = stack.pop()
        for _, call in calls_in(source, container):
            if call is None:
                continue
            titles = (*above, call.title)
            if call.is_test:
                found.append(f"{path}::{' > '.join(titles)}")
            else:
                block = block_of(call)
                if block is not None:
                    stack.append((block, titles))
    return found


test_ids.__test__ = False  # type: ignore[attr-defined]


def assertion_nodes(source: TreeSource, root: Node) -> list[Node]:
    """Calls that assert: ``expect(…).to…``, ``assert…(…)``, ``….should…``; the outermost of each chain."""
    found = []
    for node in walk(root):
        if node.type != "call_expression":
            continue
        text = chain_of(source, node)
        if is_assertion(text) and not _inside_chain(node):
            found.append(node)
    return found


def _inside_chain(node: Node) -> bool:
    parent = node.parent
    return parent is not None and parent.type == "member_expression"


def chain_of(source: TreeSource, node: Node) -> str:
    """The names of a call's chain without its arguments: ``expect.toBe``, ``assert.equal``."""
    names: list[str] = []
    current: Node | None = node
    while current is not None and len(names) < 30:
        if current.type == "call_expression":
            current = current.child_by_field_name("function")
        elif current.type == "member_expression":
            names.append(source.field(current, "property"))
            current = current.child_by_field_name("object")
        elif current.type in ("await_expression", "parenthesized_expression", "non_null_expression"):
            current = current.named_children[0] if current.named_child_count else None
        else:
            names.append(source.slice(current)[:60] if current.type == "identifier" else "")
            current = None
    return ".".join(reversed(names))


def is_assertion(chain: str) -> bool:
    """Whether a chain of names is an assertion of Jest, Vitest, Chai, ``node:assert`` or AVA."""
    first, _, rest = chain.partition(".")
    if first == "expect":
        return bool(rest) and rest.split(".")[0] not in (
            "extend",
            "any",
            "anything",
            "objectContaining",
            "assertions",
        )
    if first in ("assert", "t"):
        return first == "assert" or rest.split(".")[-1] in ("is", "deepEqual", "throws", "true", "false", "equal")
    return ".should" in chain


def assertion_list(source: TreeSource) -> list[tuple[int, str]]:
    """1-based line and text on one line of every assertion."""
    return [(line_of(node), " ".join(source.slice(node).split())) for node in assertion_nodes(source, source.root)]
