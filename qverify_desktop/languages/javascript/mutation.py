"""Small changes of a function's source, chosen so that each operator and each line has its share."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from qverify_desktop.domain.project import Snapshot, Target
from qverify_desktop.domain.testing import Mutant
from qverify_desktop.languages.javascript.dialects import read_source
from qverify_desktop.languages.javascript.segments import find_definition
from qverify_desktop.languages.tree.mutation import ARITHMETIC, ASSIGNING, RELATIONAL, Change, Operators
from qverify_desktop.languages.tree.mutation import mutants as mutants_of
from qverify_desktop.languages.tree.source import TreeSource

_TYPES = (
    "type_annotation",
    "type_arguments",
    "type_parameters",
    "interface_declaration",
    "type_alias_declaration",
    "import_statement",
    "type_predicate_annotation",
    "enum_declaration",
)


def _further(source: TreeSource, node: Node) -> Iterator[Change]:
    """Early return, removed negation, steps the other way, dropped ``throw``, empty rows and fallbacks that are left out."""
    if node.type == "return_statement" and node.named_child_count:
        value = node.named_children[0]
        if source.slice(value) not in ("null", "undefined"):
            yield "return", value, "null"
    elif node.type == "unary_expression" and source.field(node, "operator") in ("!", "-"):
        argument = node.child_by_field_name("argument")
        if argument is not None:
            yield "negation", node, source.slice(argument)
    elif node.type == "update_expression":
        sign = node.child_by_field_name("operator")
        if sign is not None:
            yield "step", sign, "--" if source.slice(sign) == "++" else "++"
    elif node.type == "throw_statement":
        yield "exception", node, ";"
    elif node.type == "array" and node.named_child_count:
        yield "constant", node, "[]"
    elif node.type == "binary_expression" and source.field(node, "operator") == "??":
        left = node.child_by_field_name("left")
        if left is not None:
            yield "logical", node, source.slice(left)


OPERATORS = Operators(
    binary=frozenset(("binary_expression", "augmented_assignment_expression")),
    integers=frozenset(("number",)),
    strings=frozenset(("string", "template_string")),
    conditions={
        "if_statement": "condition",
        "while_statement": "condition",
        "do_statement": "condition",
        "ternary_expression": "condition",
    },
    simple=frozenset(("identifier", "call_expression", "member_expression", "subscript_expression")),
    dropped={"expression_statement": "call_expression"},
    jumps={"break_statement": "continue;", "continue_statement": "break;"},
    inert=frozenset(_TYPES),
    relational={**RELATIONAL, "===": "!==", "!==": "==="},
    arithmetic={**ARITHMETIC, **ASSIGNING, "**": "*", "**=": "*="},
    further=_further,
)


def mutants(snapshot: Snapshot, target: Target, lines: frozenset[int], most: int) -> list[Mutant]:
    """See ``Language.mutants``."""
    source = read_source(snapshot.root, target.file)
    definition = find_definition(source, target) if isinstance(source, TreeSource) else None
    if not isinstance(source, TreeSource) or definition is None:
        return []
    return mutants_of(source, definition.body, target, lines, most, OPERATORS)
