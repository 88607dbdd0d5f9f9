"""A model's answer, a whole test file, taken apart into test functions that stand for themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tree_sitter import Node

from qverify_desktop.domain.project import SkippedPath, Target
from qverify_desktop.domain.results import Reason
from qverify_desktop.domain.testing import GeneratedTest, Label, Origin
from qverify_desktop.languages.base import StaticProblem
from qverify_desktop.languages.rust.source import attributes, parse_source
from qverify_desktop.languages.rust.syntax import arguments
from qverify_desktop.languages.tree.rendering import identifier
from qverify_desktop.languages.tree.source import TreeSource

MOST_CHARACTERS = 400_000
_ITEM = re.compile(r"^(?:#\[|fn |pub |use |mod |struct |enum |const |impl |static )", re.MULTILINE)
#: Use lines that bring in what a test file of its own can't have.
_INSIDE = re.compile(r"^use\s+(?:super|self)\s*::")


@dataclass(frozen=True)
class _Item:
    text: str
    name: str
    is_test: bool


def split(source: str, path: str, target: Target) -> list[GeneratedTest] | StaticProblem:
    """The tests of a file, each with the items that it needs and a name that is unique for the target.

    Tests inside of a module (``mod tests``) stand for themselves too. A file that breaks off keeps the functions before the
    break.
    """
    if len(source) > MOST_CHARACTERS or "\0" in source:
        return StaticProblem(Reason.SYNTAX, "It is too long, or holds null bytes.")
    text = source.replace("\r\n", "\n").strip("\ufeff")
    tree = _parsed(text)
    if tree is None:
        return StaticProblem(Reason.SYNTAX, "It is not valid Rust.")
    items = _items(tree, tree.root.named_children)
    shared = [item for item in items if not item.is_test]
    stem = identifier(target.symbol).lower()
    names: set[str] = set()
    found: list[GeneratedTest] = []
    for item in items:
        if not item.is_test:
            continue
        # A name that the application gave before comes back as it was.
        rest = re.sub(r"^_*test_*", "", item.name).removeprefix(f"{stem}_") or "case"
        name = _unique(f"{stem}_{rest}", names)
        code = re.sub(rf"\bfn\s+{re.escape(item.name)}\b", f"fn {name}", item.text, count=1)
        call, expected = _single_expectation(code)
        found.append(
            GeneratedTest(
                path=path,
                name=name,
                code=code,
                target=target.id,
                label=Label.CHARACTERIZATION,
                origin=Origin.MODEL,
                prelude=_needed(shared, item.text, target),
                call=call,
                expected=expected,
            )
        )
    return found or StaticProblem(Reason.NOT_A_TEST, "No function in it is a test.")


def _parsed(text: str) -> TreeSource | None:
    source = parse_source(text)
    if not isinstance(source, SkippedPath) and not source.root.has_error:
        return source
    starts = [match.start() for match in _ITEM.finditer(text)]
    for start in reversed(starts[1:][-40:]):
        shorter = parse_source(text[:start])
        if not isinstance(shorter, SkippedPath) and not shorter.root.has_error:
            return shorter
    return None


def _items(source: TreeSource, nodes: Sequence[Node], depth: int = 3) -> list[_Item]:
    found: list[_Item] = []
    for node in nodes:
        if node.type in ("attribute_item", "inner_attribute_item", "line_comment", "block_comment"):
            continue
        body = node.child_by_field_name("body") if node.type == "mod_item" else None
        if body is not None and depth > 0:
            found += _items(source, body.named_children, depth - 1)
            continue
        marks = attributes(source, node)
        is_test = node.type == "function_item" and "#[test]" in marks
        text = _outdented("\n".join([*marks, source.slice(node)]), int(node.start_point[1]))
        found.append(_Item(text, source.field(node, "name"), is_test))
    return found


def _outdented(text: str, columns: int) -> str:
    front = " " * columns
    return "\n".join(line.removeprefix(front) for line in text.split("\n"))


def _unique(name: str, taken: set[str]) -> str:
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        candidate = f"{name}_{number}"
    taken.add(candidate)
    return candidate


def _needed(shared: Sequence[_Item], text: str, target: Target) -> tuple[str, ...]:
    """Items that a test names, and all that it brings in; what only a module inside of the crate sees is brought in by its path."""
    kept: list[str] = []
    inside = False
    for item in shared:
        if item.text.startswith("use "):
            if _INSIDE.match(item.text):
                inside = True
            else:
                kept.append(item.text)
    if inside or not any(target.module.partition("::")[0] in line for line in kept):
        kept.insert(0, f"use {target.module}::*;")
    needed = set(re.findall(r"\w+", text))
    pending = [item for item in shared if not item.text.startswith("use ")]
    changed = True
    while changed:
        changed = False
        for item in list(pending):
            if item.name in needed or (not item.name and re.search(r"\bimpl\b", item.text)):
                kept.append(item.text)
                needed |= set(re.findall(r"\w+", item.text))
                pending.remove(item)
                changed = True
    return tuple(dict.fromkeys(kept))


def _single_expectation(code: str) -> tuple[str, str]:
    """Call and expected value where a test is one ``assert_eq!(f(…), literal)``."""
    found = re.findall(r"\bassert\w*!", code)
    match = re.search(r"\bassert_eq!\s*\(.*?\);", code, re.DOTALL)
    if len(found) != 1 or match is None:
        return "", ""
    compared = arguments(match.group())
    return (compared[0], compared[1]) if len(compared) >= 2 and "(" in compared[0] else ("", "")
