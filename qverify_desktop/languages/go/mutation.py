"""Mutants of Go functions."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from qverify_desktop.domain.project import Snapshot, Target
from qverify_desktop.domain.testing import Mutant
from qverify_desktop.languages.go.segments import definitions
from qverify_desktop.languages.go.source import read_source
from qverify_desktop.languages.go.types import FLOATS, INTEGERS, results
from qverify_desktop.languages.tree.mutation import Change, Operators
from qverify_desktop.languages.tree.mutation import mutants as changed
from qverify_desktop.languages.tree.source import TreeSource, line_of

_ZEROS = {"bool": "false", "string": '""', "error": "nil", "any": "nil", "[]": "nil", "map": "nil", "*": "nil"}


def mutants(snapshot: Snapshot, target: Target, lines: frozenset[int], most: int) -> list[Mutant]:
    """See ``Language.mutants``."""
    source = read_source(snapshot.root, target.file)
    if not isinstance(source, TreeSource):
        return []
    for definition in definitions(source):
        if line_of(definition.node) == target.line and definition.symbol == target.symbol:
            return changed(source, definition.body, target, lines, most, _operators(target))
    return []


def _operators(target: Target) -> Operators:
    zeros = _zeros(target.returns)

    def further(source: TreeSource, node: Node) -> Iterator[Change]:
        if node.type == "return_statement" and zeros is not None and node.named_child_count:
            yield "return", node, f"return {zeros}"
        elif node.type == "unary_expression" and source.field(node, "operator") == "!":
            operand = node.child_by_field_name("operand")
            if operand is not None:
                yield "negation", node, source.slice(operand)
        elif node.type in ("inc_statement", "dec_statement") and node.named_child_count:
            sign = "--" if node.type == "inc_statement" else "++"
            yield "arithmetic", node, f"{source.slice(node.named_children[0])}{sign}"

    return Operators(
        binary=frozenset(("binary_expression", "assignment_statement")),
        integers=frozenset(("int_literal",)),
        floats=frozenset(("float_literal",)),
        strings=frozenset(("interpreted_string_literal", "raw_string_literal")),
        conditions={"if_statement": "condition"},
        simple=frozenset(("identifier", "call_expression", "selector_expression", "index_expression")),
        dropped={"expression_statement": "call_expression"},
        nothing="",
        jumps={"break_statement": "continue", "continue_statement": "break"},
        inert=frozenset(("import_declaration", "type_declaration", "comment", "const_declaration")),
        further=further,
    )


def _zeros(returns: str) -> str | None:
    """The zero values of the results, where they can be written without knowing more than the declared types."""
    found = []
    for kind in results(returns):
        if kind.name in INTEGERS or kind.name in FLOATS:
            found.append("0")
        elif kind.name in _ZEROS:
            found.append(_ZEROS[kind.name])
        elif kind.name == "[n]":
            found.append(f"{kind.text}{{}}")
        else:
            return None
    return ", ".join(found) or None
