"""Whether a test can fail at all: it parses, does not skip itself, and asserts something that depends on code."""

from __future__ import annotations

import re

from tree_sitter import Node

from qverify_desktop.domain.results import Reason
from qverify_desktop.domain.testing import GeneratedTest
from qverify_desktop.languages.base import StaticProblem
from qverify_desktop.languages.javascript.calls import assertion_nodes, call_of, chain_of
from qverify_desktop.languages.javascript.dialects import parse_source
from qverify_desktop.languages.tree.source import TreeSource, line_of, walk

MOST_CHARACTERS = 400_000
_LITERALS = frozenset(
    (
        "number",
        "string",
        "true",
        "false",
        "null",
        "undefined",
        "regex",
        "array",
        "object",
        "pair",
        "property_identifier",
    )
)
#: Assertions that hold for almost everything.
_WEAK = re.compile(
    r"expect(?:\.not)?\.(?:toBeDefined|toBeTruthy|toBeInstanceOf|pass)$|assert\.(?:ok|isDefined)$|assert$"
)


def static_problem(test: GeneratedTest) -> StaticProblem | None:
    """``None`` for a test that could fail."""
    if len(test.code) > MOST_CHARACTERS:
        return StaticProblem(Reason.SYNTAX, "It is too long.")
    source = parse_source("\n".join((*test.prelude, test.code)), test.path)
    if source is None:
        return StaticProblem(Reason.SYNTAX, "The parser refuses it.")
    if source.root.has_error:
        return StaticProblem(Reason.SYNTAX, f"Line {_error_line(source)} is not valid source.")
    alone = parse_source(test.code, test.path)
    if alone is None or alone.root.has_error:
        return StaticProblem(Reason.SYNTAX, "It does not stand for itself.")
    calls = [call for node in walk(alone.root) if (call := call_of(alone, node)) is not None]
    if not any(call.is_test for call in calls):
        return StaticProblem(Reason.NOT_A_TEST, "It holds no call of test or it.")
    if any(call.skips for call in calls):
        return StaticProblem(Reason.TRIVIAL, "It skips itself.")
    assertions = assertion_nodes(alone, alone.root)
    if not assertions:
        return StaticProblem(Reason.TRIVIAL, "It has no assertion.")
    if not any(_could_fail(alone, node) for node in assertions):
        return StaticProblem(Reason.TRIVIAL, "Its assertions hold whatever the code does.")
    return None


def _error_line(source: TreeSource) -> int:
    return next((line_of(node) for node in _all(source.root) if node.is_error or node.is_missing), 1)


def _all(root: Node) -> list[Node]:
    found, stack = [], [root]
    while stack:
        node = stack.pop()
        found.append(node)
        stack.extend(reversed(node.children))
    return found


def _could_fail(source: TreeSource, node: Node) -> bool:
    """Whether an assertion names anything but literals, and does not compare a thing with itself."""
    arguments = [
        one for call in walk(node) if call.type == "arguments" for one in call.named_children if one.type != "comment"
    ]
    if not any(_is_open(source, one) for one in arguments):
        return False
    outer = [source.slice(one) for one in arguments]
    if len(arguments) >= 2 and outer[0] == outer[1] and "(" not in outer[0]:
        return False
    return not (_WEAK.search(chain_of(source, node)) and len(arguments) == 1 and not _calls(arguments[0]))


def _is_open(source: TreeSource, node: Node) -> bool:
    return any(
        inner.type not in _LITERALS and not inner.type.endswith(("_fragment", "escape_sequence", "comment"))
        for inner in walk(node)
    )


def _calls(node: Node) -> bool:
    """Whether something is called or named in it."""
    return any(inner.type in ("call_expression", "identifier", "new_expression") for inner in walk(node))
