"""The page header where it has little room: acts become icons that keep their names, the primary one keeps its words."""

from __future__ import annotations

import pytest

from qverify_desktop.ui.assembly import Window
from qverify_desktop.ui.page import Place
from qverify_desktop.ui.preferences import Preferences
from tests.ui.samples import window as samples
from tests.ui.samples.results import RUN

pytestmark = pytest.mark.ui


@pytest.fixture
def opened(make, qtbot):
    """The header of a run's evidence, which has the most acts; names of its buttons follow."""

    def build(size):
        _, desk = make(samples.answers())
        window = Window(desk.theme, desk.bridge, Preferences(None))
        qtbot.addWidget(window)
        window.resize(*size)
        window.show()
        qtbot.waitExposed(window)
        window.go(Place("run-evidence", run=RUN))
        qtbot.waitUntil(lambda: [name for name, _ in window.header._buttons] == [*window.page.buttons])
        return window, [button for _, button in window.header._buttons]

    return build


def right_edges(window, buttons):
    return [button.mapTo(window.header, button.rect().topRight()).x() for button in buttons]


def test_acts_have_words_where_there_is_room(opened):
    _, buttons = opened((1600, 900))
    assert len(buttons) >= 3
    assert all(button.text() == button.accessibleName() for button in buttons)
    assert buttons[-1].text() == "Verify evidence"


def test_without_room_they_are_icons_with_names_and_tips_and_no_word_is_cut(opened, qapp, qtbot):
    window, buttons = opened((1024, 720))
    window.use_zoom(2.0)
    qtbot.waitUntil(lambda: not buttons[0].text())
    assert [bool(button.text()) for button in buttons] == [False] * (len(buttons) - 1) + [True]
    for button in buttons[:-1]:
        assert button.accessibleName() and button.toolTip().startswith(button.accessibleName())
        assert not button.icon().isNull()
    qtbot.waitUntil(lambda: all(button.width() >= button.sizeHint().width() for button in buttons))
    assert max(right_edges(window, buttons)) < window.header.width()
    window.use_zoom(1.0)
    window.header.set_room(1600)
    assert all(button.text() for button in buttons)
