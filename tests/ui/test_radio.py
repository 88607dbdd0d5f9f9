"""A radio button is round at every zoom and in every state."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QRadioButton, QStyle, QStyleOptionButton, QWidget

from qverify_desktop.ui.theme import ZOOMS

pytestmark = pytest.mark.ui


@pytest.mark.parametrize("zoom", ZOOMS)
@pytest.mark.parametrize("checked", [False, True])
@pytest.mark.parametrize("enabled", [False, True])
def test_it_is_a_circle(make, qtbot, zoom, checked, enabled):
    _, desk = make({}, zoom=zoom)  # its pictures live as long as its theme
    around = QWidget()
    around.setObjectName("page")
    around.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    qtbot.addWidget(around)
    button = QRadioButton("x", around)
    button.setAutoExclusive(False)
    button.setChecked(checked)
    button.setEnabled(enabled)
    around.show()
    qtbot.waitExposed(around)
    button.adjustSize()
    option = QStyleOptionButton()
    button.initStyleOption(option)
    box = button.style().subElementRect(QStyle.SubElement.SE_RadioButtonIndicator, option, button)
    image = around.grab().toImage()
    ground = image.pixelColor(image.width() - 1, image.height() - 1)
    for x in (box.left(), box.right()):
        for y in (box.top(), box.bottom()):
            assert image.pixelColor(x, y) == ground, "a corner is filled"
    middle = box.center().y()
    inked = [x for x in range(box.left(), box.right() + 1) if image.pixelColor(x, middle) != ground]
    assert inked and inked[0] <= box.left() + 1 and inked[-1] >= box.right() - 1, "it reaches its sides"
    assert desk.theme.zoom == zoom
