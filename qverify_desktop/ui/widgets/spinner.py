"""The ring of something that runs: one turn a second, only while it is seen; with reduced motion it stands still."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QRect, QTimer
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from qverify_desktop.ui import motion
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.theme import Theme, tokens
from qverify_desktop.ui.widgets import painting

#: The shape that turns.
RING = "ring-arc"
#: Pictures in a second.
RATE = 25


def angle() -> float:
    """Where every ring stands now, in degrees; 0 with reduced motion."""
    turn = int(tokens()["motion"]["spinner-turn"])
    return 0.0 if motion.reduced() else time.monotonic() * 1000 % turn * 360 / turn


def paint_ring(painter: QPainter, theme: Theme, token: str, x: float, y: float, size: int = 16) -> None:
    """Draw the ring as it stands now, its left top corner there; ``size`` at 100 %."""
    half = theme.px(size) / 2
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.translate(x + half, y + half)
    painter.rotate(angle())
    painting.icon(painter, theme, RING, token, -half, -half, size)
    painter.restore()


class Turning(QObject):
    """Repaints the places of a widget where rings turn, only while it turns, is seen and motion is allowed.

    ``places`` answers which rectangles of ``widget`` hold rings; ``None`` means all of it.
    """

    def __init__(self, widget: QWidget, places: Callable[[], list[QRect]] | None = None) -> None:
        super().__init__(widget)
        self._widget, self._places = widget, places
        self._on = False
        self._timer = QTimer(self, interval=1000 // RATE)
        self._timer.timeout.connect(self._repaint)
        widget.installEventFilter(self)

    @property
    def moving(self) -> bool:
        """Whether it repaints now."""
        return self._timer.isActive()

    def set_on(self, on: bool) -> None:
        """Whether anything runs."""
        self._on = on
        self._begin_or_stop()

    def _begin_or_stop(self) -> None:
        wanted = self._on and self._widget.isVisible() and not motion.reduced()
        if wanted != self._timer.isActive():
            (self._timer.start if wanted else self._timer.stop)()

    def _repaint(self) -> None:
        if motion.reduced():
            self._timer.stop()
        if self._places is None:
            self._widget.update()
        else:
            for place in self._places():
                self._widget.update(place)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Show, QEvent.Type.Hide):
            self._begin_or_stop()
        return False


class Spinner(QWidget):
    """A ring of its own, beside words that say what runs."""

    def __init__(
        self, theme: Theme, size: int = 16, token: str = "accent-text", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme, self._size, self._token = theme, size, token
        self.setAccessibleName(tr("Running"))
        self.turning = Turning(self)
        self.turning.set_on(True)
        theme.changed.connect(self._measure)
        self._measure()

    def _measure(self) -> None:
        self.setFixedSize(self._theme.px(self._size), self._theme.px(self._size))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_ring(painter, self._theme, self._token, 0, 0, self._size)
        painter.end()
