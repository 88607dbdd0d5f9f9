"""Source files as syntax trees (tree-sitter), for every language whose grammar is a package.

Everything here takes hostile input: a file that can't be used is answered with the reason, never with an exception. No
function recurses over a tree, so nesting costs memory only, and it is capped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from tree_sitter import Language, Node, Parser

from qverify_desktop.domain.project import SkippedPath
from qverify_desktop.languages.files import read_bytes

MAX_FILE_BYTES = 1024 * 1024
#: Deepest syntax tree that is looked at, in nodes.
MAX_DEPTH = 900

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Grammar:
    """A tree-sitter grammar, loaded when it is first used. ``title`` is the language's name as people write it."""

    title: str
    load: Callable[[], object]


@cache
def _language(grammar: Grammar) -> Language:
    return Language(grammar.load())


@dataclass(frozen=True)
class TreeSource:
    """One parsed file. ``data`` is its text as UTF-8 without byte order mark, ``root`` its tree.

    ``offset`` is the length of the byte order mark, to be added to node offsets for offsets into the file.
    """

    path: str
    data: bytes
    root: Node
    offset: int
    grammar: Grammar

    def slice(self, node: Node) -> str:
        """Source text of a node."""
        return self.data[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def field(self, node: Node, name: str) -> str:
        """Source text of a node's field, empty where it has none."""
        child = node.child_by_field_name(name)
        return self.slice(child) if child is not None else ""


def read_tree(grammar: Grammar, root: str, path: str) -> TreeSource | SkippedPath:
    """Read and parse the file ``path`` (relative, ``/``) below the folder ``root``."""
    content = read_bytes(root, path, MAX_FILE_BYTES)
    if isinstance(content, SkippedPath):
        return content
    return parse_tree(grammar, content, path)


def parse_tree(grammar: Grammar, content: bytes, path: str) -> TreeSource | SkippedPath:
    """Parse a file's content. A syntax error somewhere does not make it unreadable; definitions with errors are passed over."""
    if b"\0" in content:
        return SkippedPath(path, f"It holds null bytes, so it is not {grammar.title} source.")
    data = content.removeprefix(_BOM)
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return SkippedPath(path, "It is not UTF-8.")
    root = parse(grammar, data)
    depth, errors = _survey(root)
    if depth > MAX_DEPTH:
        return SkippedPath(path, "Its syntax is nested too deeply.")
    if errors and all(child.has_error for child in root.named_children):
        return SkippedPath(path, f"It has a syntax error near line {errors}.")
    return TreeSource(path, data, root, len(content) - len(data), grammar)


def parse(grammar: Grammar, data: bytes) -> Node:
    """Root of the syntax tree of UTF-8 source."""
    return Parser(_language(grammar)).parse(data).root_node


def _survey(root: Node) -> tuple[int, int]:
    """Depth of a tree and the line of its first error (0: none)."""
    cursor = root.walk()
    depth = deepest = error = 0
    while True:
        node = cursor.node
        if not error and node is not None and (node.is_error or node.is_missing):
            error = line_of(node)
        if deepest <= MAX_DEPTH and cursor.goto_first_child():
            depth += 1
            deepest = max(deepest, depth)
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return deepest, error
            depth -= 1


def walk(root: Node, pruned: frozenset[str] = frozenset()) -> Iterator[Node]:
    """``root`` and its named descendants in source order, not below nodes whose type is in ``pruned``."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        if node.type not in pruned or node == root:
            stack.extend(reversed(node.named_children))


def line_of(node: Node) -> int:
    """1-based line on which a node begins."""
    return int(node.start_point[0]) + 1


def end_line_of(node: Node) -> int:
    """1-based line on which a node ends; a node that ends with a line break ends on the line before it."""
    row, column = node.end_point
    return int(row) + (1 if column else 0) or 1
