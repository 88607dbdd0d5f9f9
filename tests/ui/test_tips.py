"""Tooltips hold names and paths of repositories: whatever stands in them is plain text."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QLabel, QToolTip, QWidget

pytestmark = pytest.mark.ui


@pytest.mark.parametrize("text", ["<h1>big</h1>", "a <img src='/etc/passwd'>", "tests/<b>x</b>.py", "plain"])
def test_a_tooltip_is_plain_text(make, qtbot, text):
    make({})
    owner = QWidget()
    qtbot.addWidget(owner)
    owner.show()
    QToolTip.showText(QPoint(10, 10), text, owner)
    tips = [
        one
        for one in QApplication.topLevelWidgets()
        if one.metaObject().className() == "QTipLabel" and isinstance(one, QLabel)
    ]
    assert [(one.text(), one.textFormat()) for one in tips] == [(text, Qt.TextFormat.PlainText)]
    QToolTip.hideText()
    qtbot.waitUntil(lambda: not QToolTip.isVisible())
