"""Whether a generated test could fail at all because of the project's code, judged from its source alone."""

from __future__ import annotations

import re

from tree_sitter import Node

from qverify_desktop.domain.project import SkippedPath
from qverify_desktop.domain.results import Reason
from qverify_desktop.domain.testing import GeneratedTest
from qverify_desktop.languages.base import StaticProblem
from qverify_desktop.languages.rust.source import attributes, parse_source
from qverify_desktop.languages.rust.syntax import ASSERTIONS, arguments
from qverify_desktop.languages.tree.source import TreeSource, walk

#: Methods and macros that panic where the code does not do what the test counts on.
_DEMANDING = re.compile(
    r"\.(?:unwrap|expect|unwrap_err|expect_err)\s*\(|\b(?:panic|unreachable|assert_matches)!|\?\s*[;.)\n]"
)
_KEYWORDS = frozenset(("true", "false", "as", "mut", "ref", "usize", "u8", "i32", "u32", "i64", "u64", "f64"))


def static_problem(test: GeneratedTest) -> StaticProblem | None:
    """Why a test is refused before any run; ``None`` where it parses and asserts something that could fail."""
    source = parse_source(test.code)
    if isinstance(source, SkippedPath) or source.root.has_error:
        return StaticProblem(Reason.SYNTAX, "It is not valid Rust.")
    functions = [item for item in source.root.named_children if item.type == "function_item"]
    tests = [item for item in functions if "#[test]" in attributes(source, item)]
    if len(tests) != 1 or source.field(tests[0], "name") != test.name:
        return StaticProblem(Reason.NOT_A_TEST, "It is no single function with #[test].")
    marks = attributes(source, tests[0])
    if any(mark.startswith("#[ignore") for mark in marks):
        return StaticProblem(Reason.TRIVIAL, "It skips itself.")
    panics = any("should_panic" in mark for mark in marks)
    body = tests[0].child_by_field_name("body")
    if body is None or (panics and not any(node.type == "call_expression" for node in walk(body))):
        return StaticProblem(Reason.TRIVIAL)
    if panics or _asserts(source, body):
        return None
    return StaticProblem(Reason.TRIVIAL)


def assertions(code: str) -> list[tuple[int, str]]:
    """1-based line in ``code`` and text on one line of every assertion; nothing for what can't be parsed."""
    source = parse_source(code)
    if isinstance(source, SkippedPath) or source.root.has_error:
        return []
    found = []
    for node in walk(source.root):
        if node.type == "macro_invocation" and _name(source, node) in ASSERTIONS:
            found.append((int(node.start_point[0]) + 1, " ".join(source.slice(node).split())))
        elif node.type == "attribute_item" and "should_panic" in source.slice(node):
            found.append((int(node.start_point[0]) + 1, source.slice(node)))
    return found


def _name(source: TreeSource, node: Node) -> str:
    return source.field(node, "macro").rpartition("::")[2]


def _asserts(source: TreeSource, body: Node) -> bool:
    """An assertion that is no comparison of literals, or a call that panics where its receiver is not what it should be."""
    for node in walk(body):
        if node.type == "macro_invocation" and _name(source, node) in ASSERTIONS:
            found = arguments(source.slice(node))
            single = _name(source, node).endswith("assert")
            compared = found[: 1 if single else 2]
            if any(_depends(text) for text in compared) and not (len(compared) == 2 and compared[0] == compared[1]):
                return True
    return bool(_DEMANDING.search(source.slice(body)))


def _depends(text: str) -> bool:
    """Whether an expression names anything but literals."""
    bare = re.sub(r"\"(?:[^\"\\]|\\.){0,4000}\"|'(?:[^'\\]|\\.)'", " ", text[:8000].replace("vec!", " "))
    words = set(re.findall(r"\b[A-Za-z_]\w*", bare))
    return bool(words - _KEYWORDS)
