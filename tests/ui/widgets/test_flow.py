"""What stands in a line goes on in the next one where it has no room."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QFrame, QWidget

from qverify_desktop.ui.widgets.flow import FlowLabel, FlowLayout

pytestmark = pytest.mark.ui


class Block(QFrame):
    def __init__(self, width: int, height: int = 20) -> None:
        super().__init__()
        self._size = QSize(width, height)

    def sizeHint(self) -> QSize:
        return self._size


@pytest.fixture
def shown(qtbot):
    def build(width, *parts):
        widget = QWidget()
        qtbot.addWidget(widget)
        widget.setLayout(FlowLayout(*parts, gap=8))
        widget.resize(width, widget.heightForWidth(width))
        widget.show()
        qtbot.waitExposed(widget)
        return widget

    return build


def test_what_has_no_room_goes_into_the_next_line(shown):
    blocks = [Block(100), Block(100, 30), Block(100)]
    widget = shown(220, *blocks)
    assert [(one.x(), one.y()) for one in blocks] == [(0, 5), (108, 0), (0, 38)], "in the middle of their line"
    assert widget.height() == 58
    assert widget.layout().sizeHint() == QSize(316, 30), "it would rather stand in one line"
    assert widget.layout().heightForWidth(316) == 30


def test_what_is_wider_than_all_is_as_wide_as_all_and_what_is_hidden_takes_no_room(shown):
    wide, hidden, last = Block(400), Block(50), Block(50)
    widget = shown(200, wide, hidden, last)
    hidden.hide()
    widget.layout().activate()
    assert (wide.width(), wide.x()) == (200, 0)
    assert (last.x(), last.y()) == (0, 28)
    assert widget.layout().minimumSize().width() < 200


def test_words_wrap_only_where_their_own_line_is_too_short(shown, theme):
    words = FlowLabel()
    words.setText("Whether prompts with its source may leave this machine is not decided yet.")
    line = words.sizeHint()
    assert line.height() < 2 * words.fontMetrics().height()
    holder = shown(line.width() // 2, words)
    assert words.height() >= 2 * words.fontMetrics().height() and holder.height() == words.height()
