"""Facts that wrap, quoted words with their lines, lists as high as their rows, bodies as high as their width asks for."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from qverify_desktop.ui.widgets.assertions import AssertionList, on_few_lines, quoted
from qverify_desktop.ui.widgets.basics import column, label
from qverify_desktop.ui.widgets.facts import Fact, Facts
from qverify_desktop.ui.widgets.mutants import MutantGrid
from qverify_desktop.ui.widgets.scroll_body import ScrollBody, scrolling
from tests.ui.samples.results import ASSERTIONS, MUTANTS

pytestmark = pytest.mark.ui


def test_facts_wrap_and_are_read_as_one(qtbot, theme):
    facts = Facts(theme)
    qtbot.addWidget(facts)
    facts.show_facts([Fact("kept", "circle-check", lead="41"), Fact("refused", lead="23"), Fact("x", spoken="said")])
    assert facts.accessibleName() == "41 kept, 23 refused, said"
    one_line = facts.heightForWidth(600)
    assert facts.heightForWidth(80) > 2 * one_line
    assert facts.minimumSizeHint().width() <= 80


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("One sentence.", "“One sentence.”"),
        (">>> page_count(10, 5)\n2", ">>> page_count(10, 5)\n2"),
        (">>> f()", ">>> f()"),
        (">>> f()\n    1\n      2", ">>> f()\n1\n  2"),
        ("a\x1b[31m\n\tb", "a\\x1b[31m\nb"),
        ("wide   blanks", "“wide blanks”"),
    ],
)
def test_quoted_words_keep_their_lines_and_hide_nothing(words, shown):
    assert quoted(words) == shown


def test_very_many_lines_are_cut_with_a_mark():
    assert on_few_lines("\n".join("abcdefgh"), 3) == "a\nb\nc\n…"


def test_a_list_is_as_high_as_its_rows_in_its_width(qtbot, theme):
    made = AssertionList(theme)
    qtbot.addWidget(made)
    made.show_assertions(ASSERTIONS * 3)
    made.resize(700, 10)
    made.show()
    qtbot.waitExposed(made)
    wide = made.height()
    last = made.visualRect(made.model().index(5, 0))
    assert last.bottom() <= made.viewport().height() and wide > 6 * theme.px(40)
    made.resize(260, wide)
    qtbot.waitUntil(lambda: made.height() > wide)


def test_mutants_stand_in_as_many_columns_as_fit(qtbot, theme):
    made = MutantGrid(theme)
    qtbot.addWidget(made)
    made.show_mutants(MUTANTS)
    made.resize(700, 10)
    made.show()
    qtbot.waitExposed(made)
    assert made.columns == 2 and made.height() == 3 * theme.px(24)
    made.resize(300, 10)
    qtbot.waitUntil(lambda: made.columns == 1 and made.height() == 5 * theme.px(24))
    assert [made.model().index(row, 0).data().split(",")[0] for row in range(5)] == ["killed"] * 4 + ["survived"]


def test_enter_opens_and_arrows_choose(qtbot, theme):
    made = MutantGrid(theme)
    qtbot.addWidget(made)
    made.show_mutants(MUTANTS)
    made.show()
    qtbot.waitExposed(made)
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow)
    made.setFocus()
    made.setCurrentIndex(made.model().index(0, 0))
    with qtbot.waitSignal(made.opened) as opened:
        qtbot.keyClick(made, Qt.Key.Key_Return)
    assert opened.args[0]["line"] == 54


def test_a_body_scrolls_only_where_its_words_need_it(qtbot, theme):
    layout = column(*(label("some words that wrap " * 8, wrap=True) for _ in range(5)))
    area = scrolling(ScrollBody(layout))
    qtbot.addWidget(area)
    area.resize(900, 300)
    area.show()
    qtbot.waitExposed(area)
    assert area.verticalScrollBar().maximum() == 0
    area.resize(120, 300)
    qtbot.waitUntil(lambda: area.verticalScrollBar().maximum() > 0)
