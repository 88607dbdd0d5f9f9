"""The tree of files, targets and tests: a view that remembers what is open and chosen, and paints its rows itself."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from PySide6.QtCore import QEvent, QItemSelectionModel, QModelIndex, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractItemView, QStyledItemDelegate, QStyleOptionViewItem, QTreeView, QWidget

from qverify_desktop.ui.theme import Theme, tokens
from qverify_desktop.ui.widgets import painting
from qverify_desktop.ui.widgets.filtered import VALUE, Index
from qverify_desktop.ui.widgets.spinner import Turning
from qverify_desktop.ui.widgets.tree_model import NODE, PATH, Count, Node, Path, Tally, TreeModel

__all__ = ["NODE", "PATH", "VALUE", "Count", "Node", "Path", "Tally", "Tree", "TreeDelegate", "TreeModel"]

#: A filter that leaves so few leaves opens all their groups.
OPEN_ALL = 200
MARGIN, INDENT, SIDE = 8, 16, 12


class TreeDelegate(QStyledItemDelegate):
    """Paints icon, title and the counts at the right; the view paints background and chevron."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(self._theme.px(120), self._theme.px(tokens()["row"]["default"]))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        node: Node | None = index.data(NODE)
        if node is None:
            return
        theme, px = self._theme, self._theme.px
        rect: QRect = option.rect
        left = rect.left()
        muted = "text-disabled" if node.muted else ""
        if node.icon:
            top = rect.top() + (rect.height() - px(16)) / 2
            painting.icon(painter, theme, node.icon, muted or node.token, left, top)
            left += px(24)
        line = QRect(left, rect.top(), max(0, rect.right() + 1 - left), rect.height())
        # Counts give way before the title does: they never take more than half.
        room = line.width() // 2
        for count in reversed(node.counts):
            width = painting.width_of(theme, count.text, "small")
            if width > room:
                break
            box = QRect(line.right() + 1 - width, line.top(), width, line.height())
            painting.text(painter, theme, box, count.text, "small", muted or count.token, painting.RIGHT)
            line.setRight(line.right() - width - px(8))
            room -= width + px(8)
        role = "code" if node.code else "body"
        painting.text(painter, theme, line, node.title, role, muted or "text", elide=painting.MIDDLE)


class Tree(QTreeView):
    """A tree over a ``TreeModel``. ``chosen`` gives the leaf's value that became current (``None`` on a group), ``opened`` the one
    on which Enter was pressed or that was double-clicked. Enter on a group opens or closes it."""

    chosen = Signal(object)
    opened = Signal(object)

    def __init__(self, theme: Theme, model: TreeModel[Any], name: str, parent: QWidget | None = None) -> None:
        """``name`` is its accessible name."""
        super().__init__(parent)
        self.rows = model
        self._theme = theme
        self._hovered = QModelIndex()
        self._open_paths: set[Path] = set()
        self._by_itself = False
        self._turning = Turning(self.viewport())
        self._kept: tuple[Hashable | None, Path | None, int] = (None, None, 0)
        self.setProperty("plain", "true")
        self.setAccessibleName(name)
        self.setModel(model)
        self.setItemDelegate(TreeDelegate(theme, self))
        self.setHeaderHidden(True)
        self.setUniformRowHeights(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.expanded.connect(self._note_expanded)
        self.collapsed.connect(self._note_collapsed)
        self.doubleClicked.connect(self._open)
        model.modelAboutToBeReset.connect(self._note)
        model.modelReset.connect(self._restore)
        theme.changed.connect(self._measure)
        self._measure()

    # What a page does

    def value(self) -> Any:
        """The current leaf's value or ``None``."""
        index = self.currentIndex()
        return self.rows.value_of(index)

    def path(self) -> Path | None:
        """The path of the current group, ``None`` on a leaf."""
        index = self.currentIndex()
        return self.rows.path_of(index)

    def choose(self, key: Hashable) -> bool:
        """Make the leaf with this key current and visible; answers whether it is shown."""
        return self._make_current(self.rows.index_of(key))

    def choose_group(self, path: Path) -> bool:
        return self._make_current(self.rows.index_of_group(path))

    def choose_first(self) -> None:
        """Open the first groups down to the first leaf and choose it, unless something is chosen."""
        first = next(self.rows.shown(), None)
        if not self.currentIndex().isValid() and first is not None:
            self.choose(self.rows.key_of(first))

    # How

    def _make_current(self, index: QModelIndex) -> bool:
        if index.isValid():
            self.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
            self.scrollTo(index)
        return index.isValid()

    def _note(self) -> None:
        value = self.value()
        key = self.rows.key_of(value) if value is not None else None
        self._kept = (key, self.path(), self.verticalScrollBar().value())
        self._hovered = QModelIndex()

    def _restore(self) -> None:
        key, path, offset = self._kept
        self._by_itself = True
        if self.rows.filtering and self.rows.shown_count <= OPEN_ALL:
            self.expandAll()
        else:
            for opened in self._open_paths:
                index = self.rows.index_of_group(opened)
                if index.isValid():
                    self.setExpanded(index, True)
        index = (
            self.rows.index_of(key) if key is not None else self.rows.index_of_group(path) if path else QModelIndex()
        )
        if index.isValid() and self._is_open(index.parent()):
            self.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self._by_itself = False
        self.verticalScrollBar().setValue(offset)
        if key is not None and not index.isValid():
            self.chosen.emit(None)

    def _is_open(self, index: QModelIndex) -> bool:
        while index.isValid():
            if not self.isExpanded(index):
                return False
            index = index.parent()
        return True

    def _note_expanded(self, index: QModelIndex) -> None:
        if not self._by_itself:
            self._open_paths.add(self.rows.path_of(index) or ())

    def _note_collapsed(self, index: QModelIndex) -> None:
        if not self._by_itself:
            self._open_paths.discard(self.rows.path_of(index) or ())

    def _measure(self) -> None:
        self.setIndentation(self._theme.px(INDENT))
        self.scheduleDelayedItemsLayout()

    def currentChanged(self, current: Index, previous: Index) -> None:
        super().currentChanged(current, previous)
        self.chosen.emit(self.rows.value_of(current))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        control = event.modifiers() & Qt.KeyboardModifier.ControlModifier
        index = self.currentIndex()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not control and index.isValid():
            if self.rows.path_of(index) is not None:
                self.setExpanded(index, not self.isExpanded(index))
            else:
                self._open(index)
            return
        super().keyPressEvent(event)

    def _open(self, index: QModelIndex) -> None:
        value = self.rows.value_of(index)
        if value is not None:
            self.opened.emit(value)

    def _chevron(self, index: QModelIndex, row: QRect) -> QRect:
        """Where the chevron of a row stands."""
        depth, parent = 0, index.parent()
        while parent.isValid():
            depth, parent = depth + 1, parent.parent()
        px = self._theme.px
        return QRect(px(MARGIN + INDENT * depth), row.top(), px(INDENT + 4), row.height())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        point = event.position().toPoint()
        index = self.indexAt(QPoint(self.viewport().width() - 1, point.y()))
        left = event.button() is Qt.MouseButton.LeftButton
        group = left and self.rows.path_of(index) is not None
        if group and self._chevron(index, self.visualRect(index)).contains(point):
            self.setExpanded(index, not self.isExpanded(index))
            return
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        self._hover(self.indexAt(event.position().toPoint()))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hover(QModelIndex())

    def _hover(self, index: QModelIndex) -> None:
        if index != self._hovered:
            self._hovered = index
            self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        self._turning.after_paint()

    def drawRow(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row = QRect(0, option.rect.top(), self.viewport().width(), option.rect.height())
        place = QModelIndex(index)  # type: ignore[arg-type]
        if self.selectionModel().isSelected(place):
            painter.fillRect(row, self._theme.colour("selection"))
        elif place == self._hovered:
            painter.fillRect(row, self._theme.colour("surface-hover"))
        chevron = self._chevron(place, row)
        if self.rows.path_of(index) is not None:
            name = "chevron-down" if self.isExpanded(place) else "chevron-right"
            top = row.top() + (row.height() - self._theme.px(16)) / 2
            painting.icon(painter, self._theme, name, "text-muted", chevron.left(), top)
        inner = QStyleOptionViewItem(option)
        inner.rect = QRect(row)
        inner.rect.setLeft(chevron.right() + 1)
        inner.rect.setRight(row.right() - self._theme.px(SIDE))
        self.itemDelegate().paint(painter, inner, place)
        if self.hasFocus() and place == self.currentIndex():
            painting.ring(painter, self._theme, row)
