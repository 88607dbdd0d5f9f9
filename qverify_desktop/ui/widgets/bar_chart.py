"""A bar chart with a labelled scale: series stand on each other and differ by colour and by hatch."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QHelpEvent, QKeyEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from qverify_desktop.ui.language import tr
from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.widgets import painting

#: Colours of series; every second one is hatched.
SERIES = ("series-1", "series-2", "series-3", "series-4")
HEIGHT, LABELS, TOP = 200, 24, 12
#: Widest bar and least gap at 100 %.
WIDEST, GAP = 14, 2


@dataclass(frozen=True)
class Bar:
    """One place of the chart: a label below (empty where the scale has none) and an amount for each series."""

    label: str
    amounts: tuple[float, ...]
    name: str = ""


def round_steps(most: float, wanted: int = 4) -> list[float]:
    """Values of grid lines from 0 up: about so many, at 1, 2 or 5 times a power of ten, the last not below ``most``."""
    if most <= 0:
        return [0.0, 1.0]
    rough = most / wanted
    power: float = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    return [round(step * n, 12) for n in range(math.ceil(most / step - 1e-9) + 1)]


def hatch(painter: QPainter, rect: QRectF, theme: Theme, token: str) -> None:
    """Slanted lines within an outline of the same colour."""
    path = QPainterPath()
    path.addRoundedRect(rect, 2, 2)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setClipPath(path)
    step = max(4.0, 4.5 * theme.zoom)
    painter.setPen(QPen(theme.colour(token), max(1.5, 2.0 * theme.zoom)))
    x = rect.left() - rect.height()
    while x < rect.right():
        painter.drawLine(QPointF(x, rect.bottom()), QPointF(x + rect.height(), rect.top()))
        x += step
    painter.setClipping(False)
    painter.setPen(QPen(theme.colour(token), max(1.0, theme.zoom)))
    painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), 2, 2)
    painter.restore()


def paint_key(painter: QPainter, rect: QRectF, theme: Theme, series: int) -> None:
    """The square of a series in a legend."""
    token = SERIES[series % len(SERIES)]
    if series % 2:
        hatch(painter, rect, theme, token)
    else:
        painting.fill(painter, theme, rect, token, 2)


class Legend(QWidget):
    """The names of the series with their squares, in one line that is cut when there is no room."""

    def __init__(self, theme: Theme, names: Sequence[str] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._names = theme, tuple(names)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.updateGeometry)

    def show_names(self, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self.setAccessibleName(tr("Series: {names}", names=", ".join(names)))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        px = self._theme.px
        widths = [painting.width_of(self._theme, name, "small") + px(18 + 16) for name in self._names]
        return QSize(max(0, sum(widths) - px(16)), px(16))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(60), self._theme.px(16))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, px, left = QPainter(self), self._theme.px, 0
        for number, name in enumerate(self._names):
            size = px(10)
            paint_key(painter, QRectF(left, (self.height() - size) / 2, size, size), self._theme, number)
            box = QRect(left + px(16), 0, self.width() - left - px(16), self.height())
            left += px(16) + painting.text(painter, self._theme, box, name, "small", "text-muted") + px(16)
        painter.end()


class BarChart(QWidget):
    """Bars over labels. The keyboard walks from bar to bar; a bar's values are its tooltip and are spoken.

    ``told`` tells an amount ("$0.40"), ``axis`` one of the scale, where that has to be shorter. ``pointed`` is emitted with a
    bar's number when the keyboard reaches it. A bar without amounts is one that is not known.
    """

    pointed = Signal(int)

    def __init__(
        self,
        theme: Theme,
        name: str,
        told: Callable[[float], str],
        parent: QWidget | None = None,
        *,
        height: int = HEIGHT,
        axis: Callable[[float], str] | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme, self._told, self._axis, self._height = theme, told, axis or told, height
        self._bars: tuple[Bar, ...] = ()
        self._series: tuple[str, ...] = ()
        self._at = -1
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.updateGeometry)

    def show_bars(self, bars: Sequence[Bar], series: Sequence[str]) -> None:
        """Bars from left to right; ``series`` names their amounts."""
        self._bars, self._series, self._at = tuple(bars), tuple(series), -1
        self.setAccessibleDescription("; ".join(self.words_of(n) for n in range(len(bars))) or tr("nothing to show"))
        self.update()

    def words_of(self, number: int) -> str:
        """A bar in words: "12 Nov: azure/gpt-4.1 $0.31, local free"."""
        bar = self._bars[number]
        parts = [
            f"{name} {self._told(amount)}" for name, amount in zip(self._series, bar.amounts, strict=False) if amount
        ]
        nothing = self._told(0) if bar.amounts else tr("unknown")
        return f"{bar.name or bar.label}: {', '.join(parts) or nothing}"

    def bar_rect(self, number: int) -> QRect:
        """Where a bar stands, from the ground to its top."""
        plot, steps = self._plot()
        slot = plot.width() / max(1, len(self._bars))
        width = max(1.0, min(self._theme.px(WIDEST), slot - self._theme.px(GAP)))
        height = plot.height() * sum(self._bars[number].amounts) / steps[-1]
        left = plot.left() + slot * number + (slot - width) / 2
        return QRectF(left, plot.bottom() - height, width, height).toRect()

    def _plot(self) -> tuple[QRectF, list[float]]:
        px = self._theme.px
        steps = round_steps(max((sum(bar.amounts) for bar in self._bars), default=0))
        scale = max(painting.width_of(self._theme, self._axis(step), "caption") for step in steps) + px(8)
        return QRectF(self.rect()).adjusted(scale, px(TOP), -px(4), -px(LABELS)), steps

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        plot, steps = self._plot()
        self._paint_grid(painter, plot, steps)
        for number, bar in enumerate(self._bars):
            self._paint_bar(painter, plot, steps[-1], number, bar)
        self._paint_labels(painter, plot)
        if self.hasFocus() and self._at < 0:
            painting.ring(painter, self._theme, self.rect())
        painter.end()

    def _paint_grid(self, painter: QPainter, plot: QRectF, steps: Sequence[float]) -> None:
        px = self._theme.px
        for step in steps:
            y = round(plot.bottom() - plot.height() * step / steps[-1])
            token = "border-strong" if step == 0 else "border"
            painter.fillRect(QRect(round(plot.left()), y, round(plot.width()), 1), self._theme.colour(token))
            box = QRect(0, y - px(8), round(plot.left()) - px(8), px(16))
            painting.text(painter, self._theme, box, self._axis(step), "caption", "text-muted", painting.RIGHT)

    def _paint_bar(self, painter: QPainter, plot: QRectF, top: float, number: int, bar: Bar) -> None:
        whole, bottom = QRectF(self.bar_rect(number)), plot.bottom()
        gap = self._theme.px(2)
        for series, amount in enumerate(bar.amounts):
            height = plot.height() * amount / top
            if height <= 0:
                continue
            rect = QRectF(whole.left(), bottom - max(2.0, height), whole.width(), max(2.0, height))
            bottom = rect.top()
            if series and rect.height() > gap + 2:
                rect.setBottom(rect.bottom() - gap)
            paint_key(painter, rect, self._theme, series)
        if number == self._at and self.hasFocus():
            slot = QRectF(whole.left(), plot.top(), whole.width(), plot.height())
            painting.ring(painter, self._theme, slot.toRect().adjusted(-3, -3, 3, 3))

    def _paint_labels(self, painter: QPainter, plot: QRectF) -> None:
        px, free = self._theme.px, 0
        slot = plot.width() / max(1, len(self._bars))
        for number, bar in enumerate(self._bars):
            if not bar.label:
                continue
            width = painting.width_of(self._theme, bar.label, "caption")
            left = round(plot.left() + slot * (number + 0.5) - width / 2)
            left = max(0, min(left, self.width() - width))
            # A label that would touch the one before is left out; the tooltip still has it.
            if left < free:
                continue
            box = QRect(left, round(plot.bottom()) + px(6), width, px(16))
            painting.text(painter, self._theme, box, bar.label, "caption", "text-muted")
            free = left + width + px(8)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        last = len(self._bars) - 1
        wanted = {
            Qt.Key.Key_Left: max(0, self._at - 1),
            Qt.Key.Key_Right: min(last, self._at + 1),
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: last,
        }.get(Qt.Key(event.key()))
        if wanted is None or last < 0:
            super().keyPressEvent(event)
            return
        self._at = wanted
        QToolTip.showText(self.mapToGlobal(self.bar_rect(wanted).topLeft()), self.words_of(wanted), self)
        self.pointed.emit(wanted)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._at = -1
        super().focusOutEvent(event)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            plot, _ = self._plot()
            number = int((event.pos().x() - plot.left()) // (plot.width() / max(1, len(self._bars))))
            if 0 <= number < len(self._bars):
                QToolTip.showText(event.globalPos(), self.words_of(number), self)
                return True
        return super().event(event)

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(480), self._theme.px(self._height))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(200), self._theme.px(self._height))
