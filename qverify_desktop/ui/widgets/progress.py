"""Progress: a bar of 4 px that is determinate, unknown, near a limit, or paused."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QProgressBar, QSizePolicy, QWidget

from qverify_desktop.ui.language import tr
from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.widgets import painting
from qverify_desktop.ui.widgets.words import percent

HEIGHT = 4
#: Part of the track that is filled while the whole is unknown.
SEGMENT = 0.3
_TOKENS = {"": "series-1", "warning": "warning", "paused": "before", "success": "success", "danger": "danger"}


def paint_progress(painter: QPainter, rect: QRect, theme: Theme, part: int, whole: int, tone: str = "") -> None:
    """Draw a bar across ``rect``, in the middle of its height. A ``whole`` of 0 is unknown: a fixed segment."""
    height = max(2, theme.px(HEIGHT))
    track = QRectF(rect.left(), rect.top() + (rect.height() - height) // 2, rect.width(), height)
    painting.fill(painter, theme, track, "track", 2)
    filled = SEGMENT if whole <= 0 else min(1.0, max(0.0, part / whole))
    if filled > 0:
        shown = QRectF(track)
        shown.setWidth(max(float(height), track.width() * filled))
        painting.fill(painter, theme, shown, _TOKENS[tone], 2)


class ProgressBar(QProgressBar):
    """A bar for a layout. ``name`` says what progresses; its state is spoken as the accessible description."""

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._tone = theme, ""
        self._part, self._whole = 0, 0
        self.setTextVisible(False)
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self._measure)
        self._measure()
        self.show_progress(0, 0)

    @property
    def tone(self) -> str:
        return self._tone

    def show_progress(self, part: int, whole: int) -> None:
        """So much of so much; a ``whole`` of 0 is unknown."""
        self._part, self._whole = part, whole
        if whole > 0:
            self.setRange(0, 1000)
            self.setValue(min(1000, max(0, part * 1000 // whole)))
        else:
            # Not 0 to 0: Qt would animate that by itself.
            self.setRange(0, 1000)
            self.reset()
        self._say()

    def set_tone(self, tone: str) -> None:
        """Empty, warning (near a limit), paused, success or danger."""
        self._tone = tone
        self._say()

    def _say(self) -> None:
        known = percent(self._part, self._whole) if self._whole > 0 else tr("how much is left is unknown")
        said = {"paused": tr("paused"), "warning": tr("near its limit")}.get(self._tone, "")
        self.setAccessibleDescription(f"{known}, {said}" if said else known)
        self.update()

    def _measure(self) -> None:
        self.setFixedHeight(max(2, self._theme.px(HEIGHT)))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_progress(painter, self.rect(), self._theme, self._part, self._whole, self._tone)
        painter.end()
