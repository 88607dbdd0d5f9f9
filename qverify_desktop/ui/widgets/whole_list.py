"""A short list that is as high as all of its rows, for pages that scroll as a whole."""

from __future__ import annotations

from typing import Any, cast

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.widgets import painting

Index = QModelIndex | QPersistentModelIndex
VALUE = Qt.ItemDataRole.UserRole
#: More rows than this are left out; whoever fills the list says so.
MOST = 200


class WholeModel(QAbstractListModel):
    """Values and what a screen reader says of each."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._values: list[tuple[Any, str]] = []

    def fill(self, values: list[tuple[Any, str]]) -> None:
        self.beginResetModel()
        self._values = values[:MOST]
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._values)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return painting.one_line(self._values[index.row()][1])
        return None

    def value_at(self, row: int) -> Any:
        return self._values[row][0]


class WholeDelegate(QStyledItemDelegate):
    """Subclasses say how high a value's row is in a width, and paint it."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.theme = theme

    def height(self, value: Any, width: int) -> int:
        raise NotImplementedError

    def draw(self, painter: Any, option: QStyleOptionViewItem, value: Any, row: int) -> None:
        raise NotImplementedError

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        view = cast("WholeList", self.parent())
        width = view.row_width()
        return QSize(width, self.height(view.rows.value_at(index.row()), width))

    def paint(self, painter: Any, option: QStyleOptionViewItem, index: Index) -> None:
        view = cast("WholeList", self.parent())
        painter.save()
        self.draw(painter, option, view.rows.value_at(index.row()), index.row())
        painter.restore()
        if view.hasFocus() and index == view.currentIndex():
            painting.ring(painter, self.theme, option.rect)


class WholeList(QListView):
    """``chosen`` gives the value that became current, ``opened`` the one on which Enter was pressed or that was double-clicked."""

    chosen = Signal(object)
    opened = Signal(object)

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.rows = WholeModel(self)
        self.setAccessibleName(name)
        self.setModel(self.rows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setTabKeyNavigation(False)
        self.doubleClicked.connect(self._open)
        self.clicked.connect(self._choose)
        theme.changed.connect(self.fit)

    def fill(self, values: list[tuple[Any, str]]) -> None:
        """Values with what a screen reader says of each."""
        self.rows.fill(values)
        self.fit()

    def row_width(self) -> int:
        return max(1, self.viewport().width())

    def height_of_all(self) -> int:
        delegate = cast(WholeDelegate, self.itemDelegate())
        width = self.row_width()
        return sum(delegate.height(self.rows.value_at(row), width) for row in range(self.rows.rowCount()))

    def fit(self) -> None:
        """Be as high as the rows."""
        self.scheduleDelayedItemsLayout()
        margins = self.height() - self.viewport().height()
        self.setFixedHeight(max(1, self.height_of_all() + max(0, margins)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.fit()

    def currentChanged(self, current: Index, previous: Index) -> None:
        super().currentChanged(current, previous)
        if current.isValid() and self.hasFocus():
            self.chosen.emit(self.rows.value_at(current.row()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self._open(self.currentIndex())
            return
        super().keyPressEvent(event)

    def _choose(self, index: QModelIndex) -> None:
        self.chosen.emit(self.rows.value_at(index.row()))

    def _open(self, index: QModelIndex) -> None:
        self.opened.emit(self.rows.value_at(index.row()))
