"""Rust source files as syntax trees."""

from __future__ import annotations

import re

import tree_sitter_rust
from tree_sitter import Node

from qverify_desktop.domain.project import SkippedPath
from qverify_desktop.languages.tree.source import Grammar, TreeSource, parse_tree, read_tree

LANGUAGE = "rust"
RUNTIME = "rust"
GRAMMAR = Grammar("Rust", tree_sitter_rust.language)
COMMENTS = frozenset(("line_comment", "block_comment"))
ATTRIBUTES = frozenset(("attribute_item",))
_TEST_ONLY = re.compile(r"#\s*\[\s*cfg\s*\(\s*(?:test\b|all\s*\(\s*test\b)")
_TEST = re.compile(r"#\s*\[\s*(?:[\w:]{1,80}::)?(?:test|bench|rstest|proptest)\b")


def read_source(root: str, path: str) -> TreeSource | SkippedPath:
    """Read and parse a file of a snapshot."""
    return read_tree(GRAMMAR, root, path)


def parse_source(text: str, path: str = "") -> TreeSource | SkippedPath:
    """Parse Rust source, ``SkippedPath`` where nothing of it can be used."""
    return parse_tree(GRAMMAR, text.encode("utf-8", "replace"), path)


def attributes(source: TreeSource, node: Node) -> list[str]:
    """Texts of the attributes directly above an item."""
    found: list[str] = []
    above = node.prev_sibling
    while above is not None and (above.type in ATTRIBUTES or above.type in COMMENTS):
        if above.type in ATTRIBUTES:
            found.insert(0, source.slice(above))
        above = above.prev_sibling
    return found


def is_for_tests(source: TreeSource, node: Node) -> bool:
    """Whether an item is compiled for tests only, or is one."""
    return any(_TEST_ONLY.match(text) or _TEST.match(text) for text in attributes(source, node))


def visibility(source: TreeSource, node: Node) -> str:
    """``pub``, ``pub(crate)`` …, empty for what is private."""
    found = next((child for child in node.children if child.type == "visibility_modifier"), None)
    return source.slice(found) if found is not None else ""
