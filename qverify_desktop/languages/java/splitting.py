"""A model's test file as single tests, and what a test must be to be worth a run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from tree_sitter import Node

from qverify_desktop.domain.project import SkippedPath, Target
from qverify_desktop.domain.results import Reason
from qverify_desktop.domain.testing import GeneratedTest, Label, Origin
from qverify_desktop.languages.base import StaticProblem
from qverify_desktop.languages.java.source import GRAMMAR, modifiers_of, package_of
from qverify_desktop.languages.java.suite import TESTS
from qverify_desktop.languages.tree.source import TreeSource, line_of, parse_tree, walk

_ASSERTING = re.compile(r"assert\w*|expect\w*|verify\w*|fail")
_SKIPPING = re.compile(r"assume\w+|assumingThat")
_SKIPPED = frozenset({"@Disabled", "@Ignore", "@DisabledIf", "@EnabledIf", "@EnabledOnOs", "@DisabledOnOs"})
_LITERALS = frozenset(
    (
        *(
            "decimal_integer_literal",
            "decimal_floating_point_literal",
            "string_literal",
            "true",
            "false",
            "null_literal",
        ),
        *("character_literal", "hex_integer_literal"),
    )
)
#: Calls that make values and say nothing of the code under test.
_MAKING = re.compile(
    r"(?:List|Set|Map|Optional|Arrays|Collections|Stream|String|Integer|Long|Double|Boolean|Objects)$"
)
_CATCH_ALL = re.compile(r"\b(?:Throwable|Error|AssertionError|AssertionFailedError)\b")


def parsed(code: str) -> TreeSource | None:
    """The members of ``code`` as a class, ``None`` where they do not parse."""
    source = parse_tree(GRAMMAR, f"class T {{\n{code}\n}}\n".encode("utf-8", "surrogatepass"), "T.java")
    return None if isinstance(source, SkippedPath) or source.root.has_error else source


def static_problem(test: GeneratedTest) -> StaticProblem | None:
    """Parses, is not skipped, and asserts something that could fail? ``None`` when it does."""
    source = parsed(test.code)
    if source is None:
        return StaticProblem(Reason.SYNTAX)
    members = [entry for entry in test.prelude if not entry.startswith(("import ", "package "))]
    if any(parsed(entry) is None for entry in members):
        return StaticProblem(Reason.SYNTAX, "What stands beside the test is not valid source.")
    return problem_of(source, walk(source.root), members)


def problem_of(source: TreeSource, nodes: Iterator[Node], members: list[str]) -> StaticProblem | None:
    """What keeps a parsed test from saying anything."""
    asserted, called = False, False
    everything = list(nodes)
    for node in everything:
        kind = node.type
        if kind == "method_declaration" and modifiers_of(source, node) & _SKIPPED:
            return StaticProblem(Reason.TRIVIAL, "It is switched off by an annotation.")
        if kind == "method_invocation":
            name = source.field(node, "name")
            if _SKIPPING.fullmatch(name):
                return StaticProblem(Reason.TRIVIAL, "It may skip itself.")
            if _ASSERTING.fullmatch(name):
                asserted = asserted or _could_fail(source, node)
            elif not _MAKING.search(source.field(node, "object")):
                called = True
        elif kind == "object_creation_expression":
            made = source.field(node, "type").partition("<")[0]
            called = called or not re.fullmatch(r"(?:Array|Linked)\w*|(?:Hash|Tree)\w+|String|Object", made)
        elif kind == "assert_statement":
            asserted = asserted or (node.named_child_count > 0 and node.named_children[0].type not in _LITERALS)
        elif kind == "method_reference":
            called = True
        elif kind == "catch_clause" and _CATCH_ALL.search(source.slice(node).partition("{")[0]):
            return StaticProblem(Reason.TRIVIAL, "It catches what an assertion throws.")
    if not asserted and not any(_ASSERTING.search(one) for one in members):
        return StaticProblem(Reason.TRIVIAL)
    if not called:
        return StaticProblem(Reason.TRIVIAL, "It calls nothing of the code under test.")
    return None


def _could_fail(source: TreeSource, node: Node) -> bool:
    if source.field(node, "name") == "fail":
        return False
    listed = node.child_by_field_name("arguments")
    arguments = listed.named_children if listed is not None else []
    if all(one.type in _LITERALS for one in arguments):
        return False
    texts = [source.slice(one) for one in arguments]
    return not (
        source.field(node, "name") in ("assertEquals", "assertSame") and len(texts) >= 2 and texts[0] == texts[1]
    )


def assertions(code: str) -> list[tuple[int, str]]:
    """1-based line in ``code`` and text on one line of every assertion; nothing for what can't be parsed."""
    source = parsed(code)
    if source is None:
        return []
    found = []
    for node in walk(source.root):
        named = node.type == "method_invocation" and _ASSERTING.fullmatch(source.field(node, "name"))
        if named or node.type == "assert_statement":
            found.append((line_of(node) - 1, " ".join(source.slice(node).split())))
    return sorted(found)


def single_expectation(code: str) -> tuple[str, str]:
    """Call and expected value where a test asserts once, that a call equals a literal."""
    source = parsed(code)
    nodes = [] if source is None else [node for node in walk(source.root) if node.type == "method_invocation"]
    if source is None:
        return "", ""
    asserting = [node for node in nodes if _ASSERTING.fullmatch(source.field(node, "name"))]
    listed = asserting[0].child_by_field_name("arguments") if len(asserting) == 1 else None
    if listed is None or source.field(asserting[0], "name") != "assertEquals" or listed.named_child_count != 2:
        return "", ""
    expected, call = listed.named_children
    plain = expected.named_children[0] if expected.type == "unary_expression" else expected
    if plain.type not in _LITERALS or call.type not in ("method_invocation", "object_creation_expression"):
        return "", ""
    return source.slice(call), source.slice(expected)


def split(source_text: str, path: str, target: Target) -> list[GeneratedTest] | StaticProblem:
    """The tests of a whole file; what else its class holds goes with each of them."""
    source = parse_tree(GRAMMAR, source_text.encode("utf-8", "surrogatepass"), path)
    if isinstance(source, SkippedPath) or source.root.has_error:
        return StaticProblem(Reason.SYNTAX)
    package = target.module
    given = package_of(source)
    prelude = [f"package {package};"] if package else []
    for node in source.root.named_children:
        if node.type == "import_declaration":
            prelude.append(" ".join(source.slice(node).split()))
    if given and given != package:
        prelude.append(f"import {given}.*;")
    tests: list[tuple[str, str]] = []
    members: list[str] = []
    for holder in (node for node in source.root.named_children if node.type == "class_declaration"):
        body = holder.child_by_field_name("body")
        for member in body.named_children if body is not None else ():
            if member.type.endswith("comment"):
                continue
            text = dedented(source, member)
            if member.type == "method_declaration" and modifiers_of(source, member) & TESTS:
                tests.append((source.field(member, "name"), text))
            elif member.type != "constructor_declaration":
                members.append(text)
    if not tests:
        return StaticProblem(Reason.NOT_A_TEST)
    return list(_made(tests, [*prelude, *members], path, target))


def _made(tests: list[tuple[str, str]], prelude: list[str], path: str, target: Target) -> Iterator[GeneratedTest]:
    seen: set[str] = set()
    for name, code in tests:
        if name not in seen:
            seen.add(name)
            call, expected = single_expectation(code)
            yield GeneratedTest(
                path=path,
                name=name,
                code=code,
                target=target.id,
                label=Label.CHARACTERIZATION,
                origin=Origin.MODEL,
                prelude=tuple(dict.fromkeys(prelude)),
                call=call,
                expected=expected,
            )


def dedented(source: TreeSource, node: Node) -> str:
    """A member's source, moved to the margin. Java's text blocks lose what all of their lines share, so they stay the same."""
    column = node.start_point.column
    lines = source.slice(node).split("\n")
    rest = [line[column:] if not line[:column].strip() else line for line in lines[1:]]
    return "\n".join([lines[0], *rest])


Splitter = Callable[[str, str, Target], "list[GeneratedTest] | StaticProblem"]
