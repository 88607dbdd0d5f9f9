"""The ring of something that runs: one turn a second, only while it is seen; with reduced motion it stands still."""

from __future__ import annotations

from PySide6.QtCore import QObject, QRect, QTimer
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from qverify_desktop.ui import motion
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.widgets import painting

#: Pictures in a second.
RATE = 25


class Turning(QObject):
    """Repaints the rings of a widget where they were painted last, as long as they are painted.

    The widget calls ``after_paint`` at the end of its ``paintEvent``. A ring that is no more, is scrolled away or hidden is not
    painted, and so nothing goes on; with reduced motion nothing begins.
    """

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self._widget = widget
        self._places: list[QRect] = []
        self._timer = QTimer(self, interval=1000 // RATE, singleShot=True)
        self._timer.timeout.connect(self._repaint)

    @property
    def moving(self) -> bool:
        """Whether a next picture is due."""
        return self._timer.isActive()

    def after_paint(self) -> None:
        """Take the rings that were painted just now."""
        rings = painting.take_rings()
        if rings and not motion.reduced():
            self._places += rings
            self._timer.start()

    def _repaint(self) -> None:
        places, self._places = self._places, []
        for place in places:
            self._widget.update(place)


class Spinner(QWidget):
    """A ring of its own, beside words that say what runs."""

    def __init__(
        self, theme: Theme, size: int = 16, token: str = "accent-text", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme, self._size, self._token = theme, size, token
        self.setAccessibleName(tr("Running"))
        self.turning = Turning(self)
        theme.changed.connect(self._measure)
        self._measure()

    def _measure(self) -> None:
        self.setFixedSize(self._theme.px(self._size), self._theme.px(self._size))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painting.icon(painter, self._theme, painting.RING, self._token, 0, 0, self._size)
        painter.end()
        self.turning.after_paint()
