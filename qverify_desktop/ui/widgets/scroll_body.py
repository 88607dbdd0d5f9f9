"""What stands in a scroll area and is as wide as it: its height follows from its width, however its labels wrap."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QLayout, QScrollArea, QWidget


class ScrollBody(QWidget):
    """Its least size is none. Qt's own would count each label as high as in its narrowest column and leave gaps."""

    def __init__(self, layout: QLayout, name: str = "page") -> None:
        """``name`` is the style sheet's: ``page`` or ``clear``."""
        super().__init__()
        self.setObjectName(name)
        self.setLayout(layout)

    def minimumSizeHint(self) -> QSize:
        layout = self.layout()
        if layout is None or layout.hasHeightForWidth():
            return QSize(0, 0)  # the area asks for the height in its width
        return QSize(0, layout.minimumSize().height())


def scrolling(body: QWidget) -> QScrollArea:
    """A scroll area around it that scrolls up and down only and takes no focus."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(body)
    return area
