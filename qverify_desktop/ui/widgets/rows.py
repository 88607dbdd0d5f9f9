"""Lists of two-line rows: a status shape, a title with a remark at its right, a second line. One model, one delegate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from qverify_desktop.ui.theme import Theme, pixmap

Index = QModelIndex | QPersistentModelIndex
VALUE = Qt.ItemDataRole.UserRole
_ROW = Qt.ItemDataRole.UserRole + 1
HEIGHT = 56

T = TypeVar("T")


@dataclass(frozen=True)
class Row:
    """What is painted of a value. ``spoken`` is its accessible text, ``place`` its tooltip."""

    shape: str
    colour: str
    title: str
    remark: str
    detail: str
    spoken: str
    place: str = ""


class RowModel(QAbstractListModel, Generic[T]):
    """Values of one kind; ``shown`` says how each is painted."""

    def __init__(self, shown: Callable[[T], Row], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._shown = shown
        self._values: Sequence[T] = ()

    def fill(self, values: Sequence[T]) -> None:
        self.beginResetModel()
        self._values = values
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._values)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        value = self._values[index.row()]
        if role == VALUE:
            return value
        if role == _ROW:
            return self._shown(value)
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self._shown(value).spoken
        return self._shown(value).place if role == Qt.ItemDataRole.ToolTipRole else None


class RowDelegate(QStyledItemDelegate):
    """Paints a ``Row``; no widget per row, so that a list may be long."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(240, HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row: Row = index.data(_ROW)
        rect: QRect = option.rect
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, self._theme.colour("selection"))
        ratio = painter.device().devicePixelRatioF()
        shape = pixmap(row.shape, self._theme.colour(row.colour), 16, ratio)
        painter.drawPixmap(rect.left() + 16, rect.top() + 20, shape)
        left, width = rect.left() + 48, rect.width() - 64
        middle = Qt.AlignmentFlag.AlignVCenter
        small, strong = self._theme.font("small"), self._theme.font("strong")
        used = QFontMetrics(small).horizontalAdvance(row.remark)
        painter.setFont(small)
        painter.setPen(self._theme.colour("text-muted"))
        painter.drawText(QRect(left + width - used, rect.top() + 8, used, 20), middle, row.remark)
        detail = QFontMetrics(small).elidedText(row.detail, Qt.TextElideMode.ElideRight, width)
        painter.drawText(QRect(left, rect.top() + 29, width, 18), middle, detail)
        painter.setFont(strong)
        painter.setPen(self._theme.colour("text"))
        title = QFontMetrics(strong).elidedText(row.title, Qt.TextElideMode.ElideMiddle, width - used - 12)
        painter.drawText(QRect(left, rect.top() + 8, width - used - 12, 20), middle, title)
        painter.restore()
