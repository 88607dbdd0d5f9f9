"""The filter: words, quotes, exclusion; the field: delay, Esc, count."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from qverify_desktop.ui.widgets.filter_field import Filter, FilterField

pytestmark = pytest.mark.ui


@pytest.mark.parametrize(
    ("words", "text", "matches"),
    [
        ("", "anything", True),
        ("   ", "anything", True),
        ("zulu", "test_ZULU_offset", True),
        ("ZULU", "test_zulu_offset", True),
        ("zulu offset", "offset of zulu", True),
        ("zulu offset", "only zulu", False),
        ("!locale", "test_locale", False),
        ("!locale", "test_offset", True),
        ("offset !locale", "offset in locale", False),
        ('"parse offset"', "parse offset here", True),
        ('"parse offset"', "offset parse", False),
        ('!"parse offset"', "parse offset here", False),
        ('!"parse offset"', "offset parse", True),
        ('"not closed', "it is not closed yet", True),
        ("!", "anything", True),
        ('""', "anything", True),
        ("straße", "STRASSE", True),
        (r".*[", "a.*[b", True),
        (r".*", "anything", False),
    ],
)
def test_words(words, text, matches):
    assert Filter.parse(words).matches(text) is matches


def test_an_empty_filter_knows_that_it_is_empty():
    assert Filter.parse(' ! "" ').empty
    assert not Filter.parse("a").empty
    assert not Filter.parse("!a").empty


def test_typing_is_told_once_after_a_moment(qtbot, theme):
    field = FilterField(theme, "Filter tests")
    qtbot.addWidget(field)
    told = []
    field.filtered.connect(told.append)
    qtbot.keyClicks(field, "zulu !lo")
    assert told == []
    qtbot.waitUntil(lambda: bool(told))
    assert told == [Filter(("zulu",), ("lo",))]


def test_blanks_are_no_other_filter(qtbot, theme):
    field = FilterField(theme)
    qtbot.addWidget(field)
    told = []
    field.filtered.connect(told.append)
    field.setText("zulu")
    field.apply()
    field.setText("zulu  ")
    field.apply()
    assert len(told) == 1


def test_escape_empties_the_field_at_once_and_stays_in_it(qtbot, theme):
    field = FilterField(theme)
    qtbot.addWidget(field)
    field.setText("zulu")
    field.apply()
    told = []
    field.filtered.connect(told.append)
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert field.text() == ""
    assert told == [Filter()]


def test_down_goes_on_to_the_list(qtbot, theme):
    field = FilterField(theme)
    qtbot.addWidget(field)
    with qtbot.waitSignal(field.left):
        qtbot.keyClick(field, Qt.Key.Key_Down)


def test_the_count_is_shown_spoken_and_leaves_room_for_the_words(qtbot, theme):
    field = FilterField(theme)
    qtbot.addWidget(field)
    field.resize(320, 32)
    field.show()
    field.say_count(61, 12_064)
    assert field.accessibleDescription() == "61 of 12,064"
    assert field.textMargins().right() > 60
    field.say_count(64, 64)
    assert field.accessibleDescription() == ""
    assert field.textMargins().right() == 0
