"""Mutants of a Rust function. Each replaces a whole expression or statement, so that all of them can stand in one build as choices."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from tree_sitter import Node

from qverify_desktop.domain.project import Snapshot, Target
from qverify_desktop.domain.testing import Mutant
from qverify_desktop.languages.mutants import MOST_BYTES, mutant_of, spread, unique
from qverify_desktop.languages.rust.source import find_function
from qverify_desktop.languages.rust.types import FLOATS, INTEGERS, Type, generics_of, read_type
from qverify_desktop.languages.tree.mutation import Change, Operators
from qverify_desktop.languages.tree.mutation import mutants as shared_mutants
from qverify_desktop.languages.tree.source import TreeSource

#: Nodes that a token's change is widened to.
_WHOLE = frozenset(("binary_expression", "compound_assignment_expr"))
_TYPED = re.compile(r"^([\d_]{1,18})(?:[iu](?:8|16|32|64|128|size))$")
#: Patterns, types, constants and macros: nothing below them is an expression that runs.
_INERT = frozenset(
    (
        "match_pattern",
        "macro_invocation",
        "type_arguments",
        "array_type",
        "const_item",
        "static_item",
        "attribute_item",
        "const_block",
        "let_condition",
        "tuple_struct_pattern",
        "captured_pattern",
        "range_pattern",
        "function_item",
    )
)
#: Most candidates of the shared operators that are looked at before some are chosen.
_MANY = 400


def mutants(snapshot: Snapshot, target: Target, lines: frozenset[int], most: int) -> list[Mutant]:
    """See ``Language.mutants``."""
    function = find_function(snapshot, target)
    if function is None or most <= 0:
        return []
    source, body = function.source, function.body
    returned = read_type(target.returns, generics_of(target.signature))

    def further(source: TreeSource, node: Node) -> Iterator[Change]:
        yield from _negated(source, node)
        yield from _early(source, node, body, returned)

    found = shared_mutants(source, body, target, lines, _MANY, _operators(further))
    wide = [other for one in found if (other := _widened(source, target, one)) is not None]
    return spread(unique(wide), most)


def _operators(further: Callable[[TreeSource, Node], Iterator[Change]]) -> Operators:
    return Operators(
        binary=_WHOLE,
        integers=frozenset(("integer_literal",)),
        floats=frozenset(("float_literal",)),
        strings=frozenset(("string_literal",)),
        conditions={"if_expression": "condition", "while_expression": "condition"},
        simple=frozenset(("identifier", "call_expression", "field_expression", "index_expression")),
        negation="!{}",
        dropped={"expression_statement": "call_expression"},
        nothing="();",
        jumps={"break_expression": "continue", "continue_expression": "break"},
        inert=_INERT,
        further=further,
    )


def _negated(source: TreeSource, node: Node) -> Iterator[Change]:
    """``!x`` without its negation; suffixed integers, which are no plain digits."""
    if node.type == "unary_expression" and source.slice(node).startswith("!") and node.named_child_count == 1:
        yield "condition", node, source.slice(node.named_children[0])
    typed = _TYPED.match(source.slice(node)) if node.type == "integer_literal" else None
    if typed:
        digits = typed[1].replace("_", "")
        suffix = source.slice(node)[len(typed[1]) :]
        yield "constant", node, f"{int(digits) + 1}{suffix}"


def _early(source: TreeSource, node: Node, body: Node, returned: Type) -> Iterator[Change]:
    """Another answer than the one that is given: at ``return`` and at the body's last expression."""
    if node.type == "return_expression" and node.named_child_count == 1:
        value = node.named_children[0]
    elif node == body and node.named_child_count and "statement" not in node.named_children[-1].type:
        value = node.named_children[-1]
        if value.type in ("line_comment", "block_comment", "if_expression", "match_expression", "let_declaration"):
            return
    else:
        return
    for other in _others(source.slice(value), returned):
        yield "return", value, other


def _others(text: str, returned: Type) -> Iterator[str]:
    name = returned.name
    if name == "bool":
        yield from (other for other in ("true", "false") if other != text)
    elif name == "Option" and not text.startswith("None"):
        yield "None"
    elif name in INTEGERS or name in FLOATS:
        if text not in ("0", "0.0"):
            yield "Default::default()"
    elif name in ("String", "Vec", "HashMap", "BTreeMap", "HashSet", "BTreeSet") or name == "()":
        if "new()" not in text and "vec![]" not in text:
            yield "Default::default()"
    elif name == "Result" and returned.inner and not text.startswith("Err"):
        inner = returned.inner[0]
        if inner.name in INTEGERS or inner.name in FLOATS or inner.name in ("bool", "String", "Vec", "Option"):
            yield "Ok(Default::default())"


def _widened(source: TreeSource, target: Target, mutant: Mutant) -> Mutant | None:
    """The change as one of the whole expression around a token; ``None`` for the number of a tuple's field."""
    start, end = mutant.start - source.offset, mutant.end - source.offset
    node = source.root.descendant_for_byte_range(start, end)
    if node is None or node.parent is None or (node.parent.type == "field_expression" and "literal" in node.type):
        return None
    if node.is_named or node.parent.type not in _WHOLE:
        return mutant
    whole = node.parent
    if whole.end_byte - whole.start_byte > MOST_BYTES * 2:
        return mutant
    original = source.slice(whole)
    front = source.data[whole.start_byte : start].decode("utf-8", "replace")
    back = source.data[end : whole.end_byte].decode("utf-8", "replace")
    wide = mutant_of(
        target,
        line=mutant.line,
        operator=mutant.operator,
        start=whole.start_byte + source.offset,
        end=whole.end_byte + source.offset,
        original=original,
        replacement=f"{front}{mutant.replacement}{back}",
    )
    return replace(wide, line=mutant.line)
