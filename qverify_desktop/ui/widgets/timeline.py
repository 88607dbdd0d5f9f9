"""The stages of a run from top to bottom, joined by a line: shape, title, a remark below, elapsed time at the right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from qverify_desktop.ui.language import later
from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.widgets import painting
from qverify_desktop.ui.widgets.filtered import VALUE, FilteredModel, Index
from qverify_desktop.ui.widgets.spinner import Turning
from qverify_desktop.ui.widgets.words import Look

HEIGHT, SIDE = 56, 16

STATES: Mapping[str, Look] = {
    "done": Look("circle-check", "success", later("done")),
    "now": Look("ring-arc", "accent-text", later("running")),
    "warning": Look("triangle-alert", "warning", later("done, with a warning")),
    "next": Look("ring-dashed", "text-muted", later("not yet")),
    "cancelled": Look("square-stop", "warning", later("cancelled")),
    "failed": Look("square-x", "danger", later("failed")),
}


@dataclass(frozen=True)
class Stop:
    """A stage: ``key`` identifies it, ``state`` is a name of ``STATES``, ``elapsed`` a told time or empty."""

    key: str
    title: str
    state: str = "next"
    detail: str = ""
    elapsed: str = ""

    def words(self) -> str:
        """What a screen reader says."""
        parts = (self.title, STATES[self.state].text(), self.detail, self.elapsed)
        return painting.one_line(", ".join(part for part in parts if part))


class _Stops(FilteredModel[Stop]):
    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(lambda stop: stop.key, lambda stop: stop.title, parent)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        stop = self.value_at(index.row())
        if role == VALUE:
            return stop
        if role == Qt.ItemDataRole.DisplayRole:
            return painting.one_line(stop.title)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return stop.words()
        return painting.one_line(stop.detail) or None if role == Qt.ItemDataRole.ToolTipRole else None


class TimelineDelegate(QStyledItemDelegate):
    """Paints a stop and the line that joins it to the next."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(self._theme.px(120), self._theme.px(HEIGHT))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        stop: Stop | None = index.data(VALUE)
        if stop is None:
            return
        theme, px = self._theme, self._theme.px
        rect: QRect = option.rect
        painter.save()
        look = STATES[stop.state]
        left, top = rect.left() + px(SIDE), rect.top() + px(8)
        painting.icon(painter, theme, look.icon, look.token, left, top)
        if index.row() < index.model().rowCount() - 1:
            line = QRect(left + px(8), top + px(20), max(1, px(1)), px(HEIGHT) - px(24))
            painter.fillRect(line, theme.colour("border-strong"))
        words = left + px(28)
        right = rect.right() + 1 - px(SIDE)
        time_width = painting.width_of(theme, stop.elapsed, "small")
        time_box = QRect(right - time_width, top - px(2), time_width, px(20))
        painting.text(painter, theme, time_box, stop.elapsed, "small", "text-muted", painting.RIGHT)
        title_box = QRect(words, top - px(2), right - time_width - px(8) - words, px(20))
        role = "strong" if stop.state == "now" else "body"
        painting.text(painter, theme, title_box, stop.title, role, "text-muted" if stop.state == "next" else "text")
        below = QRect(words, top + px(17), right - words, px(18))
        painting.text(painter, theme, below, stop.detail, "small", "text-muted")
        if option.state & QStyle.StateFlag.State_HasFocus:
            painting.ring(painter, theme, rect)
        painter.restore()


class Timeline(QListView):
    """Stops in their order. It is read, not chosen from; the keyboard walks through it."""

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.stops = _Stops(self)
        self.setProperty("plain", "true")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName(name)
        self.setModel(self.stops)
        self.setItemDelegate(TimelineDelegate(theme, self))
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.turning = Turning(self.viewport())
        theme.changed.connect(self.scheduleDelayedItemsLayout)

    def fill(self, stops: Sequence[Stop]) -> None:
        """Show these stops; only rows that differ are painted again."""
        self.stops.fill(stops)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        self.turning.after_paint()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(240), self.stops.rowCount() * self._theme.px(HEIGHT))
