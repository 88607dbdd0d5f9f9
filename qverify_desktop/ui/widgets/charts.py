"""Small painted charts. Each is a function that a delegate can call and a widget whose accessible text holds the values."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from qverify_desktop.domain.trend import scale
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.widgets import painting
from qverify_desktop.ui.widgets.words import share

BAR_HEIGHT = 6

Share = int | None
#: Amount, colour token and word of one part of a stacked bar.
Part = tuple[int, str, str]


def paint_sparkline(painter: QPainter, rect: QRect, theme: Theme, values: Sequence[Share]) -> None:
    """A trend of thousandths, oldest first, with a dot at the newest. Unknown values leave a gap."""
    known = [value for value in values if value is not None]
    if not known:
        return
    low, high = scale(known)
    dot = 2.5 * theme.zoom
    inner = QRectF(rect).adjusted(1, dot + 1, -dot - 1, -dot - 1)
    step = inner.width() / max(1, len(values) - 1)
    path, last, joined = QPainterPath(), QPointF(), False
    for number, value in enumerate(values):
        if value is None:
            joined = False
            continue
        x = inner.left() + number * step if len(values) > 1 else inner.right()
        last = QPointF(x, inner.bottom() - (value - low) / (high - low) * inner.height())
        (path.lineTo if joined else path.moveTo)(last)
        joined = True
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    pen = QPen(theme.colour("series-1"), 1.5 * theme.zoom)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    painter.strokePath(path, pen)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.colour("series-1"))
    painter.drawEllipse(last, dot, dot)
    painter.restore()


def words_of_trend(values: Sequence[Share]) -> str:
    """A trend in words, oldest first."""
    return tr("{n} values, oldest first: {values}", n=len(values), values=", ".join(share(value) for value in values))


def paint_before_after(painter: QPainter, rect: QRect, theme: Theme, before: Share, after: Share) -> None:
    """A bar filled up to ``after`` with a tick at ``before``, both in thousandths; only the track for unknown ones."""
    height = theme.px(BAR_HEIGHT)
    top = rect.top() + (rect.height() - height) // 2
    track = QRectF(rect.left(), top, rect.width(), height)
    painting.fill(painter, theme, track, "track", 3)
    if after:
        filled = QRectF(track)
        filled.setWidth(max(float(height), track.width() * min(after, 1000) / 1000))
        painting.fill(painter, theme, filled, "series-1", 3)
    if before is not None:
        width = max(2, theme.px(2))
        at = min(track.right() - width, max(track.left(), track.left() + track.width() * before / 1000 - width / 2))
        over = theme.px(3)
        painter.fillRect(QRectF(round(at), top - over, width, height + 2 * over), theme.colour("text"))


def words_of_before_after(before: Share, after: Share) -> str:
    """Both values in words."""
    if before is None:
        return share(after)
    return tr("{after}, before {before}", after=share(after), before=share(before))


def paint_stacked(painter: QPainter, rect: QRect, theme: Theme, parts: Sequence[Part]) -> None:
    """Parts of a whole side by side; every part that is not 0 stays visible."""
    height, gap = theme.px(BAR_HEIGHT), max(1, theme.px(2))
    top = rect.top() + (rect.height() - height) // 2
    shown = [part for part in parts if part[0] > 0]
    if not shown:
        painting.fill(painter, theme, QRectF(rect.left(), top, rect.width(), height), "track", 3)
        return
    least = theme.px(4)
    room = rect.width() - gap * (len(shown) - 1) - least * len(shown)
    total, left = sum(part[0] for part in shown), float(rect.left())
    for amount, token, _ in shown:
        width = least + max(0, room) * amount / total
        painting.fill(painter, theme, QRectF(left, top, width, height), token, 2)
        left += width + gap


def words_of_parts(parts: Sequence[Part]) -> str:
    """The parts in words: "41 kept, 4 defects, 23 refused"."""
    return ", ".join(f"{amount:,} {word}" for amount, _, word in parts)


class _Chart(QWidget):
    """A chart for a layout. ``name`` says what it shows; its values are its accessible description and tooltip."""

    def __init__(self, theme: Theme, name: str, width: int, height: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._hint = theme, (width, height)
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.updateGeometry)

    def _tell(self, words: str) -> None:
        self.setAccessibleDescription(words)
        self.setToolTip(words)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(self._hint[0]), self._theme.px(self._hint[1]))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(40), self._theme.px(self._hint[1]))

    def draw(self, painter: QPainter) -> None:
        raise NotImplementedError

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self.draw(painter)
        painter.end()


class Sparkline(_Chart):
    """A trend of shares in thousandths."""

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, name, 96, 24, parent)
        self._values: tuple[Share, ...] = ()

    def show_values(self, values: Sequence[Share]) -> None:
        self._values = tuple(values)
        self._tell(words_of_trend(values))

    def draw(self, painter: QPainter) -> None:
        paint_sparkline(painter, self.rect(), self._theme, self._values)


class BeforeAfterBar(_Chart):
    """6 px high, with a tick at the value before."""

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, name, 160, 12, parent)
        self._before: Share = None
        self._after: Share = None

    def show_values(self, before: Share, after: Share) -> None:
        """Thousandths; ``before`` is ``None`` where there is nothing to compare with."""
        self._before, self._after = before, after
        self._tell(words_of_before_after(before, after))

    def draw(self, painter: QPainter) -> None:
        paint_before_after(painter, self.rect(), self._theme, self._before, self._after)


class StackedBar(_Chart):
    """Parts of a whole side by side, 6 px high; the words that name the parts stand beside it on the page."""

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, name, 160, 12, parent)
        self._parts: tuple[Part, ...] = ()

    def show_parts(self, parts: Sequence[Part]) -> None:
        """(amount, colour token, word)."""
        self._parts = tuple(parts)
        self._tell(words_of_parts(parts))

    def draw(self, painter: QPainter) -> None:
        paint_stacked(painter, self.rect(), self._theme, self._parts)
