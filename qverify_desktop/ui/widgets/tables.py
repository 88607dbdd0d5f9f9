"""Tables: no grid, whole rows, sortable headers, columns that share the width, cells that may paint themselves."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from PySide6.QtCore import QEvent, QItemSelectionModel, QModelIndex, QObject, QRect, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QToolTip,
    QWidget,
)

from qverify_desktop.ui.language import tr
from qverify_desktop.ui.theme import Theme, tokens
from qverify_desktop.ui.widgets import painting
from qverify_desktop.ui.widgets.filtered import VALUE, Index, KeepSelection
from qverify_desktop.ui.widgets.spinner import Turning
from qverify_desktop.ui.widgets.table_model import Column, Icon, Paint, TableModel

__all__ = ["VALUE", "Column", "Icon", "Paint", "Table", "TableDelegate", "TableHeader", "TableModel", "set_up"]

#: Space left and right in a cell.
PADDING = 8


class TableDelegate(QStyledItemDelegate):
    """Paints cells: no grid, a 1 px line below, icon, text, badge, second line, or what the column paints itself."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model, view = index.model(), option.widget
        if not isinstance(model, TableModel):
            return
        column, value = model.columns[index.column()], model.value_at(index.row())
        rect: QRect = option.rect
        painter.save()
        painting.underline(painter, self._theme, rect)
        if isinstance(view, Table) and view.hovered_row == index.row():
            option.state |= QStyle.StateFlag.State_MouseOver
        else:
            option.state &= ~QStyle.StateFlag.State_MouseOver
        painting.row_background(painter, self._theme, option)
        inner = self._inner(rect, index)
        painter.setClipRect(rect)
        if column.paint is not None:
            column.paint(painter, inner, value, self._theme)
        else:
            self._paint_text(painter, inner, column, value)
        painter.restore()

    def _inner(self, rect: QRect, index: Index) -> QRect:
        px = self._theme.px
        first, last = index.column() == 0, index.column() == index.model().columnCount() - 1
        return rect.adjusted(px(16 if first else PADDING), 0, -px(16 if last else PADDING), -1)

    def _paint_text(self, painter: QPainter, rect: QRect, column: Column[Any], value: Any) -> None:
        theme, px = self._theme, self._theme.px
        found = column.icon(value) if column.icon else None
        if found is not None:
            painting.icon(painter, theme, found[0], found[1], rect.left(), rect.top() + (rect.height() - px(16)) / 2)
        if column.icon is not None:
            rect = rect.adjusted(px(24), 0, 0, 0)
        align = painting.RIGHT if column.right else painting.LEFT
        elide = painting.MIDDLE if column.path else painting.END
        detail = column.detail(value) if column.detail else ""
        if detail:
            middle = rect.top() + rect.height() // 2
            below = QRect(rect.left(), middle, rect.width(), px(18))
            painting.text(painter, theme, below, detail, "small", "text-muted", align, painting.MIDDLE)
            rect = QRect(rect.left(), middle - px(19), rect.width(), px(20))
        badge = column.badge(value) if column.badge else ""
        space = painting.width_of(theme, badge, "small") + px(8) if badge else 0
        used = painting.text(
            painter,
            theme,
            rect.adjusted(0, 0, -min(space, rect.width() // 2), 0),
            column.text(value),
            column.font_of(value),
            column.token_of(value),
            align,
            elide,
        )
        if badge:
            painting.text(painter, theme, rect.adjusted(used + px(8), 0, 0, 0), badge, "small", "text-muted")

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(0, 0)

    def helpEvent(
        self, event: QHelpEvent, view: QAbstractItemView, option: QStyleOptionViewItem, index: Index
    ) -> bool:
        """A text that is cut shows itself, unless its column has a tooltip."""
        model = index.model()
        if not isinstance(model, TableModel) or event.type() is not QEvent.Type.ToolTip:
            return super().helpEvent(event, view, option, index)
        column, value = model.columns[index.column()], model.value_at(index.row())
        if column.tip is not None:
            return super().helpEvent(event, view, option, index)
        width = self._inner(option.rect, index).width() - (self._theme.px(24) if column.icon else 0)
        whole = [column.text(value), column.detail(value) if column.detail else ""]
        cut = column.paint is None and (
            painting.width_of(self._theme, whole[0], column.font_of(value)) > width
            or painting.width_of(self._theme, whole[1], "small") > width
        )
        words = "\n".join(painting.one_line(part) for part in whole if part)
        QToolTip.showText(event.globalPos(), words if cut or column.paint is not None else "", view)
        return True


class TableHeader(QHeaderView):
    """Column headers: caption type, the words where the cells' words are, an arrow at the column that gives the order."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._theme = theme
        self.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.setHighlightSections(False)
        self.setMinimumSectionSize(1)

    def paintSection(self, painter: QPainter, rect: QRect, section: int) -> None:
        theme, px, model = self._theme, self._theme.px, self.model()
        painter.fillRect(rect, theme.colour("surface-sunken"))
        painting.underline(painter, theme, rect)
        first, last = section == 0, section == model.columnCount() - 1
        inner = rect.adjusted(px(16 if first else PADDING), 0, -px(16 if last else PADDING), -1)
        words = str(model.headerData(section, Qt.Orientation.Horizontal) or "")
        right = bool(
            model.headerData(section, Qt.Orientation.Horizontal, Qt.ItemDataRole.TextAlignmentRole) & painting.RIGHT
        )
        sorted_by = self.isSortIndicatorShown() and self.sortIndicatorSection() == section
        space = px(16) if sorted_by else 0
        role, token = "caption", "text" if sorted_by else "text-muted"
        if right:
            painting.text(painter, theme, inner, words, role, token, painting.RIGHT)
            arrow = inner.right() + 1 - min(painting.width_of(theme, words, role), inner.width()) - px(15)
        else:
            arrow = (
                inner.left()
                + px(3)
                + painting.text(painter, theme, inner.adjusted(0, 0, -space, 0), words, role, token)
            )
        if sorted_by:
            up = self.sortIndicatorOrder() is Qt.SortOrder.AscendingOrder
            top = inner.top() + (inner.height() - px(12)) / 2
            painter.save()
            if not up:
                painter.translate(0, 2 * top + px(12))
                painter.scale(1, -1)
            painting.icon(painter, theme, "arrow-up", token, max(arrow, rect.left()), top, 12)
            painter.restore()


class Table(QTableView):
    """A table over a ``TableModel``. Rows are chosen as a whole. ``chosen`` gives the current value (or ``None``), ``opened``
    the one on which Enter was pressed or that was double-clicked."""

    chosen = Signal(object)
    opened = Signal(object)

    def __init__(
        self,
        theme: Theme,
        model: TableModel[Any],
        name: str,
        parent: QWidget | None = None,
        *,
        height: str | int = "default",
        plain: bool = False,
        header: bool = True,
    ) -> None:
        """``name`` is its accessible name. ``height`` of rows: a name of the token table ``row`` or pixels at 100 %."""
        super().__init__(parent)
        self.rows = model
        self.hovered_row = -1
        self._theme = theme
        self._height = height if isinstance(height, int) else int(tokens()["row"][height])
        self.setProperty("plain", "true" if plain else "false")
        self.setAccessibleName(name)
        set_up(self, theme, model)
        self.horizontalHeader().setVisible(header)
        self.horizontalHeader().setAccessibleName(tr("Columns of {table}", table=name))
        self._keep = KeepSelection(self, model)
        self._keep.lost.connect(self._lose)
        self._turning = Turning(self.viewport())
        self.doubleClicked.connect(self._open)
        theme.changed.connect(self._measure)
        self._measure()

    def value(self) -> Any:
        """The current value or ``None``."""
        index = self.currentIndex()
        return self.rows.value_of(index)

    def choose(self, key: Hashable) -> bool:
        """Make the value with this key current and selected; answers whether it is shown."""
        row = self.rows.row_of(key)
        if row < 0:
            return False
        flags = QItemSelectionModel.SelectionFlag
        index = self.rows.index(row, 0)
        self.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
        self.scrollTo(index)
        return True

    def height_of_all(self) -> int:
        """Pixels that all rows and the header take, for a table that does not scroll by itself."""
        header = self.horizontalHeader().height() if not self.horizontalHeader().isHidden() else 0
        return header + self.rows.rowCount() * self._theme.px(self._height) + 2 * self.frameWidth()

    def currentChanged(self, current: Index, previous: Index) -> None:
        super().currentChanged(current, previous)
        if current.row() != previous.row() or not current.isValid():
            self.chosen.emit(self.rows.value_of(current))

    def moveCursor(self, action: QAbstractItemView.CursorAction, modifiers: Qt.KeyboardModifier) -> QModelIndex:
        """Home and End go to the first and last row."""
        rows, column = self.rows.rowCount(), max(0, self.currentIndex().column())
        if action is QAbstractItemView.CursorAction.MoveHome and rows:
            return self.rows.index(0, column)
        if action is QAbstractItemView.CursorAction.MoveEnd and rows:
            return self.rows.index(rows - 1, column)
        return super().moveCursor(action, modifiers)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        control = event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not control:
            self._open(self.currentIndex())
            return
        super().keyPressEvent(event)

    def _lose(self) -> None:
        self.chosen.emit(None)

    def _open(self, index: QModelIndex) -> None:
        if index.isValid():
            self.opened.emit(self.rows.value_of(index))

    def _hover(self, row: int) -> None:
        if row != self.hovered_row:
            self.hovered_row = row
            self.viewport().update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        self._hover(self.rowAt(int(event.position().y())))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hover(-1)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        self._turning.after_paint()
        current = self.currentIndex()
        if self.hasFocus() and current.isValid():
            top = self.rowViewportPosition(current.row())
            painter = QPainter(self.viewport())
            painting.ring(painter, self._theme, QRect(0, top, self.viewport().width(), self.rowHeight(current.row())))
            painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_width()

    def _measure(self) -> None:
        rows, columns = self.verticalHeader(), self.horizontalHeader()
        rows.setMinimumSectionSize(1)
        rows.setDefaultSectionSize(self._theme.px(self._height))
        columns.setFixedHeight(self._theme.px(tokens()["row"]["table-header"]))
        self._share_width()

    def _share_width(self) -> None:
        """Give each column its width; those that stretch share what is left, and columns for wide tables hide."""
        width, px, columns = self.viewport().width(), self._theme.px, self.rows.columns
        shown = [number for number, column in enumerate(columns) if width >= px(column.from_width)]
        rest = width - sum(px(columns[number].width) for number in shown)
        weights = sum(columns[number].stretch for number in shown)
        header = self.horizontalHeader()
        for number, column in enumerate(columns):
            self.setColumnHidden(number, number not in shown)
            if number in shown:
                share = rest * column.stretch // weights if weights else 0
                # A table narrower than its columns takes from those that stretch, and scrolls below that.
                least = px(min(column.width, 48)) if column.stretch else px(column.width)
                header.resizeSection(number, max(least, px(column.width) + share))


def set_up(view: QTableView, theme: Theme, model: TableModel[Any]) -> None:
    """How every table looks and acts: no grid, whole rows, sortable headers, columns that share the width."""
    header = TableHeader(theme, view)
    view.setHorizontalHeader(header)
    view.setModel(model)
    view.setItemDelegate(TableDelegate(theme, view))
    view.setShowGrid(False)
    view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    view.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    view.setWordWrap(False)
    view.setTabKeyNavigation(False)
    view.setCornerButtonEnabled(False)
    view.setMouseTracking(True)
    view.verticalHeader().hide()
    view.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    if any(column.sort_key for column in model.columns):
        # No order until a header is clicked: values stand as they were filled in.
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        header.setSortIndicatorClearable(True)
        view.setSortingEnabled(True)
        header.setSectionsClickable(True)
