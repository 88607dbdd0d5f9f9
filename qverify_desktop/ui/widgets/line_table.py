"""Lines of a log or a diff: one column, rows of equal height unless said otherwise, a million of them.

A ``QTableView`` and no ``QListView``: measured with a million rows, a list view lays all of them out again for each line that
is appended (0.9 s), a table does not (1.5 ms).
"""

from __future__ import annotations

import re

from PySide6.QtCore import (
    QAbstractItemModel,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QKeySequence, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from qverify_desktop.ui.theme import Theme, tokens
from qverify_desktop.ui.widgets import painting

Index = QModelIndex | QPersistentModelIndex


class LineTable(QTableView):
    """The column is as wide as the widest line that was seen, and never narrower than the view. ``copy_wanted`` is Ctrl+C."""

    copy_wanted = Signal()

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        """``name`` is its accessible name."""
        super().__init__(parent)
        self._theme = theme
        self._lines_width = 0
        self.setObjectName("lines")
        self.setAccessibleName(name)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        for header in (self.horizontalHeader(), self.verticalHeader()):
            header.setVisible(False)
            header.setMinimumSectionSize(1)
            header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        theme.changed.connect(self._restyle)
        self._restyle()

    @property
    def row_height(self) -> int:
        """Pixels of an ordinary row: a line of code."""
        return self._theme.px(tokens()["type"]["code"]["line"])

    def choose(self, row: int) -> None:
        """Make a row current and the only selected one, and bring it into view, in the middle unless it is there already."""
        index = self.model().index(row, 0)
        if not index.isValid():
            return
        flags = QItemSelectionModel.SelectionFlag
        hint = QAbstractItemView.ScrollHint
        first, last = self.rows_in_view()
        self.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
        self.scrollTo(index, hint.EnsureVisible if first < row < last else hint.PositionAtCenter)

    def rows_in_view(self) -> tuple[int, int]:
        """First and last row of which something is seen; (0, -1) without rows."""
        if not self.model() or not self.model().rowCount():
            return 0, -1
        first, last = self.rowAt(0), self.rowAt(self.viewport().height() - 1)
        return max(0, first), last if last >= 0 else self.model().rowCount() - 1

    def selected_rows(self) -> list[tuple[int, int]]:
        """(first, last) of each selected stretch, in order. A stretch of a million is two numbers."""
        if self.selectionModel() is None:
            return []
        selection = self.selectionModel().selection()
        return sorted((selection.at(n).top(), selection.at(n).bottom()) for n in range(selection.count()))

    def widen(self, width: int) -> None:
        """A line of this width was seen."""
        if width > self._lines_width:
            self._lines_width = width
            self._fit_column()

    def forget_width(self) -> None:
        """Other lines are shown."""
        self._lines_width = 0
        self._fit_column()

    def setModel(self, model: QAbstractItemModel | None) -> None:
        super().setModel(model)
        self._fit_column()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_column()

    def scrollTo(
        self, index: Index, hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible
    ) -> None:
        # Qt would also scroll sideways, to the middle of a line that is wider than the view.
        sideways = self.horizontalScrollBar().value()
        super().scrollTo(index, hint)
        self.horizontalScrollBar().setValue(sideways)

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        super().scrollContentsBy(dx, dy)
        if dx:
            # Delegates keep the numbers at the left edge, so pixels that were moved are wrong.
            self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_wanted.emit()
        elif event.key() == Qt.Key.Key_Home:
            self.choose(0)
        elif event.key() == Qt.Key.Key_End:
            self.choose(self.model().rowCount() - 1)
        else:
            self._begin_in_view(event.key())
            super().keyPressEvent(event)

    def _begin_in_view(self, key: int) -> None:
        """Keys go on from what is seen: Qt would go on from a current row that was scrolled away, or from the first row."""
        first, last = self.rows_in_view()
        row = {Qt.Key.Key_Up: first, Qt.Key.Key_PageUp: first, Qt.Key.Key_Down: last, Qt.Key.Key_PageDown: last}.get(
            Qt.Key(key)
        )
        if row is not None and last >= first and not first <= self.currentIndex().row() <= last:
            flags = QItemSelectionModel.SelectionFlag
            self.selectionModel().setCurrentIndex(self.model().index(row, 0), flags.NoUpdate)

    def sizeHintForColumn(self, column: int) -> int:
        # Qt would ask the delegate for the rows in view.
        return self._lines_width

    def _fit_column(self) -> None:
        if self.model() is not None:
            self.setColumnWidth(0, max(self._lines_width, self.viewport().width()))

    def _restyle(self) -> None:
        self.verticalHeader().setDefaultSectionSize(self.row_height)
        self._lines_width = 0
        self._fit_column()
        self.viewport().update()


class LineDelegate(QStyledItemDelegate):
    """What the delegates of lines share. Rows may be wider than the view: what is painted at ``x`` from 0 on instead of from
    the row's left edge stays in its place when the view scrolls sideways."""

    def __init__(self, theme: Theme, view: LineTable) -> None:
        super().__init__(view)
        self._theme, self._view = theme, view
        self.pattern: re.Pattern[str] | None = None

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(0, self._view.row_height)

    def across(self, option: QStyleOptionViewItem) -> QRect:
        """The part of a row that is in view, whatever was scrolled sideways."""
        rect: QRect = option.rect
        return QRect(0, rect.top(), self._view.viewport().width(), rect.height())

    def is_selected(self, option: QStyleOptionViewItem) -> bool:
        return bool(option.state & QStyle.StateFlag.State_Selected)

    def paint_ring(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """The focus ring, when this is the current row of the view that has the focus."""
        if self._view.hasFocus() and index.row() == self._view.currentIndex().row():
            painting.ring(painter, self._theme, self.across(option))

    def paint_code(self, painter: QPainter, rect: QRect, text: str, token: str) -> None:
        """A line in the font of code from the left edge of ``rect`` on, with the hits of the search marked. The view learns
        how wide it must be."""
        metrics = self._theme.metrics("code")
        for hit in self.pattern.finditer(text) if self.pattern else ():
            left = rect.left() + metrics.horizontalAdvance(text[: hit.start()])
            width = metrics.horizontalAdvance(hit[0])
            painter.fillRect(QRect(left, rect.top(), width, rect.height()), self._theme.colour("match-bg"))
        painter.setFont(self._theme.font("code"))
        painter.setPen(self._theme.colour(token))
        top = rect.top() + (rect.height() - metrics.height()) // 2
        painter.drawText(rect.left(), top + metrics.ascent(), text)


def search_pattern(wanted: str) -> re.Pattern[str] | None:
    """What finds these words in any case, ``None`` for no words."""
    return re.compile(re.escape(wanted), re.IGNORECASE) if wanted else None
