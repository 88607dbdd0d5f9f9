"""Mutants of a function: small changes of its source, each of which a good test notices.

Each mutant is one replacement of bytes; the mutated source still parses. ``languages.mutants`` says where the operators are from.
"""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from qverify_desktop.domain.project import Snapshot, Target
from qverify_desktop.domain.testing import Mutant
from qverify_desktop.languages.mutants import MOST_BYTES, mutant_of, spread, unique
from qverify_desktop.languages.python.segments import docstring_node, find_function
from qverify_desktop.languages.python.source import SourceFile, line_of, parse, read_source

_RELATIONAL = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "is": "is not", "is not": "is"}
_MEMBERSHIP = {"in": "not in", "not in": "in"}
_ARITHMETIC = {
    "+": "-",
    "-": "+",
    "*": "/",
    "/": "*",
    "//": "*",
    "%": "//",
    "**": "*",
    "<<": ">>",
    ">>": "<<",
    "&": "|",
    "|": "&",
    "^": "&",
}
_AUGMENTED = {"+=": "-=", "-=": "+=", "*=": "/=", "/=": "*=", "//=": "*=", "%=": "//=", "|=": "&=", "&=": "|="}
_LOGICAL = {"and": "or", "or": "and"}
_TRUTH = {"true": "False", "false": "True"}
#: Below these nothing that runs can be changed.
_INERT = frozenset({"type", "decorator", "import_statement", "import_from_statement", "global_statement"})

#: An operator's name and the replacement of a node.
_Change = tuple[str, Node, str]


def mutants(snapshot: Snapshot, target: Target, lines: frozenset[int], most: int) -> list[Mutant]:
    """At most ``most`` mutants of the target's body on ``lines``, spread over operators and lines, deterministic.

    Empty where the file is not UTF-8, because byte offsets mean nothing in it, and where the target is not found.
    """
    source = read_source(snapshot.root, target.file)
    if not isinstance(source, SourceFile) or not source.utf8 or most <= 0:
        return []
    definition = find_function(source, target.symbol, target.line)
    body = definition.node.child_by_field_name("body") if definition is not None else None
    if definition is None or body is None:
        return []
    candidates = unique(
        _mutant(source, target, change)
        for change in _changes(source, body, docstring_node(definition.node))
        if line_of(change[1]) in lines and change[1].end_byte - change[1].start_byte <= MOST_BYTES
    )
    return spread([one for one in candidates if _parses(source, one)], most)


def _changes(source: SourceFile, body: Node, docstring: Node | None) -> Iterator[_Change]:
    stack = [body]
    while stack:
        node = stack.pop()
        if node.type in _INERT or node == docstring:
            continue
        yield from _changes_of(source, node)
        # What an exception says is seldom promised, so its parts are left alone.
        if node.type != "raise_statement":
            stack.extend(reversed(node.named_children))


def _changes_of(source: SourceFile, node: Node) -> Iterator[_Change]:
    kind = node.type
    if kind == "comparison_operator":
        for child in node.children:
            if child.is_named:
                continue
            text = " ".join(source.slice(child).split())
            if text in _RELATIONAL:
                yield "relational", child, _RELATIONAL[text]
            elif text in _MEMBERSHIP:
                yield "membership", child, _MEMBERSHIP[text]
    elif kind == "boolean_operator":
        yield from _swap(source, node, "logical", _LOGICAL)
    elif kind == "binary_operator":
        if not _formats_text(node):
            yield from _swap(source, node, "arithmetic", _ARITHMETIC)
    elif kind == "augmented_assignment":
        yield from _swap(source, node, "arithmetic", _AUGMENTED)
    elif kind == "not_operator":
        argument = node.child_by_field_name("argument")
        if argument is not None:
            yield "negation", node, f"bool({source.slice(argument)})"
    elif kind in _TRUTH:
        yield "constant", node, _TRUTH[kind]
    elif kind == "integer" or kind == "float":
        yield from _number(source, node)
    elif kind == "string":
        yield from _string(source, node)
    else:
        yield from _statement(source, node)


def _statement(source: SourceFile, node: Node) -> Iterator[_Change]:
    if node.type == "return_statement" and node.named_children:
        value = node.named_children[0]
        if value.type != "none":
            yield "return", value, "None"
    elif node.type == "raise_statement":
        yield "raise", node, "pass"
    elif node.type == "expression_statement" and node.named_children:
        call = node.named_children[0]
        if call.type == "await":
            call = call.named_children[0] if call.named_children else call
        if call.type == "call":
            yield "call", node, "pass"
    elif node.type == "break_statement":
        yield "loop", node, "continue"
    elif node.type == "continue_statement":
        yield "loop", node, "break"
    elif node.type in ("if_statement", "elif_clause", "while_statement", "conditional_expression"):
        condition = _condition(node)
        if condition is not None and condition.type in ("identifier", "call", "attribute", "subscript"):
            yield "condition", condition, f"(not {source.slice(condition)})"


def _condition(node: Node) -> Node | None:
    if node.type != "conditional_expression":
        return node.child_by_field_name("condition")
    return node.named_children[1] if node.named_child_count >= 3 else None


def _swap(source: SourceFile, node: Node, operator: str, pairs: dict[str, str]) -> Iterator[_Change]:
    sign = node.child_by_field_name("operator")
    if sign is not None and source.slice(sign) in pairs:
        yield operator, sign, pairs[source.slice(sign)]


def _formats_text(node: Node) -> bool:
    """``"…" % x``: the change would only break the text's formatting."""
    left = node.child_by_field_name("left")
    return left is not None and left.type in ("string", "concatenated_string")


def _number(source: SourceFile, node: Node) -> Iterator[_Change]:
    text = source.slice(node).replace("_", "")
    try:
        value = (int(text, 0) if node.type == "integer" else float(text)) if len(text) < 25 else None
    except ValueError:
        return
    if value is None or value == float("inf"):
        return
    yield "constant", node, repr(value + 1)
    if value:
        yield "constant", node, repr(value - 1)


def _string(source: SourceFile, node: Node) -> Iterator[_Change]:
    start = node.child(0)
    if start is None or any(child.type == "interpolation" for child in node.named_children):
        return
    if node.parent is not None and node.parent.type in ("expression_statement", "concatenated_string"):
        return
    prefix = source.slice(start).rstrip("\"'").lower()
    quote = 'b""' if "b" in prefix else '""'
    if node.named_child_count and any(child.type == "string_content" for child in node.named_children):
        yield "text", node, quote
    else:
        yield "text", node, quote[:-1] + 'XX"'


def _mutant(source: SourceFile, target: Target, change: _Change) -> Mutant:
    operator, node, replacement = change
    return mutant_of(
        target,
        line=line_of(node),
        operator=operator,
        start=node.start_byte + source.offset,
        end=node.end_byte + source.offset,
        original=source.slice(node),
        replacement=replacement,
    )


def _parses(source: SourceFile, mutant: Mutant) -> bool:
    if source.root.has_error:
        return False
    start, end = mutant.start - source.offset, mutant.end - source.offset
    changed = source.data[:start] + mutant.replacement.encode("utf-8") + source.data[end:]
    return not parse(changed).has_error
