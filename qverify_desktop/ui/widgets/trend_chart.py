"""A trend over runs: one line a series, on a scale of at least 12 points, so that noise stays flat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from qverify_desktop.domain.trend import rounded_scale
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.widgets import painting
from qverify_desktop.ui.widgets.words import change, change_token, share

SERIES = ("series-1", "series-2", "series-3")
#: Pens differ too: whole, dashed, dotted.
DASHES: tuple[tuple[float, ...], ...] = ((), (4.0, 3.0), (1.0, 2.5))
#: Heights at 100 %: the chart, the line of the legend, the labels below.
HEIGHT, LEGEND, LABELS = 168, 24, 24
#: The sample of a line in the legend.
SAMPLE = 18


@dataclass(frozen=True)
class Point:
    """One run: a short label, its words, and a share in thousandths for each series (``None`` where it is unknown)."""

    label: str
    name: str
    values: tuple[int | None, ...]


class TrendChart(QWidget):
    """Lines over labels, with a legend that says the newest value and its change since the run before.

    The keyboard walks from run to run; ``pointed`` is emitted with the number of the one that it reaches or that is pressed.
    """

    pointed = Signal(int)

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._points: tuple[Point, ...] = ()
        self._series: tuple[str, ...] = ()
        self._at = -1
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.updateGeometry)

    def show_points(self, points: Sequence[Point], series: Sequence[str]) -> None:
        """Runs from the oldest to the newest; ``series`` names their values."""
        self._points, self._series, self._at = tuple(points), tuple(series), -1
        self.setAccessibleDescription(
            "; ".join(self.words_of(n) for n in range(len(points))) or tr("nothing to show")
        )
        self.update()

    def words_of(self, number: int) -> str:
        """A run in words: "12 Nov, 10:42: Lines 88.6 %, Mutants 81.3 %"."""
        point = self._points[number]
        parts = [f"{name} {share(value)}" for name, value in zip(self._series, point.values, strict=True)]
        return f"{point.name}: {', '.join(parts)}"

    def place_of(self, number: int, series: int) -> QPointF | None:
        """Where a value stands; ``None`` for an unknown one."""
        value = self._points[number].values[series]
        if value is None:
            return None
        plot, (low, high) = self._plot()
        y = plot.bottom() - (value - low) / (high - low) * plot.height()
        return QPointF(self._x(plot, number), y)

    def _x(self, plot: QRectF, number: int) -> float:
        if len(self._points) == 1:
            return plot.center().x()
        return plot.left() + plot.width() * number / (len(self._points) - 1)

    def _number_at(self, x: float) -> int:
        plot, _ = self._plot()
        if len(self._points) < 2:
            return 0
        step = plot.width() / (len(self._points) - 1)
        return min(len(self._points) - 1, max(0, round((x - plot.left()) / step)))

    def _range(self) -> tuple[int, int]:
        return rounded_scale([value for point in self._points for value in point.values if value is not None])

    def _plot(self) -> tuple[QRectF, tuple[int, int]]:
        px = self._theme.px
        words = painting.width_of(self._theme, _told(1000), "caption") + px(12)
        plot = QRectF(self.rect()).adjusted(words, px(LEGEND + 8), -px(8), -px(LABELS))
        return plot, self._range()

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self._paint_legend(painter)
        if self._points:
            plot, limits = self._plot()
            self._paint_grid(painter, plot, limits)
            for series in range(len(self._series)):
                self._paint_line(painter, series)
            self._paint_labels(painter, plot)
            if self.hasFocus() and self._at >= 0:
                x = round(self._x(plot, self._at))
                around = QRect(x - self._theme.px(8), round(plot.top()), self._theme.px(16), round(plot.height()))
                painting.ring(painter, self._theme, around)
        if self.hasFocus() and self._at < 0:
            painting.ring(painter, self._theme, self.rect())
        painter.end()

    def _paint_legend(self, painter: QPainter) -> None:
        theme, px, left = self._theme, self._theme.px, 0
        for series, name in enumerate(self._series):
            middle = px(LEGEND) / 2
            self._pen(painter, series)
            painter.drawLine(QPointF(left, middle), QPointF(left + px(SAMPLE), middle))
            left += px(SAMPLE) + px(8)
            for words, role, token in self._newest(series, name):
                box = QRect(left, 0, max(0, self.width() - left), px(LEGEND))
                left += painting.text(painter, theme, box, words, role, token) + px(6)
            left += px(18)

    def _newest(self, series: int, name: str) -> list[tuple[str, str, str]]:
        known = [point.values[series] for point in self._points if point.values[series] is not None]
        told = [(name, "small", "text-muted")]
        if known:
            told.append((share(known[-1]), "strong", "text"))
        if len(known) > 1:
            told.append((change(known[-2], known[-1]), "small", change_token(known[-2], known[-1])))
        return told

    def _paint_grid(self, painter: QPainter, plot: QRectF, limits: tuple[int, int]) -> None:
        px, (low, high) = self._theme.px, limits
        for value in (low, (low + high) // 2, high):
            y = round(plot.bottom() - plot.height() * (value - low) / (high - low))
            token = "border-strong" if value == low else "border"
            painter.fillRect(QRect(round(plot.left()), y, round(plot.width()), 1), self._theme.colour(token))
            box = QRect(0, y - px(8), round(plot.left()) - px(12), px(16))
            painting.text(painter, self._theme, box, _told(value), "caption", "text-muted", painting.RIGHT)

    def _pen(self, painter: QPainter, series: int) -> None:
        pen = QPen(self._theme.colour(SERIES[series % len(SERIES)]), 1.75 * self._theme.zoom)
        dashes = DASHES[series % len(DASHES)]
        if dashes:
            pen.setDashPattern(list(dashes))
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)

    def _paint_line(self, painter: QPainter, series: int) -> None:
        path, joined, dots = QPainterPath(), False, []
        for number in range(len(self._points)):
            place = self.place_of(number, series)
            if place is None:
                joined = False
                continue
            (path.lineTo if joined else path.moveTo)(place)
            joined = True
            dots.append(place)
        self._pen(painter, series)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(path)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour(SERIES[series % len(SERIES)]))
        for dot in dots:
            size = (3.5 if dot is dots[-1] else 2.5) * self._theme.zoom
            painter.drawEllipse(dot, size, size)

    def _paint_labels(self, painter: QPainter, plot: QRectF) -> None:
        """The oldest and the newest always; those between where there is room."""
        px, last = self._theme.px, len(self._points) - 1
        end = self._label_box(plot, last)
        free = 0
        for number in range(last):
            box = self._label_box(plot, number)
            if box.left() < free or box.right() + px(12) > end.left():
                continue
            painting.text(painter, self._theme, box, self._points[number].label, "caption", "text-muted")
            free = box.right() + px(12)
        painting.text(painter, self._theme, end, self._points[last].label, "caption", "text-muted")

    def _label_box(self, plot: QRectF, number: int) -> QRect:
        px = self._theme.px
        width = painting.width_of(self._theme, self._points[number].label, "caption")
        left = round(self._x(plot, number) - width / 2)
        left = max(0, min(left, self.width() - width))
        return QRect(left, round(plot.bottom()) + px(6), width, px(16))

    # Keyboard and mouse

    def keyPressEvent(self, event: QKeyEvent) -> None:
        last = len(self._points) - 1
        wanted = {
            Qt.Key.Key_Left: last if self._at < 0 else max(0, self._at - 1),
            Qt.Key.Key_Right: min(last, self._at + 1),
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: last,
        }.get(Qt.Key(event.key()))
        if wanted is None or last < 0:
            super().keyPressEvent(event)
            return
        self._at = wanted
        plot, _ = self._plot()
        at = QPointF(self._x(plot, wanted), plot.top()).toPoint()
        QToolTip.showText(self.mapToGlobal(at), self.words_of(wanted), self)
        self.pointed.emit(wanted)
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton and self._points:
            self.pointed.emit(self._number_at(event.position().x()))
        super().mousePressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._at = -1
        super().focusOutEvent(event)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip and self._points:
            QToolTip.showText(event.globalPos(), self.words_of(self._number_at(event.pos().x())), self)
            return True
        return super().event(event)

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(480), self._theme.px(HEIGHT))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(200), self._theme.px(HEIGHT))


def _told(value: int) -> str:
    return f"{value // 10} %"
