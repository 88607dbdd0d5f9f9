"""Fragments of Rust source: statements of a function's body, arguments of a macro, calls inside of an expression."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from qverify_desktop.domain.project import SkippedPath
from qverify_desktop.languages.rust.source import parse_source
from qverify_desktop.languages.tree.source import TreeSource, walk

MAX_CHARACTERS = 60_000
ASSERTIONS = frozenset(("assert", "assert_eq", "assert_ne", "debug_assert", "debug_assert_eq", "debug_assert_ne"))
#: Nodes whose ``?`` and ``return`` are their own.
INNER = frozenset(("closure_expression", "function_item", "async_block"))
_BEFORE, _AFTER = "fn body() {\n", "\n}"


@dataclass(frozen=True)
class Statement:
    """``start`` and ``end`` are 0-based lines of the code. ``macro`` is the assertion's name where it is one, ``comment`` what
    stands behind it on its last line."""

    text: str
    start: int
    end: int
    node: Node
    macro: str = ""
    comment: str = ""


def body_of(code: str) -> tuple[TreeSource, list[Statement]] | None:
    """The statements of code that could be a function's body; ``None`` where it is not valid."""
    if len(code) > MAX_CHARACTERS:
        return None
    source = parse_source(f"{_BEFORE}{code}{_AFTER}")
    if isinstance(source, SkippedPath) or source.root.has_error or source.root.named_child_count != 1:
        return None
    block = source.root.named_children[0].child_by_field_name("body")
    return (source, statements(source, block)) if block is not None else None


def statements(source: TreeSource, block: Node) -> list[Statement]:
    """The statements of a block, comments left out but for those behind one."""
    found: list[Statement] = []
    for node in block.named_children:
        start, end = int(node.start_point[0]) - 1, int(node.end_point[0]) - 1
        if "comment" in node.type:
            if found and found[-1].end == start and node.type == "line_comment":
                last = found.pop()
                found.append(
                    Statement(last.text, last.start, last.end, last.node, last.macro, source.slice(node).strip())
                )
            continue
        text = source.slice(node)
        following = node.next_sibling
        if following is not None and following.type == ";":
            text += ";"
        found.append(Statement(text, start, end, node, macro_of(source, node)))
    return found


def macro_of(source: TreeSource, node: Node) -> str:
    """Name of the assertion that a statement is; empty for any other."""
    if node.type == "expression_statement" and node.named_child_count:
        node = node.named_children[0]
    name = source.field(node, "macro").rpartition("::")[2] if node.type == "macro_invocation" else ""
    return name if name in ASSERTIONS else ""


def arguments(call: str) -> list[str]:
    """Arguments of a macro's call, as written."""
    inside = call[call.find("(") + 1 : call.rfind(")")] if "(" in call else ""
    found = body_of(f"f({inside})")
    if found is None or not found[1]:
        return []
    source = found[0]
    node = next((one for one in walk(found[1][0].node) if one.type == "arguments"), None)
    if node is None:
        return []
    return [source.slice(child) for child in node.named_children if "comment" not in child.type]


def calls(source: TreeSource, node: Node) -> Iterator[str]:
    """Names of what is called inside of a node, outermost first: ``f``, ``Type::f``, ``.method``."""
    for one in walk(node):
        if one.type != "call_expression":
            continue
        function = one.child_by_field_name("function")
        if function is not None and function.type == "generic_function":
            function = function.child_by_field_name("function")
        if function is None:
            continue
        if function.type == "field_expression":
            yield f".{source.field(function, 'field')}"
        elif function.type in ("identifier", "scoped_identifier"):
            yield re.sub(r"<[^<>]*>|\s", "", source.slice(function))


def calls_in(text: str) -> list[str]:
    """``calls`` of an expression's or a statement's text."""
    found = body_of(text)
    return [name for statement in found[1] for name in calls(found[0], statement.node)] if found is not None else []


def identifiers(text: str) -> set[str]:
    """Plain names in a text."""
    return set(re.findall(r"(?<!\w)(?:(?<!\.)|(?<=\.\.))[a-z_]\w*", text))


def asserted_inside(source: TreeSource, node: Node) -> list[Node]:
    """Assertions somewhere inside of a node (a loop, a block)."""
    return [one for one in walk(node) if one.type == "macro_invocation" and macro_of(source, one)]


def tries(source: TreeSource, found: list[Statement]) -> bool:
    """Whether one of the statements hands on an error with ``?``."""
    return any(one.type == "try_expression" for statement in found for one in walk(statement.node, INNER))


def indented(text: str) -> list[str]:
    """Lines one level deeper. What a string literal that goes over several lines holds is left as it is."""
    lines: list[str] = []
    open_string = False
    for line in text.split("\n"):
        lines.append(line if open_string or not line.strip() else f"    {line}")
        open_string = _stays_open(line, open_string)
    return lines


def _stays_open(line: str, is_open: bool) -> bool:
    position = 0
    while position < len(line):
        character = line[position]
        if is_open and character == "\\":
            position += 1
        elif character == '"' and not (
            line[position - 1 : position] == "'" and line[position + 1 : position + 2] == "'"
        ):
            is_open = not is_open
        elif not is_open and line.startswith("//", position):
            return False
        position += 1
    return is_open
