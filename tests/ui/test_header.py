"""The page header where it has little room: acts become icons that keep their names, the primary one keeps its words."""

from __future__ import annotations

import pytest

from qverify_desktop.ui.page import Place
from tests.ui.samples import window as samples
from tests.ui.samples.results import RUN

pytestmark = pytest.mark.ui


@pytest.fixture
def opened(make, qtbot, tmp_path):
    from qverify_desktop.ui.assembly import Window
    from qverify_desktop.ui.preferences import Preferences

    def build(size):
        _, desk = make(samples.answers())
        window = Window(desk.theme, desk.bridge, Preferences(None))
        qtbot.addWidget(window)
        window.resize(*size)
        window.show()
        qtbot.waitExposed(window)
        window.go(Place("run-evidence", run=RUN))
        qtbot.waitUntil(lambda: len(window.header._buttons) == 3)
        return window

    return build


def words(window):
    return [(button.text(), button.accessibleName()) for _, button in window.header._buttons]


def test_acts_have_words_where_there_is_room(opened):
    assert words(opened((1440, 900))) == [
        ("Send to the hosted service…", "Send to the hosted service…"),
        ("Save bundle…", "Save bundle…"),
        ("Verify evidence", "Verify evidence"),
    ]


def test_without_room_they_are_icons_with_names_and_tips_and_no_word_is_cut(opened, qapp):
    window = opened((1024, 720))
    theme = window.theme
    theme.apply(qapp, "light", 2.0)
    window.header.set_room(window.width() - window.rail.width())
    shown = words(window)
    assert [text for text, _ in shown] == ["", "", "Verify evidence"]
    assert [name for _, name in shown] == ["Send to the hosted service…", "Save bundle…", "Verify evidence"]
    for _, button in window.header._buttons[:2]:
        assert button.toolTip().startswith(button.accessibleName())
        assert not button.icon().isNull()
    theme.apply(qapp, "light", 1.0)
    window.header.set_room(1400)
    assert all(text for text, _ in words(window))
