"""Whether a generated test could fail at all because of the project's code, judged from its source alone."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from qverify_desktop.domain.results import Reason
from qverify_desktop.domain.testing import GeneratedTest
from qverify_desktop.languages.base import StaticProblem
from qverify_desktop.languages.go.source import functions, parse_source
from qverify_desktop.languages.tree.source import TreeSource, line_of, walk

_FAILING = frozenset(("Error", "Errorf", "Fatal", "Fatalf", "Fail", "FailNow"))
_SKIPPING = frozenset(("Skip", "Skipf", "SkipNow"))
#: Packages of assertions, by the names under which they are imported.
_LIBRARIES = frozenset(("assert", "require", "is", "qt", "cmp"))
_DECIDING = frozenset(
    ("if_statement", "expression_switch_statement", "type_switch_statement", "select_statement", "for_statement")
)
_LITERALS = frozenset(
    (
        "int_literal",
        "float_literal",
        "interpreted_string_literal",
        "raw_string_literal",
        "rune_literal",
        "true",
        "false",
        "nil",
    )
)


def static_problem(test: GeneratedTest) -> StaticProblem | None:
    """Why a test is refused before any run; ``None`` where it parses and asserts something that could fail."""
    source = parse_source(f"package p\n\n{test.code}\n")
    if source is None or source.root.has_error:
        return StaticProblem(Reason.SYNTAX, "It is not valid Go.")
    found = list(functions(source))
    if len(found) != 1 or not is_test(source, found[0]) or source.field(found[0], "name") != test.name:
        return StaticProblem(Reason.NOT_A_TEST, "It is no single test function.")
    body = found[0].child_by_field_name("body")
    if body is None:
        return StaticProblem(Reason.NOT_A_TEST, "It has no body.")
    if _skips_itself(source, body):
        return StaticProblem(Reason.TRIVIAL, "It skips itself.")
    return (
        None
        if any(_could_fail(source, node) for node in _assertions(source, body))
        else StaticProblem(Reason.TRIVIAL)
    )


def is_test(source: TreeSource, node: Node) -> bool:
    """Whether the go command would run the function as a test."""
    name = source.field(node, "name")
    rest = name.removeprefix("Test")
    return (
        node.type == "function_declaration"
        and name.startswith("Test")
        and name != "TestMain"
        and not rest[:1].islower()
        and "*testing.T" in source.field(node, "parameters")
    )


def assertions(code: str) -> list[tuple[int, str]]:
    """1-based line and text on one line of every assertion: the condition under which the test fails, or a library's call."""
    source = parse_source(f"package p;{code}")
    if source is None or source.root.has_error:
        return []
    return [
        (line_of(node), " ".join(source.slice(_shown(node)).split())) for node in _assertions(source, source.root)
    ]


def _shown(node: Node) -> Node:
    condition = node.child_by_field_name("condition") if node.type == "if_statement" else None
    return condition if condition is not None else node


def _assertions(source: TreeSource, root: Node) -> Iterator[Node]:
    """``if`` statements in which a test fails, failing calls that stand in none, and calls of assertion libraries."""
    for node in walk(root):
        if node.type != "call_expression":
            continue
        function = node.child_by_field_name("function")
        if function is None or function.type != "selector_expression":
            continue
        operand, name = source.field(function, "operand"), source.field(function, "field")
        if name in _FAILING and operand.isidentifier() and operand not in _LIBRARIES:
            yield _deciding(node) or node
        elif operand in _LIBRARIES and name[:1].isupper():
            yield node


def _deciding(node: Node) -> Node | None:
    above = node.parent
    while above is not None and above.type not in ("func_literal", "function_declaration"):
        if above.type in _DECIDING:
            return above
        above = above.parent
    return None


def _could_fail(source: TreeSource, node: Node) -> bool:
    """Whether an assertion depends on more than literals, and not on one thing compared with itself."""
    shown = _shown(node)
    if shown.type == "binary_expression" and source.field(shown, "left") == source.field(shown, "right"):
        return False
    if shown.type == "call_expression":
        listed = shown.child_by_field_name("arguments")
        given = [one for one in listed.named_children if source.slice(one) != "t"] if listed is not None else []
        texts = [source.slice(one) for one in given[:2]]
        named = any(inner.type == "identifier" for one in given[:2] for inner in walk(one))
        return named and not (len(texts) == 2 and texts[0] == texts[1])
    return (
        any(inner.type in ("identifier", "call_expression") for inner in walk(shown)) and shown.type not in _LITERALS
    )


def _skips_itself(source: TreeSource, body: Node) -> bool:
    for node in walk(body):
        if node.type == "call_expression":
            function = node.child_by_field_name("function")
            if (
                function is not None
                and function.type == "selector_expression"
                and source.field(function, "field") in _SKIPPING
            ):
                return True
    return False
