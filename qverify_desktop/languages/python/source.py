"""Reading Python source: bytes to text (PEP 263), text to a syntax tree (tree-sitter), names and line ranges in it.

Everything here takes hostile input: a file that can't be used is answered with the reason, never with an exception. No
function recurses over a tree, so nesting costs memory only, and it is capped.
"""

from __future__ import annotations

import io
import tokenize
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import tree_sitter_python
from tree_sitter import Language, Node, Parser

from qverify_desktop.domain.project import SkippedPath
from qverify_desktop.languages import syntax
from qverify_desktop.languages.files import read_bytes

MAX_FILE_BYTES = 1024 * 1024
#: Deepest syntax tree that is looked at, in nodes. CPython's own parser gives up at 200 nested brackets.
MAX_DEPTH = 600
#: Nested brackets above which CPython's own parser is not asked (it stops at 200 itself).
MAX_BRACKETS = 150

_BOM = b"\xef\xbb\xbf"
_GRAMMAR = Language(tree_sitter_python.language())
#: Nodes that the grammar accepts for Python 2 only.
_PYTHON_2 = frozenset({"print_statement", "exec_statement"})


@dataclass(frozen=True)
class SourceFile:
    """One parsed file. ``data`` is the text as UTF-8 without byte order mark, ``root`` its tree.

    ``offset`` is the length of the byte order mark, to be added to node offsets for offsets into the file;
    ``utf8`` says whether the file's bytes are ``data`` behind that mark (otherwise offsets have no meaning in it).
    """

    path: str
    text: str
    data: bytes
    root: Node
    offset: int
    utf8: bool

    def slice(self, node: Node) -> str:
        """Source text of a node."""
        return self.data[node.start_byte : node.end_byte].decode("utf-8", "replace")


def read_source(root: str, path: str) -> SourceFile | SkippedPath:
    """Read and parse the file ``path`` (relative, ``/``) below the folder ``root``."""
    content = read_bytes(root, path, MAX_FILE_BYTES)
    if isinstance(content, SkippedPath):
        return content
    return parse_source(content, path)


def parse_source(content: bytes, path: str) -> SourceFile | SkippedPath:
    """Decode and parse a file's content."""
    if b"\0" in content:
        return SkippedPath(path, "It holds null bytes, so it is not Python source.")
    try:
        text, utf8 = decode(content)
    except (SyntaxError, UnicodeError, LookupError):
        return SkippedPath(
            path, "It can't be decoded in the encoding that it declares (UTF-8 where it declares none)."
        )
    data = text.encode("utf-8", "surrogatepass")
    root = parse(data)
    depth, python_2 = _survey(root)
    if depth > MAX_DEPTH:
        return SkippedPath(path, "Its syntax is nested too deeply.")
    if python_2:
        return SkippedPath(path, f"It is Python 2 source (line {python_2}).")
    if root.has_error and not _accepted_by_cpython(text):
        return SkippedPath(path, f"It has a syntax error near line {first_error_line(root)}.")
    offset = len(_BOM) if content.startswith(_BOM) else 0
    return SourceFile(path, text, data, root, offset, utf8)


def decode(content: bytes) -> tuple[str, bool]:
    """Text of a Python file (PEP 263, default UTF-8) and whether its bytes are UTF-8 as they stand.

    Raises ``SyntaxError``, ``UnicodeError`` or ``LookupError`` where the declared encoding is unknown or wrong.
    """
    encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
    text = content.decode(encoding)
    return text, text.encode("utf-8") == content.removeprefix(_BOM)


def parse(data: bytes) -> Node:
    """Root of the syntax tree of UTF-8 source."""
    return Parser(_GRAMMAR).parse(data).root_node


def walk(root: Node, *, into_definitions: bool = True) -> Iterator[Node]:
    """``root`` and its named descendants in source order; optionally not into nested functions, classes and lambdas."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        if node is root or into_definitions or node.type not in DEFINITIONS:
            stack.extend(reversed(node.named_children))


DEFINITIONS = frozenset({"function_definition", "class_definition", "lambda"})


def line_of(node: Node) -> int:
    """1-based line on which a node starts."""
    return int(node.start_point.row) + 1


def end_line_of(node: Node) -> int:
    """1-based line on which a node ends."""
    point = node.end_point
    return int(point.row) + (1 if point.column or point.row == node.start_point.row else 0)


def first_error_line(root: Node) -> int:
    """Line of the first error or missing token in a tree."""
    stack = [root]
    while stack:
        node = stack.pop()
        if node.is_error or node.is_missing:
            return line_of(node)
        stack.extend(child for child in reversed(node.children) if child.has_error)
    return line_of(root)


def string_value(source: str) -> str | None:
    """Value of one string literal's source text; ``None`` where it is not a plain constant."""
    if len(source) > MAX_FILE_BYTES:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            value = syntax.literal(source)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return None
    return value if isinstance(value, str) else None


def _survey(root: Node) -> tuple[int, int]:
    """Depth of a tree, and the line of its first Python 2 statement (0 where there is none)."""
    cursor = root.walk()
    depth = deepest = python_2 = 0
    while True:
        if cursor.goto_first_child():
            depth += 1
            if depth > deepest:
                deepest = depth
                if deepest > MAX_DEPTH:
                    return deepest, python_2
            if depth <= MAX_DEPTH and not python_2 and cursor.node is not None and cursor.node.type in _PYTHON_2:
                python_2 = line_of(cursor.node)
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return deepest, python_2
            depth -= 1
        if not python_2 and cursor.node is not None and cursor.node.type in _PYTHON_2:
            python_2 = line_of(cursor.node)


def _accepted_by_cpython(text: str) -> bool:
    """Second opinion where the grammar finds an error: this interpreter's own parser, within limits."""
    depth = 0
    for character in text:
        if character in "([{":
            depth += 1
            if depth > MAX_BRACKETS:
                return False
        elif character in ")]}":
            depth = max(0, depth - 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            syntax.parse(text)
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            return False
    return True
