"""A model's test file as single tests, what a test must be to be worth a run, and the lines of generated tests."""

from __future__ import annotations

import re
from typing import Any

from tree_sitter import Node

from qverify_desktop.domain.project import SkippedPath, Target
from qverify_desktop.domain.results import Reason
from qverify_desktop.domain.testing import GeneratedTest, Label, Origin
from qverify_desktop.languages.base import StaticProblem
from qverify_desktop.languages.java.splitting import dedented
from qverify_desktop.languages.java.suite import TESTS
from qverify_desktop.languages.kotlin.source import name_of, package_of, parse_text, words_of
from qverify_desktop.languages.tree.source import TreeSource, end_line_of, line_of, walk

_ASSERTING = re.compile(r"assert\w*|expect\w*|verify\w*|should\w*")
_RAISING = re.compile(r"\bassert(?:Throws|FailsWith)\s{0,9}<[\w.]{1,200}>\s{0,9}\{")
_SKIPPING = re.compile(r"assume\w+|assumingThat")
_SKIPPED = frozenset({"@Disabled", "@Ignore", "@DisabledIf", "@EnabledIf"})
_MAKING = re.compile(
    r"(?:mutable)?(?:list|set|map|array)Of|\w+ArrayOf|empty(?:List|Set|Map)|Pair|Triple|to|toString|size"
)
_LITERALS = frozenset({"number_literal", "float_literal", "string_literal", "character_literal"})
_WORDS = frozenset({"true", "false", "null"})
_CATCH_ALL = re.compile(r"catch\s*\(\s*\w+\s*:\s*(?:Throwable|Error|AssertionError|AssertionFailedError)\b")


def described(path: str, text: str) -> dict[str, Any]:
    """A generated file's tests with their lines, for the driver."""
    source = parse_text(text, path)
    tests: list[dict[str, Any]] = []
    if not isinstance(source, SkippedPath):
        for node in walk(source.root, frozenset({"function_body"})):
            if node.type == "function_declaration" and words_of(source, node) & TESTS:
                name = name_of(source, node)
                tests.append(
                    {"id": f"{path}::{name}", "name": name, "first": line_of(node), "last": end_line_of(node)}
                )
    return {"path": path, "tests": tests}


def parsed(code: str) -> TreeSource | None:
    """The members of ``code`` as a class, ``None`` where they do not parse."""
    source = parse_text(f"class T {{\n{code}\n}}\n", "T.kt")
    return None if isinstance(source, SkippedPath) or source.root.has_error else source


def static_problem(test: GeneratedTest) -> StaticProblem | None:
    """Parses, is not skipped, and asserts something that could fail? ``None`` when it does."""
    source = parsed(test.code)
    if source is None:
        return StaticProblem(Reason.SYNTAX)
    if _CATCH_ALL.search(test.code):
        return StaticProblem(Reason.TRIVIAL, "It catches what an assertion throws.")
    # The grammar takes the type in angle brackets for a comparison.
    asserted = called = _RAISING.search(test.code) is not None
    for node in walk(source.root):
        if node.type == "function_declaration" and words_of(source, node) & _SKIPPED:
            return StaticProblem(Reason.TRIVIAL, "It is switched off by an annotation.")
        if node.type == "call_expression":
            name = _callee(source, node)
            if _SKIPPING.fullmatch(name):
                return StaticProblem(Reason.TRIVIAL, "It may skip itself.")
            if _ASSERTING.fullmatch(name):
                asserted = asserted or _could_fail(source, node)
            elif not _MAKING.fullmatch(name):
                called = True
    if not asserted:
        return StaticProblem(Reason.TRIVIAL)
    return None if called else StaticProblem(Reason.TRIVIAL, "It calls nothing of the code under test.")


def assertions(code: str) -> list[tuple[int, str]]:
    """1-based line in ``code`` and text on one line of every assertion; nothing for what can't be parsed."""
    source = parsed(code)
    return sorted(
        (line_of(node) - 1, " ".join(source.slice(node).split()))
        for node in (walk(source.root) if source is not None else ())
        if source is not None and node.type == "call_expression" and _ASSERTING.fullmatch(_callee(source, node))
    )


def _callee(source: TreeSource, node: Node) -> str:
    first = node.named_children[0] if node.named_child_count else node
    return source.slice(first).partition("<")[0].rpartition(".")[2].strip()


def _could_fail(source: TreeSource, node: Node) -> bool:
    listed = next((one for one in node.named_children if one.type == "value_arguments"), None)
    arguments = [one.named_children[-1] for one in listed.named_children if one.named_child_count] if listed else []
    texts = [source.slice(one) for one in arguments]
    if listed is not None and all(
        one.type in _LITERALS or text in _WORDS for one, text in zip(arguments, texts, strict=True)
    ):
        return any(child.type.endswith("lambda") or child.type == "lambda_literal" for child in walk(node))
    return not (_callee(source, node) in ("assertEquals", "assertSame") and len(texts) >= 2 and texts[0] == texts[1])


def single_expectation(code: str) -> tuple[str, str]:
    """Call and expected value where a test asserts once, that a call equals a literal."""
    source = parsed(code)
    if source is None:
        return "", ""
    calls = [node for node in walk(source.root) if node.type == "call_expression"]
    asserting = [node for node in calls if _ASSERTING.fullmatch(_callee(source, node))]
    if len(asserting) != 1 or _callee(source, asserting[0]) != "assertEquals":
        return "", ""
    listed = next((one for one in asserting[0].named_children if one.type == "value_arguments"), None)
    given = [one.named_children[-1] for one in listed.named_children if one.named_child_count] if listed else []
    if len(given) != 2 or given[1].type != "call_expression":
        return "", ""
    expected = source.slice(given[0])
    literal = given[0].type in _LITERALS or expected in _WORDS or re.fullmatch(r"-\d[\d_.]{0,40}L?", expected)
    return (source.slice(given[1]), expected) if literal else ("", "")


def split(text: str, path: str, target: Target) -> list[GeneratedTest] | StaticProblem:
    """The tests of a whole file; what else its class holds goes with each of them."""
    source = parse_text(text, path)
    if isinstance(source, SkippedPath) or source.root.has_error:
        return StaticProblem(Reason.SYNTAX)
    package, given = target.module, package_of(source)
    prelude = [f"package {package}"] if package else []
    prelude += [" ".join(source.slice(node).split()) for node in source.root.named_children if node.type == "import"]
    if given and given != package:
        prelude.append(f"import {given}.*")
    tests: dict[str, str] = {}
    for holder in (node for node in source.root.named_children if node.type == "class_declaration"):
        for body in (child for child in holder.named_children if child.type == "class_body"):
            for member in body.named_children:
                if member.type.endswith("comment"):
                    continue
                if member.type == "function_declaration" and words_of(source, member) & TESTS:
                    tests.setdefault(name_of(source, member), dedented(source, member))
                else:
                    prelude.append(dedented(source, member))
    if not tests:
        return StaticProblem(Reason.NOT_A_TEST)
    return [
        GeneratedTest(
            path=path,
            name=name,
            code=code,
            target=target.id,
            label=Label.CHARACTERIZATION,
            origin=Origin.MODEL,
            prelude=tuple(dict.fromkeys(prelude)),
            call=expectation[0],
            expected=expectation[1],
        )
        for name, code in tests.items()
        for expectation in [single_expectation(code)]
    ]
