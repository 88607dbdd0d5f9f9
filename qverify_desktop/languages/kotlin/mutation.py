"""Mutants of a Kotlin function."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from qverify_desktop.domain.project import Snapshot, Target
from qverify_desktop.domain.testing import Mutant
from qverify_desktop.languages.kotlin.source import find_function, read_source
from qverify_desktop.languages.tree import mutation
from qverify_desktop.languages.tree.source import TreeSource

_OPPOSITE = {"break": "continue", "continue": "break"}
_TYPES = frozenset({"user_type", "nullable_type"})
_DEFAULTS = {
    "Int": "0",
    "Long": "0L",
    "Double": "0.0",
    "Float": "0f",
    "Boolean": "false",
    "String": '""',
    "List": "emptyList()",
    "Set": "emptySet()",
    "Map": "emptyMap()",
}


def _further(source: TreeSource, node: Node) -> Iterator[mutation.Change]:
    kind, text = node.type, source.slice(node)
    if kind == "identifier" and text in _OPPOSITE:
        yield "loop", node, _OPPOSITE[text]
    elif kind == "return_expression" and node.named_child_count:
        default = _default_of(source, node)
        value = node.named_children[-1]
        if default and source.slice(value) != default:
            yield "return", value, default
    elif kind == "throw_expression":
        parent = node.parent
        if parent is not None and parent.type == "block" and parent.named_child_count > 1:
            yield "raise", node, "Unit"
    elif kind == "unary_expression" and node.named_child_count == 1:
        operand = source.slice(node.named_children[0])
        if text.startswith("!") and not text.startswith("!!"):
            # The sign alone: the grammar binds it closer than the call behind it.
            yield "negation", node.children[0], ""
        elif text.endswith("++"):
            yield "arithmetic", node, f"{operand}--"
        elif text.endswith("--"):
            yield "arithmetic", node, f"{operand}++"
    elif kind == "range_expression" and node.named_child_count == 2:
        first, last = (source.slice(one) for one in node.named_children)
        if ".." in text and "..<" not in text:
            yield "constant", node, f"{first} until {last}"
    elif kind == "call_expression" and _is_statement(node):
        yield "call", node, "Unit"


def _is_statement(node: Node) -> bool:
    """Whether a call's value is not used: it stands in a block, and not last, where it may be the block's value."""
    parent = node.parent
    return parent is not None and parent.type == "block" and node != parent.named_children[-1]


def _default_of(source: TreeSource, node: Node) -> str:
    """A value of the type that the function of a return gives."""
    parent = node.parent
    while parent is not None and parent.type not in ("function_declaration", "lambda_literal", "anonymous_function"):
        parent = parent.parent
    if parent is None or parent.type != "function_declaration":
        return ""
    listed = next((one for one in parent.named_children if one.type == "function_value_parameters"), None)
    for child in parent.named_children:
        if listed is not None and child.type in _TYPES and child.start_byte >= listed.end_byte:
            text = source.slice(child)
            return "null" if text.endswith("?") else _DEFAULTS.get(text.partition("<")[0], "")
    return ""


OPERATORS = mutation.Operators(
    binary=frozenset({"binary_expression", "assignment"}),
    integers=frozenset({"number_literal", "integer_literal"}),
    floats=frozenset({"float_literal"}),
    strings=frozenset({"string_literal"}),
    conditions={"if_expression": "condition", "while_statement": "condition"},
    simple=frozenset({"identifier", "call_expression", "navigation_expression", "in_expression", "is_expression"}),
    inert=frozenset({"annotation", "type_arguments", "user_type", "modifiers", "import"}),
    further=_further,
)


def mutants(snapshot: Snapshot, target: Target, lines: frozenset[int], most: int) -> list[Mutant]:
    """At most ``most`` mutants of the target's body on ``lines``; empty where it is not found."""
    source = read_source(snapshot.root, target.file)
    found = find_function(source, target) if isinstance(source, TreeSource) else None
    if found is None or not isinstance(source, TreeSource):
        return []
    return mutation.mutants(source, found[0].body, target, lines, most, OPERATORS)
