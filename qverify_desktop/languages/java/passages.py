"""Where a Java repository speaks: Javadoc above its methods and classes, and documentation files."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence

from qverify_desktop.domain.project import Snapshot, Target
from qverify_desktop.languages.examples.passages import Passage, documentation
from qverify_desktop.languages.java.codebase import Codebase
from qverify_desktop.languages.tree.comments import Comment, comment_above
from qverify_desktop.languages.tree.source import TreeSource

_COMMENTS = frozenset({"block_comment", "line_comment"})
_TAG = re.compile(
    r"</?(?:p|pre|code|b|i|em|strong|tt|ul|ol|li|br|dl|dt|dd|blockquote|h[1-6]|table|tr|td|th|tbody|span|div|samp|kbd|var)"
    r"(?:\s[^<>]{0,200})?/?>",
    re.IGNORECASE,
)
_INLINE = re.compile(r"\{@(?:code|literal|link|linkplain|value)\b[ \t]*")
_BLOCK_TAG = re.compile(r"^\s{0,40}@return(?:s)?\s")


def passages(snapshot: Snapshot, codebase: Codebase, targets: Sequence[Target]) -> Iterator[Passage]:
    """Comments of the targets and of their classes in their order, then documentation files."""
    seen: set[tuple[str, int]] = set()
    texts: dict[str, tuple[str, ...]] = {}
    for target in targets:
        source, method = codebase.sources.get(target.file), codebase.method(target)
        if source is None:
            continue
        if target.file not in texts:
            texts[target.file] = lines_of(source)
        raw = texts[target.file]
        if method is not None and method.comment is not None:
            yield passage(target.file, raw, method.comment, target)
        owner = codebase.owner(target)
        if owner is not None and (target.file, owner.node.start_byte) not in seen:
            seen.add((target.file, owner.node.start_byte))
            comment = comment_above(source, owner.node, _COMMENTS)
            if comment is not None:
                yield passage(target.file, raw, comment, None)
    yield from documentation(snapshot)


def lines_of(source: TreeSource) -> tuple[str, ...]:
    """A file's lines without their ends."""
    return tuple(line.rstrip("\r") for line in source.data.decode("utf-8", "replace").split("\n"))


def passage(path: str, raw: tuple[str, ...], comment: Comment, owner: Target | None) -> Passage:
    """A comment as a reader sees it, its lines where they are in the file."""
    return Passage(path, raw, readable(comment.lines), comment.first, owner)


def readable(lines: Sequence[str]) -> tuple[str, ...]:
    """Javadoc's lines without its mark-up; as many lines as before."""
    found = []
    open_braces = 0
    for line in lines:
        text = _BLOCK_TAG.sub("", line.rstrip("\r"))
        text, open_braces = _without_inline_tags(text, open_braces)
        text = _TAG.sub(" ", text)
        found.append(html.unescape(text) if "&" in text else text)
    return tuple(found)


def _without_inline_tags(text: str, depth: int) -> tuple[str, int]:
    """``{@code f(1)}`` as a code span, or bare where the tag goes over several lines. ``depth`` counts the braces that are open
    inside a tag since a line before."""
    out: list[str] = []
    at, opened = 0, -1
    while at < len(text):
        match = _INLINE.match(text, at)
        if depth == 0 and match:
            depth, at, opened = 1, match.end(), len(out)
            continue
        letter = text[at]
        at += 1
        if depth and letter in "{}":
            depth += 1 if letter == "{" else -1
            if depth == 0:
                if opened >= 0:
                    out.insert(opened, "`")
                    out.append("`")
                continue
        out.append(letter)
    return "".join(out), depth
