"""Suspected defects as a ranked list: symbol and place, the call, what was promised and what was seen."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from qverify_desktop.ui.theme import Theme, pixmap

Index = QModelIndex | QPersistentModelIndex
ROW = Qt.ItemDataRole.UserRole


class DefectModel(QAbstractListModel):
    """Rows are the entries of ``suspected_defects`` of the run's document."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[dict[str, Any]] = []

    def fill(self, rows: list[dict[str, Any]]) -> None:
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self._rows[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return (
                f"{row['symbol']} in {row['file']}: {row['call']} gives {row['observed']}, "
                f"but the words say {row['expected']}"
            )
        return row if role == ROW else None


class DefectDelegate(QStyledItemDelegate):
    """Two lines a row; the whole stands in the detail below."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(240, 56)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row = index.data(ROW)
        rect: QRect = option.rect
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, self._theme.colour("selection"))
        ratio = painter.device().devicePixelRatioF()
        painter.drawPixmap(
            rect.left() + 16, rect.top() + 10, pixmap("diamond-alert", self._theme.colour("danger"), 16, ratio)
        )
        left, width = rect.left() + 44, rect.width() - 60
        confidence = f"confidence {round(row['confidence'] * 100)} %"
        small = QFontMetrics(self._theme.font("small"))
        painter.setFont(self._theme.font("small"))
        painter.setPen(self._theme.colour("text-muted"))
        used = small.horizontalAdvance(confidence)
        painter.drawText(
            QRect(left + width - used, rect.top() + 8, used, 20), Qt.AlignmentFlag.AlignVCenter, confidence
        )
        place = f"{row['file']}:{row.get('line', '')}".rstrip(":")
        painter.drawText(
            QRect(left, rect.top() + 29, width, 18),
            Qt.AlignmentFlag.AlignVCenter,
            small.elidedText(f"{row['call']}  in {place}", Qt.TextElideMode.ElideMiddle, width),
        )
        painter.setFont(self._theme.font("strong"))
        painter.setPen(self._theme.colour("text"))
        painter.drawText(
            QRect(left, rect.top() + 8, width - used - 12, 20), Qt.AlignmentFlag.AlignVCenter, row["symbol"]
        )
        painter.restore()
