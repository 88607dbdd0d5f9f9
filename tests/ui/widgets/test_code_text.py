import pytest

from qverify_desktop.ui.widgets.code_text import (
    LONGEST,
    ShownText,
    column_of,
    shown,
    shown_in_row,
    to_lines,
    units,
)
from qverify_desktop.ui.widgets.highlighting import KINDS, lex, lexer_of

pytestmark = pytest.mark.ui


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("plain\ttext", "plain\ttext"),
        ("bell\x07", "bell\\x07"),
        ("turn \u202e around", "turn \\u202e around"),
        ("iso\u2066late", "iso\\u2066late"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("lone \ud800 half", "lone \\ud800 half"),
        ("form\x0cfeed", "form\\x0cfeed"),
        ("grün 中 🙂 عربى", "grün 中 🙂 عربى"),
    ],
)
def test_hidden_characters_are_shown_as_escapes(line, told):
    assert shown(line) == told


def test_a_line_of_a_megabyte_is_cut_with_a_mark():
    told = shown("x" * 1_000_000)
    assert told.startswith("x" * LONGEST)
    assert told.endswith("+998,000")
    assert len(told) < LONGEST + 20


def test_tabs_become_blanks_in_rows():
    assert shown_in_row("\tx\ty") == "    x   y"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_counted_as_python_counts_them(end):
    assert to_lines(end.join(["a", "", "b", ""])) == ["a", "", "b"]


def test_a_line_separator_does_not_begin_a_line():
    assert ShownText("a\u2028b\x0bc\nd").lines == ["a\\u2028b\\x0bc", "d"]


@pytest.mark.parametrize(("column", "unit"), [(0, 0), (1, 1), (2, 3), (3, 4)])
def test_columns_and_utf_16_units(column, unit):
    line = "a🙂b"
    assert units(line, column) == unit
    assert column_of(line, unit) == column


def test_a_column_of_the_file_is_found_behind_an_escape():
    text = ShownText("ok\na\u202eb = 1\n")
    assert text.lines[1] == "a\\u202eb = 1"
    assert text.shown_column(1, 2) == 7
    assert text.place(text.text.index("= 1")) == (1, text.lines[1].index("= 1"))


def test_spans_of_each_line():
    text = 'def f(x):\n    """Doc\n    more."""\n    return x + 1  # why\n'
    spans = []
    for _ in lex(text, "Python", spans):
        pass
    found = [
        [(text.split("\n")[line][start : start + length], KINDS[kind]) for start, length, kind in one]
        for line, one in enumerate(spans)
    ]
    assert ("def", "syntax-keyword") in found[0]
    assert ("f", "syntax-function") in found[0]
    assert ('"""Doc', "syntax-string") in found[1]
    assert "more." in "".join(part for part, kind in found[2] if kind == "syntax-string")
    assert [kind for part, kind in found[3] if part == "1"] == ["syntax-number"]
    assert found[3][-1] == ("# why", "syntax-comment")


@pytest.mark.parametrize(
    "language",
    [
        "python",
        "javascript",
        "typescript",
        "tsx",
        "java",
        "kotlin",
        "go",
        "rust",
        "c",
        "cpp",
        "c++",
        "csharp",
        "ruby",
        "php",
        "shell",
        "json",
        "yaml",
        "toml",
    ],
)
def test_every_named_language_has_a_lexer(language):
    spans = []
    for _ in lex('x = "1"\n', language, spans):
        pass
    assert len(spans) == 2
    assert lexer_of(language) is not None


def test_an_unknown_language_has_no_colours():
    spans = []
    assert list(lex("x = 1", "brainfuck", spans)) == []
    assert spans == []
