"""Comments as people read them: the text of line and block comments, each line with its place in the file."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tree_sitter import Node

from qverify_desktop.languages.tree.source import TreeSource, line_of

_LINE = re.compile(r"^\s{0,200}(?:///?|\#)[ \t]?")
#: Rust's inner comments; in other languages the mark is a part of the words.
_INNER = re.compile(r"^\s{0,200}//![ \t]?")
#: Tags and words of a comment about its file.
_OF_FILE = re.compile(
    r"(?i)@(?:file|fileoverview|overview|module|license|licence|copyright|package|preserve|namespace)\b|\bcopyright\b|\(c\)|\blicen[cs]ed?\b"
)
_STAR = re.compile(r"^[ \t]{0,200}\*(?!/)[ \t]?")


@dataclass(frozen=True)
class Comment:
    """The text of one comment or of several that follow each other. Line ``i`` stands at ``first + i`` of the file."""

    lines: tuple[str, ...]
    first: int

    @property
    def text(self) -> str:
        return "\n".join(self.lines).strip("\n")


def comment_above(
    source: TreeSource, node: Node, kinds: Collection[str], between: Collection[str] = ()
) -> Comment | None:
    """The comment that describes a definition: what stands directly above it, with no empty line in between. A comment that begins
    with ``/**`` is meant for what follows it even so (JSDoc, Javadoc, KDoc), unless it speaks of its whole file.

    ``kinds`` are the grammar's types of comments; ``between`` those of nodes that may stand between (attributes, annotations).
    """
    found: list[Node] = []
    below = line_of(node)
    sibling = node.prev_sibling
    while sibling is not None:
        last = int(sibling.end_point[0]) + (1 if sibling.end_point[1] else 0)
        near = last >= below - 1 or (not found and _describes(source, sibling))
        if sibling.type in kinds and near and not _trails(sibling):
            found.insert(0, sibling)
            below = line_of(sibling)
        elif sibling.type in between:
            below = line_of(sibling)
        else:
            break
        sibling = sibling.prev_sibling
    # A block comment stands alone: one above it speaks of something else.
    blocks = [index for index, one in enumerate(found) if source.slice(one).startswith("/*")]
    if blocks:
        found = found[blocks[-1] :]
    return comment_of(source, found)


def _describes(source: TreeSource, node: Node) -> bool:
    text = source.slice(node)
    return text.startswith("/**") and not _OF_FILE.search(text)


def _trails(node: Node) -> bool:
    """Whether code stands before the comment on its line."""
    before = node.prev_sibling
    return before is not None and before.end_point[0] == node.start_point[0] and before.end_point[1] > 0


def comment_of(source: TreeSource, nodes: Sequence[Node]) -> Comment | None:
    """The text of neighbouring comment nodes without their marks."""
    if not nodes:
        return None
    first = line_of(nodes[0])
    lines: list[str] = []
    for node in nodes:
        while len(lines) < line_of(node) - first:
            lines.append("")
        lines += unmarked(source.slice(node), inner=source.path.endswith(".rs"))
    return Comment(tuple(lines), first)


def unmarked(text: str, *, inner: bool = False) -> list[str]:
    """The lines of a comment's source without ``//``, ``/*``, ``*/``, ``#`` and the stars of a block; ``inner`` takes ``//!`` for
    a mark, as Rust does."""
    body = text.rstrip()
    if not body.startswith("/*"):
        return [
            _INNER.sub("", line) if inner and _INNER.match(line) else _LINE.sub("", line) for line in body.split("\n")
        ]
    body = re.sub(r"^/\*[*!]?[ \t]?", "", body)
    lines = body.removesuffix("*/").rstrip(" \t*").split("\n")
    starred = all(_STAR.match(line) or not line.strip() for line in lines[1:])
    return [lines[0], *(_STAR.sub("", line) if starred else line for line in lines[1:])]
