"""Rust source files as syntax trees."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import tree_sitter_rust
from tree_sitter import Node

from qverify_desktop.domain.project import SkippedPath, Snapshot, Target
from qverify_desktop.languages.tree.source import Grammar, TreeSource, line_of, parse_tree, read_tree, walk

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


@dataclass(frozen=True)
class Function:
    """A function with its body in its file."""

    source: TreeSource
    node: Node
    body: Node


def find_function(snapshot: Snapshot, target: Target) -> Function | None:
    """The definition of a target, ``None`` where its file can't be read or no longer holds it."""
    try:
        mark = Path(snapshot.root, target.file).lstat()
    except (OSError, ValueError):
        return None
    found = _functions(snapshot.root, target.file, mark.st_mtime_ns, mark.st_size)
    return found.get((target.line, target.symbol.rpartition(".")[2]))


@lru_cache(maxsize=8)
def _functions(root: str, path: str, _changed: int, _size: int) -> Mapping[tuple[int, str], Function]:
    """Functions of a file by line and name. Targets of one file are asked for one after the other."""
    source = read_source(root, path)
    if isinstance(source, SkippedPath):
        return {}
    found = {}
    for node in walk(source.root):
        body = node.child_by_field_name("body") if node.type == "function_item" else None
        if body is not None:
            found[line_of(node), source.field(node, "name")] = Function(source, node, body)
    return found


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
