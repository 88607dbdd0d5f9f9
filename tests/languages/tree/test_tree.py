"""Trees of any grammar: reading hostile files, comments above definitions, mutants from a table of operators."""

from __future__ import annotations

from pathlib import Path

import tree_sitter_go
import tree_sitter_java
import tree_sitter_rust

from qverify_desktop.domain.project import SkippedPath, Target
from qverify_desktop.languages.mutants import mutated
from qverify_desktop.languages.tree.comments import comment_above, unmarked
from qverify_desktop.languages.tree.mutation import Operators, mutants
from qverify_desktop.languages.tree.outline import complexity, signature
from qverify_desktop.languages.tree.source import MAX_FILE_BYTES, Grammar, TreeSource, parse_tree, read_tree, walk

GO = Grammar("Go", tree_sitter_go.language)
JAVA = Grammar("Java", tree_sitter_java.language)
RUST = Grammar("Rust", tree_sitter_rust.language)
OPERATORS = Operators(
    binary=frozenset({"binary_expression", "assignment_statement"}),
    integers=frozenset({"int_literal"}),
    strings=frozenset({"interpreted_string_literal"}),
    conditions={"if_statement": "condition"},
    dropped={"expression_statement": "call_expression"},
    jumps={"break_statement": "continue", "continue_statement": "break"},
)
CODE = """package p

// Adds two numbers.
//
//	Add(1, 2) == 3
func Add(a, b int) int {
	if ready { log("x") }
	for i := 0; i < 3 && a > 0; i++ { break }
	total := a + b
	return total
}
"""


def read(code: str, grammar: Grammar = GO) -> TreeSource:
    source = parse_tree(grammar, code.encode(), "p/add.go")
    assert isinstance(source, TreeSource)
    return source


def function(source: TreeSource):
    return next(
        node
        for node in walk(source.root)
        if node.type in ("function_declaration", "function_item", "method_declaration")
    )


def body_of(source: TreeSource):
    body = function(source).child_by_field_name("body")
    assert body is not None
    return body


TARGET = Target("go", "p/add.go", "p", "Add", 6, 11, 7, "func Add(a, b int) int")


def changes(
    code: str = CODE, lines: frozenset[int] = frozenset(range(1, 99)), most: int = 99
) -> list[tuple[str, str, str]]:
    found = mutants(read(code), body_of(read(code)), TARGET, lines, most, OPERATORS)
    return [(one.operator, one.original, one.replacement) for one in found]


def test_operators_of_the_table_are_exchanged() -> None:
    found = changes()
    assert ("condition", "ready", "!(ready)") in found
    assert (
        ("relational", "<", "<=") in found and ("logical", "&&", "||") in found and ("arithmetic", "+", "-") in found
    )
    assert ("constant", "3", "4") in found and ("constant", "0", "1") in found
    assert ("loop", "break", "continue") in found and ("text", '"x"', '""') in found
    assert ("call", 'log("x")', ";") in found


def test_only_the_lines_asked_for_and_at_most_so_many() -> None:
    assert changes(lines=frozenset({9})) == [("arithmetic", "+", "-")]
    assert len(changes(most=4)) == 4 and len({operator for operator, *_ in changes(most=4)}) == 4


def test_offsets_are_bytes_of_the_file_with_its_byte_order_mark() -> None:
    content = b"\xef\xbb\xbf" + CODE.replace("Adds", "Zählt").encode()
    source = parse_tree(GO, content, "p/add.go")
    assert isinstance(source, TreeSource)
    for one in mutants(source, body_of(source), TARGET, frozenset({9}), 5, OPERATORS):
        assert content[one.start : one.end].decode() == one.original
        assert b"total := a - b" in mutated(content, one)


def test_the_comment_above_a_definition() -> None:
    source = read(CODE)
    comment = comment_above(source, function(source), {"comment"})
    assert comment is not None and comment.first == 3
    assert comment.lines == ("Adds two numbers.", "", "Add(1, 2) == 3")


def test_a_comment_with_an_empty_line_below_it_speaks_of_something_else() -> None:
    source = read("package p\n\n// Licence.\n\nfunc Add() int { return 1 }\n")
    assert comment_above(source, function(source), {"comment"}) is None


def test_a_comment_behind_code_speaks_of_that_code() -> None:
    source = read("package p\nvar x = 1 // one\nfunc Add() int { return x }\n")
    assert comment_above(source, function(source), {"comment"}) is None


def test_attributes_may_stand_between() -> None:
    source = read("/// Says.\n#[inline]\nfn f() -> i32 { 1 }\n", RUST)
    comment = comment_above(source, function(source), {"line_comment"}, {"attribute_item"})
    assert comment is not None and comment.lines[0] == "Says."


def test_blocks_lose_their_stars() -> None:
    assert unmarked("/**\n * Adds.\n *   f(1) == 2\n */") == ["", "Adds.", "  f(1) == 2", ""]
    assert unmarked("/* one\n   two * three */") == ["one", "   two * three"]
    assert unmarked("//! inner", inner=True) == ["inner"] and unmarked("//! 1") == ["! 1"], "a mark in Rust only"
    assert unmarked("# note") == ["note"]


def test_complexity_and_signature() -> None:
    source = read(CODE)
    assert signature(source, function(source), body_of(source)) == "func Add(a, b int) int"
    assert complexity(source, body_of(source), {"if_statement", "for_statement"}, {"&&"}) == 4


def test_hostile_files_are_answered_with_a_reason(tmp_path: Path) -> None:
    cases = {
        "nested.go": b"package p\nvar x = " + b"(" * 20_000 + b")" * 20_000,
        "null.go": b"package p\0",
        "latin.go": b"package p // \xe9",
        "large.go": b"/" * (MAX_FILE_BYTES + 1),
    }
    for name, content in cases.items():
        (tmp_path / name).write_bytes(content)
        assert isinstance(read_tree(GO, str(tmp_path), name), SkippedPath), name
    (tmp_path / "link.go").symlink_to("/etc/passwd")
    assert isinstance(read_tree(GO, str(tmp_path), "link.go"), SkippedPath)


def test_an_error_in_one_function_does_not_hide_the_others() -> None:
    source = read("class A { int f( { } int g() { return 1; } }\nclass B { int h() { return 2; } }", JAVA)
    assert any(node.type == "method_declaration" and not node.has_error for node in walk(source.root))
