"""What lies over the window while something is dragged over it: that it would be taken, and what would happen."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from qverify_desktop.ui.language import tr
from qverify_desktop.ui.theme import Theme


class DropVeil(QWidget):
    """Accent border and tint over everything; takes no events, so the window goes on getting the drag."""

    def __init__(self, theme: Theme, window: QWidget) -> None:
        super().__init__(window)
        self._theme = theme
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName(tr("Drop to analyze"))
        self.hide()

    def show_over(self, rect: QRect) -> None:
        self.setGeometry(rect)
        self.raise_()
        self.show()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme, px = self._theme, self._theme.px
        painter.setOpacity(0.94)
        painter.fillRect(self.rect(), theme.colour("accent-bg"))
        painter.setOpacity(1)
        painter.setPen(QPen(theme.colour("accent"), px(2), Qt.PenStyle.DashLine))
        painter.drawRoundedRect(self.rect().adjusted(px(16), px(16), -px(16), -px(16)), px(12), px(12))
        middle = self.rect().center()
        icon = theme.pixmap("download", "accent-text", 24)
        painter.drawPixmap(middle.x() - px(12), middle.y() - px(56), icon)
        painter.setPen(theme.colour("text"))
        painter.setFont(theme.font("title"))
        area = self.rect().adjusted(px(40), 0, -px(40), 0)
        top = middle.y() - px(20)
        flags = Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(QRect(area.left(), top, area.width(), px(32)), flags, tr("Drop to analyze"))
        painter.setFont(theme.font("body"))
        painter.setPen(theme.colour("text-muted"))
        words = tr(
            "Folders and Git URLs open a new analysis. An evidence bundle is verified, a GGUF model imported. Nothing is changed in them."
        )
        painter.drawText(QRect(area.left(), top + px(32), area.width(), px(48)), flags, words)
