"""A model's answer, a whole test file, taken apart into test functions that stand for themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tree_sitter import Node

from qverify_desktop.domain.project import Target
from qverify_desktop.domain.results import Reason
from qverify_desktop.domain.testing import GeneratedTest, Label, Origin
from qverify_desktop.languages.base import StaticProblem
from qverify_desktop.languages.go.placing import test_stem
from qverify_desktop.languages.go.segments import package_of
from qverify_desktop.languages.go.source import imports, package_name, parse_source
from qverify_desktop.languages.go.triviality import is_test
from qverify_desktop.languages.tree.source import TreeSource, walk

MOST_CHARACTERS = 400_000
_ITEMS = frozenset(
    ("function_declaration", "method_declaration", "type_declaration", "var_declaration", "const_declaration")
)


def split(source: str, path: str, target: Target) -> list[GeneratedTest] | StaticProblem:
    """The tests of a file, each with the imports and declarations it needs and a name that is unique for the target."""
    if len(source) > MOST_CHARACTERS or "\0" in source:
        return StaticProblem(Reason.SYNTAX, "It is too large, or no text.")
    text = (
        source
        if re.search(r"^\s{0,40}package\s", source, re.MULTILINE)
        else f"package {package_of(target)}\n\n{source}"
    )
    tree = parse_source(text)
    if tree is None:
        return StaticProblem(Reason.SYNTAX, "It is not valid Go.")
    items = [node for node in tree.root.named_children if node.type in _ITEMS and not node.has_error]
    tests = [node for node in items if is_test(tree, node) and node.child_by_field_name("body") is not None]
    if not tests:
        return StaticProblem(
            Reason.SYNTAX if tree.root.has_error else Reason.NOT_A_TEST, "No function in it is a test."
        )
    shared = [node for node in items if node not in tests and tree.field(node, "name") != "TestMain"]
    package = package_name(tree)
    if package not in (package_of(target), f"{package_of(target)}_test"):
        package = package_of(target)
    names: set[str] = set()
    return [_test(tree, node, shared, package, path, target, names) for node in tests]


def _test(
    tree: TreeSource, node: Node, shared: Sequence[Node], package: str, path: str, target: Target, names: set[str]
) -> GeneratedTest:
    old = tree.field(node, "name")
    # A name that the application gave before comes back as it was.
    rest = old.removeprefix(f"{test_stem(target)}_").removeprefix("Test").lstrip("_")
    stem = f"{test_stem(target)}_{rest or 'Case'}"
    name, number = stem, 2
    while name in names:
        name, number = f"{stem}{number}", number + 1
    names.add(name)
    identifier = node.child_by_field_name("name")
    start, end = (identifier.start_byte, identifier.end_byte) if identifier is not None else (node.start_byte,) * 2
    code = (tree.data[node.start_byte : start] + name.encode() + tree.data[end : node.end_byte]).decode(
        "utf-8", "replace"
    )
    needed = _needed(tree, node, shared)
    words = set().union(*(_words(tree, one) for one in [node, *needed]))
    used = [
        f'import "{path}"' if path.rpartition("/")[2] == name else f'import {name} "{path}"'
        for name, path in sorted(imports(tree).items())
        if name in words or name in ("_", ".")
    ]
    return GeneratedTest(
        path=path,
        name=name,
        code=code,
        target=target.id,
        label=Label.CHARACTERIZATION,
        origin=Origin.MODEL,
        prelude=(f"package {package}", *used, *(tree.slice(one) for one in needed)),
    )


def _needed(tree: TreeSource, node: Node, shared: Sequence[Node]) -> list[Node]:
    """The shared declarations that a test names, and those that they name."""
    names = {one.start_byte: _declared(tree, one) for one in shared}
    found: set[int] = set()
    waiting = [node]
    while waiting:
        words = _words(tree, waiting.pop())
        for one in shared:
            if one.start_byte not in found and names[one.start_byte] & words:
                found.add(one.start_byte)
                waiting.append(one)
    return [one for one in shared if one.start_byte in found]


def _declared(tree: TreeSource, node: Node) -> set[str]:
    if node.type == "method_declaration":
        return {tree.slice(one) for one in walk(node) if one.type == "type_identifier"} & {
            tree.slice(one)
            for one in walk(node.child_by_field_name("receiver") or node)
            if one.type == "type_identifier"
        }
    name = tree.field(node, "name")
    if name:
        return {name}
    specs = [one for one in walk(node) if one.type in ("type_spec", "type_alias", "var_spec", "const_spec")]
    return {tree.slice(name) for spec in specs for name in spec.children_by_field_name("name")}


def _words(tree: TreeSource, node: Node) -> set[str]:
    kinds = ("identifier", "type_identifier", "package_identifier", "field_identifier")
    return {tree.slice(one) for one in walk(node) if one.type in kinds}
