"""Tables: columns that say how a value is told, one model for 100,000 rows, one delegate, one view."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QEvent, QItemSelectionModel, QModelIndex, QObject, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
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
from qverify_desktop.ui.widgets.filtered import VALUE, FilteredModel, Index, KeepSelection
from qverify_desktop.ui.widgets.spinner import Turning

T = TypeVar("T")
#: A column's painter: draws a value's cell into the rectangle (already without the cell's padding).
Paint = Callable[[QPainter, QRect, T, Theme], None]
#: Icon and colour token, or nothing.
Icon = tuple[str, str] | None
_COLUMN = VALUE + 1
#: Space left and right in a cell.
PADDING = 8


@dataclass(frozen=True)
class Column(Generic[T]):
    """How one property of a value is told.

    ``title`` is translated already. ``text`` is shown, filtered and spoken. ``sort_key`` makes the column sortable (``None``
    keys come last). ``icon`` stands before the text in its own token, ``token`` colours the text, ``font`` is a type
    token, ``detail`` a second line (rows of 56 px). ``paint`` draws instead of all that; its ``text`` is still spoken.
    ``width`` is in pixels at 100 %; columns with ``stretch`` share the rest by weight, never less than ``width``. The column is
    hidden while the table is narrower than ``from_width``. ``path`` cuts a long text in the middle. ``tip`` is the tooltip;
    without it a text that is cut shows itself.
    """

    title: str
    text: Callable[[T], str]
    sort_key: Callable[[T], Any] | None = None
    right: bool = False
    icon: Callable[[T], Icon] | None = None
    token: Callable[[T], str] | str = "text"
    font: Callable[[T], str] | str = "body"
    detail: Callable[[T], str] | None = None
    badge: Callable[[T], str] | None = None
    paint: Paint[T] | None = None
    tip: Callable[[T], str] | None = None
    width: int = 96
    stretch: int = 0
    from_width: int = 0
    path: bool = False
    searched: bool = True

    def token_of(self, value: T) -> str:
        return self.token if isinstance(self.token, str) else self.token(value)

    def font_of(self, value: T) -> str:
        return self.font if isinstance(self.font, str) else self.font(value)


class TableModel(FilteredModel[T]):
    """Values in columns. ``key`` identifies a value through time; a filter looks into all columns that are ``searched``."""

    def __init__(
        self,
        columns: Sequence[Column[T]],
        key: Callable[[T], Hashable],
        text: Callable[[T], str] | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(key, text or self._row_text, parent)
        self.columns = tuple(columns)

    def _row_text(self, value: T) -> str:
        parts: list[str] = []
        for column in self.columns:
            if column.searched:
                parts.append(column.text(value))
                if column.detail is not None:
                    parts.append(column.detail(value))
        return "\n".join(parts)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(self.columns):
            return None
        column = self.columns[section]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return column.title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return (painting.RIGHT if column.right else painting.LEFT) | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        value = self.value_at(index.row())
        if role == VALUE:
            return value
        column = self.columns[index.column()]
        if role == _COLUMN:
            return column
        if role == Qt.ItemDataRole.DisplayRole:
            return painting.one_line(column.text(value))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self._spoken(column, value)
        if role == Qt.ItemDataRole.ToolTipRole and column.tip is not None:
            return painting.one_line(column.tip(value)) or None
        return None

    def _spoken(self, column: Column[T], value: T) -> str:
        parts = [
            column.text(value),
            column.badge(value) if column.badge else "",
            column.detail(value) if column.detail else "",
        ]
        return painting.one_line(", ".join(part for part in parts if part))

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Called by the header; -1 for the order that values were filled in."""
        key = self.columns[column].sort_key if 0 <= column < len(self.columns) else None
        self.sort_by(key, order is Qt.SortOrder.DescendingOrder)


class TableDelegate(QStyledItemDelegate):
    """Paints cells: no grid, a 1 px line below, icon, text, badge, second line, or what the column paints itself."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        column: Column[Any] = index.data(_COLUMN)
        view = option.widget
        if column is None:
            return
        value = index.data(VALUE)
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

    def is_cut(self, index: Index, rect: QRect) -> bool:
        """Whether a cell's text does not fit."""
        column: Column[Any] = index.data(_COLUMN)
        if column is None or column.paint is not None:
            return False
        value = index.data(VALUE)
        width = self._inner(rect, index).width() - (self._theme.px(24) if column.icon else 0)
        return painting.width_of(self._theme, column.text(value), column.font_of(value)) > width


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
        self._keep = KeepSelection(self, model)
        self._turning = Turning(self.viewport())
        self.doubleClicked.connect(self._open)
        theme.changed.connect(self._measure)
        self._measure()

    def value(self) -> Any:
        """The current value or ``None``."""
        index = self.currentIndex()
        return index.data(VALUE) if index.isValid() else None

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
            self.chosen.emit(current.data(VALUE) if current.isValid() else None)

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

    def _open(self, index: QModelIndex) -> None:
        if index.isValid():
            self.opened.emit(index.data(VALUE))

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
