"""The number area of a code view: line numbers, and for each executable line a bar that says how it is covered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QRect, QSize, Qt
from PySide6.QtGui import QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QToolTip, QWidget

from qverify_desktop.ui.language import tr
from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.widgets.line_states import COVERED, MISSED, PARTIAL

if TYPE_CHECKING:
    from qverify_desktop.ui.widgets.code import CodeView

#: Pixels at 100 %: before the number, between number and bar; a full bar, and a hollow one, which needs room for its hole.
_BEFORE, _BETWEEN, BAR, HOLLOW = 8, 12, 4, 6


def paint_bar(painter: QPainter, theme: Theme, state: str, rect: QRect) -> None:
    """The bar of a line: covered is full, partial is full in its upper half and hollow below, missed is hollow."""
    if state not in (COVERED, PARTIAL, MISSED):
        return
    colour = theme.colour(state)
    if state == COVERED:
        painter.fillRect(QRect(rect.left(), rect.top(), theme.px(BAR), rect.height()), colour)
        return
    outer = rect.adjusted(0, 1, 0, -1)
    wall = max(1, theme.px(1))
    hole = outer.adjusted(wall, wall, -wall, -wall)
    if state == PARTIAL:
        hole.setTop(outer.center().y() + 1)
    for side in (
        QRect(outer.left(), outer.top(), outer.width(), hole.top() - outer.top()),
        QRect(outer.left(), hole.bottom() + 1, outer.width(), outer.bottom() - hole.bottom()),
        QRect(outer.left(), hole.top(), wall, hole.height()),
        QRect(hole.right() + 1, hole.top(), wall, hole.height()),
    ):
        painter.fillRect(side, colour)


class Gutter(QWidget):
    """Stands left of a code view's text. A click chooses a line, a drag several; resting on a line tells its state."""

    def __init__(self, theme: Theme, view: CodeView) -> None:
        super().__init__(view)
        self._theme, self._view = theme, view
        self._pressed = 0
        self.setAccessibleName(tr("Line numbers"))
        self.setMouseTracking(True)

    def wanted_width(self) -> int:
        """Room for the longest number, and for the bars where there is coverage."""
        digits = max(2, len(str(self._view.last_line)))
        width = self._theme.px(_BEFORE) + digits * self._theme.metrics("code").horizontalAdvance("0")
        return width + (self._theme.px(_BETWEEN) + self._bar_width() if self._view.coverage else self._theme.px(4))

    def sizeHint(self) -> QSize:
        return QSize(self.wanted_width(), 0)

    def _bar_width(self) -> int:
        return self._theme.px(HOLLOW)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, view = self._theme, self._view
        painter = QPainter(self)
        painter.fillRect(event.rect(), theme.colour("surface-sunken"))
        painter.setFont(theme.font("code"))
        bar = self._bar_width() if view.coverage else 0
        numbers = self.width() - (bar + theme.px(_BETWEEN) if bar else theme.px(4))
        for line, top in view.rows_on_screen():
            row = QRect(0, top, self.width(), view.row_height)
            view.paint_row(painter, line, row, open_left=False)
            painter.setPen(theme.colour("text" if line == view.current_line else "line-number"))
            align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRect(0, top, numbers, row.height()), align, str(line))
            state = view.coverage.get(line)
            if state is not None:
                paint_bar(painter, theme, state.state, QRect(self.width() - bar, top, bar, row.height()))

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip:
            line = self._view.line_at(event.pos().y())
            words = self._view.words_of(line) if line else ""
            if words:
                QToolTip.showText(event.globalPos(), words, self)
            else:
                QToolTip.hideText()
                event.ignore()
            return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self._pressed = self._view.line_at(event.position().toPoint().y())
            if self._pressed:
                self._view.setFocus(Qt.FocusReason.MouseFocusReason)
                self._view.select_lines(self._pressed, self._pressed)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton and self._pressed > 0:
            line = self._view.line_at(event.position().toPoint().y())
            if line:
                self._view.select_lines(self._pressed, line)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pressed = 0

    def wheelEvent(self, event: QWheelEvent) -> None:
        QApplication.sendEvent(self._view.viewport(), event)
