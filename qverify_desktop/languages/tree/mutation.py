"""Mutants of a function in a language with a tree-sitter grammar: a table of operators and a few changes of the language's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from tree_sitter import Node

from qverify_desktop.domain.project import Target
from qverify_desktop.domain.testing import Mutant
from qverify_desktop.languages.mutants import MOST_BYTES, mutant_of, spread, unique
from qverify_desktop.languages.tree.source import TreeSource, line_of, parse

#: An operator's name, the node that is replaced, and its replacement.
Change = tuple[str, Node, str]

RELATIONAL: Mapping[str, str] = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
LOGICAL: Mapping[str, str] = {"&&": "||", "||": "&&"}
ARITHMETIC: Mapping[str, str] = {
    "+": "-",
    "-": "+",
    "*": "/",
    "/": "*",
    "%": "*",
    "<<": ">>",
    ">>": "<<",
    "&": "|",
    "|": "&",
    "^": "&",
}
ASSIGNING: Mapping[str, str] = {"+=": "-=", "-=": "+=", "*=": "/=", "/=": "*=", "%=": "*=", "|=": "&=", "&=": "|="}


@dataclass(frozen=True)
class Operators:
    """What is changed in a language. All keys are node types of its grammar.

    ``binary`` are nodes with a field ``operator``; ``integers``, ``floats`` and ``strings`` are literals; ``truths`` maps a
    literal's text to its opposite; ``conditions`` maps a statement to the field that holds its condition, which is negated
    with ``negation`` where it holds no operator itself. ``dropped`` are statements that may be left out when they are a call,
    replaced by ``nothing``. ``jumps`` exchange ``break`` and ``continue``. ``inert`` are nodes below which nothing that runs
    can be changed. ``further`` yields what else the language changes at a node (early return, exception, text …).
    """

    binary: frozenset[str]
    integers: frozenset[str] = frozenset()
    floats: frozenset[str] = frozenset()
    strings: frozenset[str] = frozenset()
    truths: Mapping[str, str] = field(default_factory=lambda: {"true": "false", "false": "true"})
    conditions: Mapping[str, str] = field(default_factory=dict)
    simple: frozenset[str] = frozenset({"identifier", "call_expression", "field_expression", "member_expression"})
    negation: str = "!({})"
    dropped: Mapping[str, str] = field(default_factory=dict)
    nothing: str = ";"
    jumps: Mapping[str, str] = field(default_factory=dict)
    inert: frozenset[str] = frozenset()
    relational: Mapping[str, str] = field(default_factory=lambda: RELATIONAL)
    arithmetic: Mapping[str, str] = field(default_factory=lambda: {**ARITHMETIC, **ASSIGNING})
    logical: Mapping[str, str] = field(default_factory=lambda: LOGICAL)
    further: Callable[[TreeSource, Node], Iterator[Change]] = lambda source, node: iter(())


def mutants(
    source: TreeSource, body: Node, target: Target, lines: frozenset[int], most: int, operators: Operators
) -> list[Mutant]:
    """At most ``most`` mutants of ``body`` on ``lines``, spread over operators and lines, deterministic."""
    if most <= 0:
        return []
    candidates = unique(
        mutant_of(
            target,
            line=line_of(node),
            operator=operator,
            start=node.start_byte + source.offset,
            end=node.end_byte + source.offset,
            original=source.slice(node),
            replacement=replacement,
        )
        for operator, node, replacement in _changes(source, body, operators)
        if line_of(node) in lines and node.end_byte - node.start_byte <= MOST_BYTES
    )
    return spread([one for one in candidates if _parses(source, one)], most)


def _parses(source: TreeSource, mutant: Mutant) -> bool:
    """Whether the changed file has no more syntax errors than the file; the languages' compilers have the last word."""
    if source.root.has_error:
        return True
    start, end = mutant.start - source.offset, mutant.end - source.offset
    changed = source.data[:start] + mutant.replacement.encode("utf-8") + source.data[end:]
    return not parse(source.grammar, changed).has_error


def _changes(source: TreeSource, body: Node, operators: Operators) -> Iterator[Change]:
    stack = [body]
    while stack:
        node = stack.pop()
        if node.type in operators.inert:
            continue
        yield from _changes_of(source, node, operators)
        stack.extend(reversed(node.named_children))


def _changes_of(source: TreeSource, node: Node, operators: Operators) -> Iterator[Change]:
    kind = node.type
    if kind in operators.binary:
        yield from _swapped(source, node, operators)
    elif source.slice(node) in operators.truths and not node.named_child_count:
        yield "constant", node, operators.truths[source.slice(node)]
    elif kind in operators.integers:
        yield from _integer(source, node)
    elif kind in operators.floats:
        yield "constant", node, f"({source.slice(node)} + 1.0)"
    elif kind in operators.strings:
        yield from _text(source, node)
    elif kind in operators.dropped:
        call = node.named_children[0] if node.named_child_count else None
        if call is not None and call.type == operators.dropped[kind]:
            yield "call", node, operators.nothing
    elif kind in operators.jumps:
        yield "loop", node, operators.jumps[kind]
    if kind in operators.conditions:
        condition = node.child_by_field_name(operators.conditions[kind])
        while (
            condition is not None
            and condition.type == "parenthesized_expression"
            and condition.named_child_count == 1
        ):
            condition = condition.named_children[0]
        if condition is not None and condition.type in operators.simple:
            yield "condition", condition, operators.negation.format(source.slice(condition))
    yield from operators.further(source, node)


def _swapped(source: TreeSource, node: Node, operators: Operators) -> Iterator[Change]:
    sign = node.child_by_field_name("operator") or next(
        (child for child in node.children if not child.is_named), None
    )
    if sign is None:
        return
    text = source.slice(sign)
    for name, table in (
        ("relational", operators.relational),
        ("logical", operators.logical),
        ("arithmetic", operators.arithmetic),
    ):
        if text in table:
            yield name, sign, table[text]
            return


def _integer(source: TreeSource, node: Node) -> Iterator[Change]:
    text = source.slice(node)
    digits = text.replace("_", "")
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > 15:
        return
    yield "constant", node, str(int(digits) + 1)
    if int(digits):
        yield "constant", node, str(int(digits) - 1)


def _text(source: TreeSource, node: Node) -> Iterator[Change]:
    text = source.slice(node)
    if len(text) < 2 or text[0] not in "\"'`" or text[-1] != text[0] or "${" in text:
        return
    yield "text", node, text[0] * 2 if len(text) > 2 else f"{text[0]}XX{text[0]}"
